/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings, requests, and what is kept of all of it.
 */
#include <inttypes.h>
#include <sqlite3.h>

#include "core/when.h"
#include "store/db.h"

static int
delete_finding(struct store *s, struct str id, struct err *err)
{
	struct row r = row_of(s, DELETE_FINDING, err);

	if (!r.stmt)
		return -1;
	row_string(&r, id);
	return row_run(&r, err);
}

/* Whether the finding is there just so: 1, 0, -1 with err. */
static int
is_same(struct store *s, const struct store_finding *f, struct err *err)
{
	struct row r = row_of(s, GET_FINDING, err);
	int same = 0;
	int rc;

	if (!r.stmt)
		return -1;
	row_string(&r, (struct str){ f->finding->id, sizeof f->finding->id });
	rc = sqlite3_step(r.stmt);
	if (rc == SQLITE_ROW) {
		struct str is = {
			(const char *)sqlite3_column_text(r.stmt, 0),
			(size_t)sqlite3_column_bytes(r.stmt, 0),
		};

		same = str_eq(is, f->document);
	} else if (rc != SQLITE_DONE) {
		same = db_fail(s, err);
	}
	sqlite3_reset(r.stmt);
	return same;
}

int
store_put_finding(struct store *s, const struct store_finding *f,
    struct err *err)
{
	const struct finding *is = f->finding;
	struct str id = { is->id, sizeof is->id };
	int same = is_same(s, f, err);
	struct row r;

	if (same != 0)
		return same < 0 ? -1 : 0;
	if (delete_finding(s, id, err) != 0)
		return -1;
	r = row_of(s, ADD_FINDING, err);
	if (!r.stmt)
		return -1;
	row_string(&r, id);
	row_i64(&r, (int64_t)is->severity);
	row_string(&r, str_of(is->rule));
	row_text(&r, str_of(is->service));
	row_text(&r, is->method == METHOD_NONE
			 ? (struct str){ NULL, 0 }
			 : str_of(method_name(is->method)));
	row_text(&r, str_of(is->route));
	row_i64(&r, is->start_ns);
	row_i64(&r, is->end_ns);
	row_i64(&r, (int64_t)is->bad);
	row_i64(&r, (int64_t)is->total);
	row_string(&r, f->text);
	row_string(&r, f->document);
	if (row_run(&r, err) != 0)
		return -1;
	r = row_of(s, ADD_MESSAGE, err);
	if (!r.stmt)
		return -1;
	row_string(&r, STR("finding"));
	row_string(&r, id);
	row_string(&r, f->text);
	return row_run(&r, err);
}

int
store_put_request(struct store *s, const struct store_request *q,
    struct err *err)
{
	struct row r = row_of(s, ADD_REQUEST, err);

	if (!r.stmt)
		return -1;
	row_string(&r, q->id);
	row_i64(&r, q->ts_ns);
	row_i64(&r, q->duration_ns);
	row_i64(&r, q->status);
	row_text(&r, q->service);
	row_text(&r, q->method);
	row_text(&r, q->url);
	row_text(&r, q->agent);
	row_text(&r, q->client);
	row_text(&r, q->trace);
	row_string(&r, q->document);
	return row_run(&r, err);
}

static int
delete_before(struct store *s, int64_t before_ns, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql,
	    "DELETE FROM traces WHERE start_ns < %" PRId64 ";"
	    "DELETE FROM all_requests WHERE ts_ns < %" PRId64 ";"
	    "DELETE FROM all_findings WHERE end_ns < %" PRId64 ";",
	    before_ns, before_ns, before_ns);
	rc = db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc;
}

/* Bytes in use: pages that are not free. */
static int
bytes_used(struct store *s, uint64_t *bytes, struct err *err)
{
	int64_t pages, unused, size;

	if (db_number(s, "PRAGMA page_count", &pages, err) != 0 ||
	    db_number(s, "PRAGMA freelist_count", &unused, err) != 0 ||
	    db_number(s, "PRAGMA page_size", &size, err) != 0)
		return -1;
	*bytes = (uint64_t)(pages - unused) * (uint64_t)size;
	return 0;
}

/* The time before which a sixteenth of what has most rows lies. */
static int
oldest_part(struct store *s, int64_t *before_ns, struct err *err)
{
	int64_t at[2];

	if (db_number(s,
		"SELECT start_ns + 1 FROM traces ORDER BY start_ns LIMIT 1 "
		"OFFSET (SELECT count(*) / 16 FROM traces)",
		&at[0], err) != 0 ||
	    db_number(s,
		"SELECT ts_ns + 1 FROM all_requests ORDER BY ts_ns LIMIT 1 "
		"OFFSET (SELECT count(*) / 16 FROM all_requests)",
		&at[1], err) != 0)
		return -1;
	if (at[0] == VIEW_NONE || (at[1] != VIEW_NONE && at[1] < at[0]))
		at[0] = at[1];
	*before_ns = at[0];
	return 0;
}

static int
retain_size(struct store *s, uint64_t max_bytes, struct err *err)
{
	uint64_t bytes;
	int64_t before;

	for (;;) {
		if (bytes_used(s, &bytes, err) != 0)
			return -1;
		if (bytes <= max_bytes)
			return 0;
		if (oldest_part(s, &before, err) != 0)
			return -1;
		if (before == VIEW_NONE)
			return 0;
		if (delete_before(s, before, err) != 0)
			return -1;
	}
}

int
store_note_last(struct store *s, int64_t last_ns, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql,
	    "INSERT INTO store_facts VALUES('last_ns', %" PRId64 ")"
	    " ON CONFLICT(name) DO UPDATE SET value = excluded.value"
	    " WHERE excluded.value > value",
	    last_ns);
	rc = last_ns == WHEN_NONE ? 0 : db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc;
}

int
store_last(struct store *s, int64_t *last_ns, struct err *err)
{
	return db_number(s,
	    "SELECT value FROM store_facts WHERE name = 'last_ns'", last_ns,
	    err);
}

int
store_retain(struct store *s, int64_t keep_ns, uint64_t max_bytes,
    struct err *err)
{
	int64_t last;

	if (store_last(s, &last, err) != 0)
		return -1;
	if (keep_ns > 0 && last != VIEW_NONE && last > INT64_MIN + keep_ns &&
	    delete_before(s, last - keep_ns, err) != 0)
		return -1;
	if (max_bytes > 0 && retain_size(s, max_bytes, err) != 0)
		return -1;
	if (keep_ns == 0 && max_bytes == 0)
		return 0;
	/* Free pages go back to the file system. */
	return db_exec(s, "PRAGMA incremental_vacuum", err);
}
