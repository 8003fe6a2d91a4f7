/* SPDX-License-Identifier: Apache-2.0 */
/* Who confirms whom: one lattice is a periodic client, two are a balancer. */
#include "pipeline/quorum.h"

#include <criterion/criterion.h>

/* Lattices of one path; 0 ends. */
struct lattice_row {
	uint64_t stream, peer;
	int64_t block;
	uint32_t period_s, filled, slots;
	bool confirmed;
};

static const struct {
	const char *name;
	struct lattice_row rows[4];
} cases[] = {
	{ "one alone", { { 1, 1, 0, 10, 72, 72, false } } },
	{ "two nodes of a stream",
	    { { 1, 1, 0, 10, 72, 72, true }, { 1, 2, 0, 10, 72, 72, true } } },
	{ "a node on two streams",
	    { { 1, 1, 0, 10, 72, 72, true }, { 2, 1, 0, 10, 72, 72, true } } },
	{ "other nodes of other streams",
	    { { 1, 1, 0, 10, 72, 72, false },
		{ 2, 2, 0, 10, 72, 72, false } } },
	{ "other periods", { { 1, 1, 0, 10, 72, 72, false },
			       { 1, 2, 0, 30, 24, 24, false } } },
	{ "other times", { { 1, 1, 0, 10, 72, 72, false },
			     { 1, 2, 9, 10, 72, 72, false } } },
	{ "nobody named, two phases", { { 1, 0, 0, 6, 120, 120, true },
					  { 1, 0, 0, 6, 120, 120, true } } },
	{ "two halves of a job", { { 1, 1, 0, 30, 15, 24, false },
				     { 1, 2, 0, 30, 16, 24, false } } },
	{ "a half, and probes",
	    { { 1, 1, 0, 30, 15, 24, true }, { 1, 1, 0, 30, 24, 24, true },
		{ 1, 2, 0, 30, 24, 24, true } } },
	{ "with holes, but surely more than half",
	    { { 1, 1, 0, 10, 56, 72, true }, { 1, 2, 0, 10, 57, 72, true } } },
	{ "the other node has gone: known within the hour",
	    { { 1, 1, 0, 10, 72, 72, true }, { 1, 2, 0, 10, 72, 72, true },
		{ 1, 1, 5, 10, 40, 72, true } } },
	{ "and a day later not",
	    { { 1, 1, 0, 10, 72, 72, true }, { 1, 2, 0, 10, 72, 72, true },
		{ 1, 1, 120, 10, 40, 72, false } } },
};

static void
put(struct spill *facts, const struct lattice_row *r, uint64_t order,
    bool usual)
{
	struct fact f = { .order = order,
		.stream = r->stream,
		.peer = r->peer,
		.asks = 7,
		.hour = r->block / 5,
		.period_s = r->period_s,
		.filled = r->filled,
		.slots = r->slots,
		.usual = usual };
	struct err err;

	fact_key(&f, r->block, false);
	cr_assert_eq(spill_put(facts, &f.key, &err), 0);
}

static bool
is_confirmed(struct spill *confirmed, uint64_t order)
{
	struct err err;
	struct merge *m = merge_new(&confirmed, 1, &err);
	const struct spill_key *k;
	bool yes = false;

	for (k = merge_next(m); k; k = merge_next(m))
		yes = yes || k->hi == order;
	merge_free(m);
	return yes;
}

Test(quorum, needs_a_second_one)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spill *facts = spill_new(sizeof(struct fact), 4096);
		struct spill *confirmed =
		    spill_new(sizeof(struct spill_key), 4096);
		struct probers *p = probers_new();
		struct err err;

		for (uint64_t k = 0; k < 4 && cases[i].rows[k].period_s; k++)
			put(facts, &cases[i].rows[k], k, false);
		spill_seal(facts);
		cr_assert_eq(quorum(facts, p, confirmed, &err), 0);
		spill_seal(confirmed);
		for (uint64_t k = 0; k < 4 && cases[i].rows[k].period_s; k++)
			cr_expect_eq(is_confirmed(confirmed, k),
			    cases[i].rows[k].confirmed, "%s: lattice %d",
			    cases[i].name, (int)k);
		spill_free(facts);
		spill_free(confirmed);
		probers_free(p);
	}
}

Test(quorum, a_user_agent_confirms_what_is_firm)
{
	for (uint32_t filled = 40; filled <= 72; filled += 32) {
		struct spill *facts = spill_new(sizeof(struct fact), 4096);
		struct spill *confirmed =
		    spill_new(sizeof(struct spill_key), 4096);
		struct probers *p = probers_new();
		struct lattice_row one = { 1, 1, 5, 10, filled, 72, false };
		struct err err;

		probers_add(p,
		    &(struct prober){ .asks = 7, .peer = 1, .hour = 1 }, 0);
		put(facts, &one, 0, false);
		spill_seal(facts);
		cr_assert_eq(quorum(facts, p, confirmed, &err), 0);
		spill_seal(confirmed);
		cr_expect_eq(is_confirmed(confirmed, 0), filled == 72);
		spill_free(facts);
		spill_free(confirmed);
		probers_free(p);
	}
}

/* A kubelet asks the pods of its own node only. */
Test(quorum, other_nodes_of_other_streams_do_on_a_usual_path)
{
	for (uint32_t filled = 40; filled <= 72; filled += 32) {
		struct spill *facts = spill_new(sizeof(struct fact), 4096);
		struct spill *confirmed =
		    spill_new(sizeof(struct spill_key), 4096);
		struct probers *p = probers_new();
		struct lattice_row a = { 1, 1, 0, 10, filled, 72, false };
		struct lattice_row b = { 2, 2, 0, 10, filled, 72, false };
		struct err err;

		put(facts, &a, 0, true);
		put(facts, &b, 1, true);
		spill_seal(facts);
		cr_assert_eq(quorum(facts, p, confirmed, &err), 0);
		spill_seal(confirmed);
		cr_expect_eq(is_confirmed(confirmed, 0), filled == 72);
		cr_expect_eq(is_confirmed(confirmed, 1), filled == 72);
		spill_free(facts);
		spill_free(confirmed);
		probers_free(p);
	}
}
