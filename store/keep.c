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

/* Whether it is the same, or has seen more: either way it stays. */
static bool
is_kept(sqlite3_stmt *stmt, const struct store_finding *f)
{
	struct str document = {
		(const char *)sqlite3_column_text(stmt, 0),
		(size_t)sqlite3_column_bytes(stmt, 0),
	};
	int64_t end_ns = sqlite3_column_int64(stmt, 1);
	int64_t total = sqlite3_column_int64(stmt, 2);
	const struct finding *is = f->finding;

	if (end_ns != is->end_ns)
		return end_ns > is->end_ns;
	return total > (int64_t)is->total || str_eq(document, f->document);
}

/* Whether the finding that is there stays: 1, 0, -1 with err. */
static int
stays(struct store *s, const struct store_finding *f, struct err *err)
{
	struct row r = row_of(s, GET_FINDING, err);
	int same = 0;
	int rc;

	if (!r.stmt)
		return -1;
	row_string(&r, (struct str){ f->finding->id, sizeof f->finding->id });
	rc = sqlite3_step(r.stmt);
	if (rc == SQLITE_ROW)
		same = is_kept(r.stmt, f);
	else if (rc != SQLITE_DONE)
		same = db_fail(s, err);
	sqlite3_reset(r.stmt);
	return same;
}

int
store_put_finding(struct store *s, const struct store_finding *f,
    struct err *err)
{
	const struct finding *is = f->finding;
	struct str id = { is->id, sizeof is->id };
	int same = stays(s, f, err);
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
	return add_message(s, STR("finding"), id, f->text, err);
}

int
store_put_request(struct store *s, const struct store_request *q,
    struct err *err)
{
	struct row r = row_of(s, PUT_REQUEST, err);

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

int
store_put_rollup(struct store *s, const struct store_rollup *u, struct err *err)
{
	struct row r = row_of(s, PUT_ROLLUP, err);

	if (!r.stmt)
		return -1;
	row_i64(&r, u->minute_ns);
	row_string(&r, u->service);
	row_string(&r, u->route);
	row_string(&r, u->method);
	row_i64(&r, u->requests);
	row_i64(&r, u->timed);
	row_i64(&r, u->slow);
	row_i64(&r, u->not_found);
	row_i64(&r, u->probes);
	row_i64(&r, u->probes_failed);
	row_i64(&r, u->duration_ns);
	for (int i = 0; i < 6; i++)
		row_i64(&r, u->status[i]);
	return row_run(&r, err);
}

int
store_put_log(struct store *s, const struct store_log *l, struct err *err)
{
	struct row r = row_of(s, FIND_LOG, err);
	int64_t message;
	int rc;

	if (!r.stmt)
		return -1;
	row_string(&r, l->id);
	rc = sqlite3_step(r.stmt);
	sqlite3_reset(r.stmt);
	if (rc != SQLITE_DONE)
		return rc == SQLITE_ROW ? 0 : db_fail(s, err);
	if (add_message(s, STR("log"), l->id, l->text, err) != 0)
		return -1;
	message = sqlite3_last_insert_rowid(s->db);
	r = row_of(s, ADD_LOG, err);
	if (!r.stmt)
		return -1;
	row_string(&r, l->id);
	row_i64(&r, l->ts_ns);
	row_text(&r, l->service);
	row_text(&r, l->level);
	row_text(&r, l->logger);
	row_text(&r, l->group);
	row_text(&r, l->stream);
	row_i64(&r, message);
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
	    "DELETE FROM all_logs WHERE ts_ns < %" PRId64 ";"
	    "DELETE FROM all_rollups WHERE minute_ns < %" PRId64 ";"
	    "DELETE FROM all_findings WHERE end_ns < %" PRId64 ";",
	    before_ns, before_ns, before_ns, before_ns, before_ns);
	rc = db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc == 0 ? block_sweep(s, err) : -1;
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

/* The time before which a sixteenth of what reaches back furthest lies. */
static int
oldest_part(struct store *s, int64_t *before_ns, struct err *err)
{
#define OLDEST(time, table)                                                    \
	"SELECT " time " + 1 FROM " table " ORDER BY " time " LIMIT 1 "        \
	"OFFSET (SELECT count(*) / 16 FROM " table ")"
	static const char *const ask[] = {
		OLDEST("start_ns", "traces"),
		OLDEST("ts_ns", "all_requests"),
		OLDEST("ts_ns", "all_logs"),
		OLDEST("minute_ns", "all_rollups"),
	};

	*before_ns = VIEW_NONE;
	for (size_t i = 0; i < sizeof ask / sizeof ask[0]; i++) {
		int64_t at;

		if (db_number(s, ask[i], &at, err) != 0)
			return -1;
		if (at != VIEW_NONE &&
		    (*before_ns == VIEW_NONE || at < *before_ns))
			*before_ns = at;
	}
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

	if (block_flush(s, err) != 0 || store_last(s, &last, err) != 0)
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
