/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two documents of one segment may lie as far apart in time as the segment
 * lasts, or as its two ends do, so the window of the join cannot pair them.
 *
 * The scan notes every record's trace, and of a document its identity, which
 * are sorted to count the traces; who comes twice is seen there, and archives
 * without one pay nothing.  Where there is one, the rows of all documents are
 * sorted by identity and rank, in bounded memory, 40 bytes each.  The first of
 * an identity counts; what follows it with a lesser rank gets a mark, and the
 * marks are sorted like the rows.
 */
#include "pipeline/outdone.h"

#include "pipeline/worker.h"

/* A document, in the order of identity, then from the one that counts on. */
struct candidacy {
	struct spill_key key; /* row's without ROW_KEY_FINISHED, ~rank */
	struct spill_key row; /* the row's key */
};

/* Of the rows with this key those of lesser rank are outdone. */
struct outdone_mark {
	struct spill_key key;
	uint64_t rank;
};

enum { BUDGET = 1024 * 1024 }; /* of each */

/* Whether a document comes twice. */
static int
count_traces(struct run *run, bool *twice, struct err *err)
{
	struct merge *m = scan_merge(run, SCAN_TRACES, err);
	struct spill_key last = { 0, 0 };
	const struct spill_key *k;
	int rc;

	if (!m)
		return -1;
	for (k = merge_next(m); k; k = merge_next(m)) {
		bool more = run->result->traces == 0 || k->hi != last.hi;

		run->result->traces += more;
		*twice |=
		    !more && k->lo != TRACE_NOTED_ALONE &&
		    (k->lo | ROW_KEY_FINISHED) == (last.lo | ROW_KEY_FINISHED);
		last = *k;
	}
	rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}

static struct spill *
sort_documents(const struct run *run, struct err *err)
{
	struct merge *m = scan_merge(run, SCAN_ROWS, err);
	struct spill *s = spill_new(sizeof(struct candidacy), BUDGET);
	const void *next;
	int rc = m ? 0 : -1;

	for (next = m ? merge_next(m) : NULL;
	     next && rc == 0 && !run_stopped(run); next = merge_next(m)) {
		const struct row *row = next;
		const struct candidacy c = {
			.key = { row->key.lo | ROW_KEY_FINISHED, ~row->rank },
			.row = row->key,
		};

		if (row->kind == RECORD_SEGMENT)
			rc = spill_put(s, &c.key, err);
	}
	if (rc == 0)
		rc = merge_failed(m, err);
	merge_free(m);
	if (rc != 0) {
		spill_free(s);
		return NULL;
	}
	spill_seal(s);
	return s;
}

static int
mark_documents(struct run *run, struct spill *documents, struct err *err)
{
	struct merge *m = merge_new(&documents, 1, err);
	struct spill_key best = { 0, 0 }; /* an identity has its bit set */
	const void *next;
	int rc = 0;

	if (!m)
		return -1;
	for (next = merge_next(m); next && rc == 0; next = merge_next(m)) {
		const struct candidacy *c = next;
		const struct outdone_mark mark = { c->row, ~best.lo };

		if (c->key.hi != best.hi)
			best = c->key;
		else if (c->key.lo != best.lo)
			rc = spill_put(run->outdone, &mark.key, err);
	}
	if (rc == 0)
		rc = merge_failed(m, err);
	merge_free(m);
	return rc;
}

int
outdone_find(struct run *run, struct err *err)
{
	struct spill *documents;
	bool twice = false;
	int rc;

	if (count_traces(run, &twice, err) != 0)
		return -1;
	if (!twice || !run->plan.rows)
		return 0;
	documents = sort_documents(run, err);
	if (!documents)
		return -1;
	run->outdone = spill_new(sizeof(struct outdone_mark), BUDGET);
	rc = mark_documents(run, documents, err);
	spill_seal(run->outdone);
	spill_free(documents);
	return rc;
}

static void
advance(struct outdone *o)
{
	const void *next = merge_next(o->marks);

	o->next = next;
}

int
outdone_open(struct outdone *o, const struct run *run, struct err *err)
{
	*o = (struct outdone){ .marks = merge_new(&run->outdone, 1, err) };
	if (!o->marks)
		return -1;
	advance(o);
	return 0;
}

bool
outdone_has(struct outdone *o, const struct row *row)
{
	while (o->next && (o->next->key.hi < row->key.hi ||
			      (o->next->key.hi == row->key.hi &&
				  o->next->key.lo < row->key.lo)))
		advance(o);
	return o->next && o->next->key.hi == row->key.hi &&
	       o->next->key.lo == row->key.lo && row->kind == RECORD_SEGMENT &&
	       row->rank < o->next->rank;
}

int
outdone_close(struct outdone *o, struct err *err)
{
	int rc = o->marks ? merge_failed(o->marks, err) : 0;

	merge_free(o->marks);
	return rc;
}
