/* SPDX-License-Identifier: Apache-2.0 */
/* The join: nearest, once, within tolerance; duplicates; probes' traces. */
#include <criterion/criterion.h>

#include "analyzers/cells.h"
#include "pipeline/pairing.h"

#define T0 (INT64_C(1800000000) * NS_PER_SEC)

static struct row
row_at(int64_t ms, uint64_t identity, unsigned flags)
{
	return (struct row){
		.key = { spill_time(T0 + ms * NS_PER_MS), identity },
		.what = 42,
		.seq = identity,
		.duration_ns = flags & ROW_SEGMENT ? 5 * NS_PER_MS : -1,
		.flags = (uint16_t)(flags | ROW_REQUEST),
		.class = CLASS_CLIENT,
	};
}

/* Pushes all, and gives back what left, in order. */
static size_t
run_pairing(const struct row *rows, size_t n, struct held *out,
    size_t *duplicates)
{
	const struct held *h;
	struct pairing w;
	struct row loser;
	size_t left = 0;

	*duplicates = 0;
	pairing_init(&w);
	for (size_t i = 0; i < n; i++) {
		*duplicates += pairing_push(&w, &rows[i], &loser);
		for (h = pairing_pop(&w, false); h; h = pairing_pop(&w, false))
			out[left++] = *h;
	}
	for (h = pairing_pop(&w, true); h; h = pairing_pop(&w, true))
		out[left++] = *h;
	pairing_fini(&w);
	return left;
}

Test(pairing, joins_the_nearest_log_line)
{
	struct row rows[] = {
		row_at(0, 1, 0),
		row_at(30, 2, 0),
		row_at(35, 3, ROW_SEGMENT),
		row_at(70, 4, 0),
	};
	struct held out[4];
	size_t dups;

	cr_assert_eq(run_pairing(rows, 4, out, &dups), 4);
	cr_assert_not(out[0].joined);
	cr_assert(out[1].joined);
	cr_assert_eq(out[1].other.key.lo, 3);
	cr_assert(out[2].joined);
	cr_assert_eq(out[2].other.key.lo, 2);
	cr_assert_not(out[3].joined);
}

Test(pairing, a_line_may_come_after_its_segment)
{
	struct row rows[] = { row_at(0, 1, ROW_SEGMENT), row_at(49, 2, 0),
		row_at(60000, 3, 0) };
	struct held out[3];
	size_t dups;

	run_pairing(rows, 3, out, &dups);
	cr_assert(out[0].joined);
	cr_assert(out[1].joined);
}

Test(pairing, beyond_the_tolerance_nothing_joins)
{
	struct row rows[] = { row_at(0, 1, ROW_SEGMENT), row_at(51, 2, 0) };
	struct held out[2];
	size_t dups;

	run_pairing(rows, 2, out, &dups);
	cr_assert_not(out[0].joined);
	cr_assert_not(out[1].joined);
}

Test(pairing, a_line_with_seconds_only_has_its_whole_second)
{
	struct row rows[] = { row_at(0, 1, ROW_SECOND),
		row_at(980, 2, ROW_SEGMENT), row_at(2000, 3, ROW_SEGMENT) };
	struct held out[3];
	size_t dups;

	run_pairing(rows, 3, out, &dups);
	cr_assert(out[0].joined);
	cr_assert(out[1].joined);
	cr_assert_not(out[2].joined);
}

Test(pairing, one_line_is_one_request)
{
	struct row rows[] = { row_at(0, 1, 0), row_at(1, 2, ROW_SEGMENT),
		row_at(2, 3, ROW_SEGMENT) };
	struct held out[3];
	size_t dups;

	run_pairing(rows, 3, out, &dups);
	cr_assert(out[1].joined);
	cr_assert_not(out[2].joined);
}

Test(pairing, other_services_and_other_requests_do_not_join)
{
	struct row rows[] = { row_at(0, 1, 0), row_at(1, 2, 0),
		row_at(2, 3, ROW_SEGMENT) };
	struct held out[3];
	size_t dups;

	rows[0].service = 7;
	rows[1].what = 43;
	run_pairing(rows, 3, out, &dups);
	cr_assert_not(out[2].joined);
}

Test(pairing, of_two_copies_the_first_place_counts)
{
	struct row rows[] = { row_at(0, 9, 0), row_at(0, 9, 0),
		row_at(1, 10, 0) };
	struct held out[3];
	size_t dups;

	rows[0].input = 4;
	rows[1].input = 2;
	cr_assert_eq(run_pairing(rows, 3, out, &dups), 2);
	cr_assert_eq(dups, 1);
	cr_assert_eq(out[0].row.input, 2);
}

Test(pairing, times_as_far_apart_as_they_go_do_not_join)
{
	struct row rows[] = { row_at(0, 1, 0), row_at(0, 2, ROW_SEGMENT) };
	struct held out[2];
	size_t dups;

	rows[0].key.hi = spill_time(INT64_MIN + 1);
	rows[1].key.hi = spill_time(INT64_MAX);
	cr_assert_eq(run_pairing(rows, 2, out, &dups), 2);
	cr_assert_not(out[0].joined);
}

Test(pairing, a_full_pairing_lets_the_oldest_go)
{
	static struct row rows[PAIRING_ROWS + 10];
	static struct held out[PAIRING_ROWS + 10];
	size_t dups;
	size_t n = PAIRING_ROWS + 10;

	for (size_t i = 0; i < n; i++)
		rows[i] = row_at((int64_t)(i / 20), i + 1, 0);
	cr_assert_eq(run_pairing(rows, n, out, &dups), n);
	cr_assert_eq(dups, 0);
}

Test(pairing, a_probes_trace_is_known_to_its_other_segments)
{
	struct row root = row_at(20, 1, ROW_SEGMENT | ROW_ROOT | ROW_TRACE);
	struct row child = row_at(10, 2, ROW_SEGMENT | ROW_TRACE);
	struct row other = row_at(30, 3, ROW_SEGMENT | ROW_TRACE);
	struct row loser;
	struct pairing w;

	root.class = CLASS_PROBE;
	root.trace[3] = child.trace[3] = 1;
	other.trace[3] = 2;
	pairing_init(&w);
	pairing_push(&w, &child, &loser);
	pairing_push(&w, &root, &loser);
	pairing_push(&w, &other, &loser);
	cr_assert(pairing_probe_trace(&w, &child));
	cr_assert_not(pairing_probe_trace(&w, &other));
	pairing_fini(&w);
}

Test(pairing, a_failed_call_is_known_to_its_segment)
{
	struct row rows[] = {
		row_at(0, 7, ROW_FAILED),
		row_at(5, 9, ROW_SEGMENT),
		row_at(6, 3, 0),
		row_at(9000, 11, ROW_SEGMENT),
		row_at(9001, 13, ROW_SEGMENT | ROW_FAILED),
		row_at(90000, 15, 0),
	};
	const bool masked[] = { false, true, true, false, true, false };
	const struct held *h;
	struct pairing w;
	struct row loser;
	size_t n = 0;

	/* A call on its own is no request; it names its segment. */
	rows[0].flags = ROW_FAILED | ROW_SEGMENT;
	rows[0].what = rows[1].key.lo;
	for (size_t i = 1; i < 6; i++)
		rows[i].status = 200;
	rows[3].what = rows[4].what = 43;
	pairing_init(&w);
	for (size_t i = 0; i < 6; i++)
		pairing_push(&w, &rows[i], &loser);
	for (h = pairing_pop(&w, true); h; h = pairing_pop(&w, true), n++)
		if (h->row.flags & ROW_REQUEST)
			cr_expect_eq(pairing_masked(&w, h), masked[n],
			    "row %zu", n);
	cr_expect_eq(n, 6);
	pairing_fini(&w);
}

Test(pairing, a_probe_by_the_clock_gives_its_trace_the_label)
{
	struct row log = row_at(20, 1, 0);
	struct row root = row_at(25, 2, ROW_SEGMENT | ROW_ROOT | ROW_TRACE);
	struct row agent = row_at(25, 3, ROW_SEGMENT | ROW_ROOT | ROW_TRACE);

	log.class = CLASS_PROBE;
	root.trace[3] = agent.trace[3] = 1;
	agent.agent = 1; /* a person's, whatever the clock says */
	for (int named = 0; named < 2; named++) {
		struct row loser;
		struct pairing w;

		pairing_init(&w);
		pairing_push(&w, &log, &loser);
		pairing_push(&w, named ? &agent : &root, &loser);
		while (pairing_pop(&w, true))
			;
		cr_expect_eq(pairing_probe_trace(&w, &root), !named);
		pairing_fini(&w);
	}
}
