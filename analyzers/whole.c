/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "analyzers/whole.h"

#include <stdlib.h>

#include "analyzers/saturate.h"
#include "core/mem.h"

void
wholes_fini(struct wholes *w)
{
	free(w->v);
	free(w->touched);
	*w = (struct wholes){ 0 };
}

void
wholes_add(struct wholes *w, uint32_t origin, uint32_t n)
{
	if (n == 0)
		return;
	if (origin >= w->n) {
		w->v = xgrow(w->v, (size_t)origin + 1, &w->cap, sizeof *w->v);
		while (w->n <= origin)
			w->v[w->n++] = (struct whole){ 0 };
	}
	if (w->v[origin].now == 0) {
		w->touched = xgrow(w->touched, w->n_touched + 1,
		    &w->cap_touched, sizeof *w->touched);
		w->touched[w->n_touched++] = origin;
	}
	w->v[origin].now = add_u32(w->v[origin].now, n);
}

void
wholes_end(struct wholes *w)
{
	for (size_t i = 0; i < w->n_touched; i++) {
		struct whole *whole = &w->v[w->touched[i]];

		whole->before = add_u64(whole->before, whole->now);
		whole->now = 0;
	}
	w->n_touched = 0;
}
