/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients ask of services as a whole, by cells in order of time: the
 * trials of a rule that holds one route against all others of its service.
 *
 * A route's own cells do not tell how many requests went elsewhere while nobody
 * asked for it.  So the sum of the service is kept, and who looks at a route
 * again takes what came since: 24 bytes a service, and nothing a cell.
 */
#ifndef ANALYZERS_WHOLE_H
#define ANALYZERS_WHOLE_H

#include <stddef.h>
#include <stdint.h>

struct whole {
	uint64_t before; /* the present cell */
	uint32_t now;    /* in the present cell */
};

/* Zeroed and ready. */
struct wholes {
	struct whole *v; /* by origin */
	size_t n, cap;
	uint32_t *touched; /* in the present cell */
	size_t n_touched, cap_touched;
};

void wholes_fini(struct wholes *w);
void wholes_add(struct wholes *w, uint32_t origin, uint32_t n);

/* The present cell is complete. */
void wholes_end(struct wholes *w);

#endif
