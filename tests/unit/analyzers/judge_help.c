/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeding the judge in tests, cell by cell; random numbers that are the same on
 * every machine.
 */
#include "judge_help.h"

#include <math.h>

static const struct str services[] = { { "like service", 12 },
	{ "monolith", 8 } };
static const struct str routes_0[] = { { "other", 5 },
	{ "/mysfits/{id}/like", 18 }, { "/", 1 } };
static const struct str *const routes[] = { routes_0, routes_0 };
static const uint32_t n_routes[] = { 3, 3 };
static const struct judge_names names = { services, routes, n_routes };

struct run
run_start_with(const struct thresholds *thresholds)
{
	struct judge_settings s = judge_settings_default;

	s.thresholds = *thresholds;
	return (struct run){ .judge = judge_new(&s, &names) };
}

struct run
run_start(const char *only)
{
	struct thresholds t = thresholds_default;

	t.only = only;
	return run_start_with(&t);
}

void
run_cell(struct run *r, int at, enum method method, struct cell cell)
{
	cell.key.cell = START + at;
	cell.key.route = cell.key.route ? cell.key.route : 1;
	cell.key.method = method;
	judge_feed(r->judge, &cell, &r->out);
}

void
run_end(struct run *r)
{
	judge_end(r->judge, &r->out);
}

void
run_fini(struct run *r)
{
	judge_free(r->judge);
	findings_fini(&r->out);
}

int
run_at(int64_t ns)
{
	return (int)(ns / CELL_NS - START);
}

uint64_t
random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static double
random_unit(uint64_t *state)
{
	return (double)(random_next(state) >> 11) / 9007199254740992.0;
}

unsigned
random_of(uint64_t *state, unsigned n, double p)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n; i++)
		k += random_unit(state) < p;
	return k;
}

unsigned
random_poisson(uint64_t *state, double mean)
{
	double limit = exp(-mean);
	double product = random_unit(state);
	unsigned k = 0;

	while (product > limit) {
		k++;
		product *= random_unit(state);
	}
	return k;
}
