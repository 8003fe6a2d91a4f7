/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeded random traces and expressions for the tests of the filter language.
 * The vocabulary is small, so that a good part of the expressions finds some
 * traces and not others; it holds what has ever broken a quoting rule.
 */
#ifndef TESTS_QUERY_WORLD_H
#define TESTS_QUERY_WORLD_H

#include "core/arena.h"
#include "core/buf.h"
#include "query/view.h"

struct world {
	uint64_t seed;
	struct arena arena;
	struct trace_view *traces;
	size_t n;
};

/* 0 to n - 1. */
size_t world_pick(struct world *w, size_t n);

void world_init(struct world *w, uint64_t seed, size_t traces);
void world_fini(struct world *w);

/* An expression that parses. */
void world_expression(struct world *w, struct buf *b);

#endif
