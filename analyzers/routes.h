/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Route templates, inferred: /mysfits/0e37…/like is /mysfits/{id}/like.
 *
 * A segment is an id by its shape (digits, UUID, long hex, long mixed text
 * with digits), else when its place has more than ROUTE_FANOUT different
 * values.  The tree of an origin depends on the set of its paths only, not on
 * their order: a place collapses when its set of values exceeds the limit,
 * whenever that is noticed, and merging two trees unites their sets.  Of more
 * than ROUTES_MAX routes an origin those are kept that were first asked for
 * earliest, by the requests' own time and then by hash: a burst of new paths
 * does not push out what was known before it.  The rest is "other" (route 0).
 *
 * A worker adds paths and gets numbers; numbers stay valid when places
 * collapse later: routes_final maps each to what it became.
 */
#ifndef ANALYZERS_ROUTES_H
#define ANALYZERS_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum {
	ROUTE_OTHER = 0,   /* beyond the cap, or no path at all */
	ROUTE_FANOUT = 50, /* values of one place */
	ROUTE_DEPTH = 16,  /* segments; what is deeper is one "{rest}" */
	ROUTES_MAX = 1000, /* an origin */
};

struct routes;

struct routes *routes_new(void);
void routes_free(struct routes *r);

/*
 * The number of the path's route, in this tree, asked for at a time; WHEN_NONE:
 * not known, after all others.  Never fails.
 */
uint32_t routes_add(struct routes *r, struct str path, int64_t ts_ns);

/* The path of a number that was given out is asked for at a time, likewise;
 * the number. */
uint32_t routes_seen(struct routes *r, uint32_t number, int64_t ts_ns);

/* Adds all of b's paths to a; map[i] becomes a's number of b's route i. */
void routes_merge(struct routes *a, struct routes *b, uint32_t *map);

/* How many numbers were given out: all are below. */
uint32_t routes_count(const struct routes *r);

/* What a number has become: equal for numbers that fell together. */
uint32_t routes_final(struct routes *r, uint32_t route);

/* "/mysfits/{id}/like", "other"; of a final number; borrowed from the tree. */
struct str routes_text(struct routes *r, uint32_t final);

/* Where a path would go, nothing being added: for the second reading. */
uint32_t routes_find(struct routes *r, struct str path);

#endif
