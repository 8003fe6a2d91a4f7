/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment in progress and its finished document are one segment, under one
 * id: the finished one counts and is written, the other is its duplicate,
 * wherever and in whichever order the two were read.
 *
 * They lie as far apart in time as the segment lasts, so the window of the
 * join cannot pair them.  Where an archive has a segment in progress at all
 * (few have), all segments are sorted by identity, in bounded memory, 32 bytes
 * each; archives without one pay nothing.
 */
#include "pipeline/run.h"

struct segment_key {
	struct spill_key key; /* identity; finished before in progress */
	uint64_t seq;
	uint32_t input;
	uint32_t spare;
};

enum { BUDGET = 2 * 1024 * 1024 };

int
unfinished_note(struct run *run, const struct row *row, struct err *err)
{
	const struct segment_key k = {
		.key = { row->key.lo | ROW_KEY_FINISHED,
		    !(row->key.lo & ROW_KEY_FINISHED) },
		.seq = row->seq,
		.input = row->input,
	};

	if (run->joined || !run->in_progress || row->kind != RECORD_SEGMENT)
		return 0;
	if (!run->segments)
		run->segments = spill_new(sizeof k, BUDGET);
	return spill_put(run->segments, &k.key, err);
}

/* The document was counted when its row went by. */
static int
supersede(struct run *run, const struct segment_key *k, struct err *err)
{
	uint64_t *n = run->result->read[k->input].accounts.n[RECORD_SEGMENT];
	const struct verdict v = { .key = { k->input, k->seq },
		.what = VERDICT_DUPLICATE };

	if (!run->joined) {
		n[ACCOUNT_STORED]--;
		n[ACCOUNT_DUPLICATE]++;
	}
	return run->verdicts ? spill_put(run->verdicts, &v.key, err) : 0;
}

static const struct segment_key *
next_key(struct merge *m)
{
	const void *record = merge_next(m);

	return record;
}

int
unfinished_settle(struct run *run, struct err *err)
{
	const struct segment_key *k;
	struct merge *m;
	uint64_t finished = 0; /* the last; an identity has its bit set */
	int rc = 0;

	if (!run->segments)
		return 0;
	if (!run->joined)
		spill_seal(run->segments);
	m = merge_new(&run->segments, 1, err);
	if (!m)
		return -1;
	for (k = next_key(m); k && rc == 0 && !run_stopped(run);
	     k = next_key(m)) {
		if (k->key.lo == 0)
			finished = k->key.hi;
		else if (k->key.hi == finished)
			rc = supersede(run, k, err);
	}
	if (rc == 0)
		rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}
