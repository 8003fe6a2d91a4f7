/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The statements of writing, and how their values are bound.  Texts are bound
 * without a copy: they live until row_run is done.
 */
#include <limits.h>
#include <sqlite3.h>

#include "store/db.h"

static const char *const texts[STATEMENTS] = {
	[ADD_TRACE] = "INSERT INTO traces VALUES"
		      "(NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		      " ON CONFLICT(id) DO NOTHING",
	[DELETE_TRACE] = "DELETE FROM traces WHERE id = ?",
	[FIND_TRACE] = "SELECT block, at, bytes, documents FROM traces"
		       " WHERE id = ?",
	[ADD_BLOCK] = "INSERT INTO trace_blocks VALUES(?,?,?)",
	[GET_BLOCK] = "SELECT bytes, body FROM trace_blocks WHERE n = ?",
	[ADD_VALUE] = "INSERT OR IGNORE INTO trace_values VALUES(?,?,?)",
	[ADD_ANNOTATION] = "INSERT INTO trace_annotations VALUES(?,?,?,?,?)",
	[ADD_SERVICE] = "INSERT INTO trace_services VALUES(?,?,?,?,?,?,?,"
			"?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ADD_SERVICE_ANNOTATION] =
	    "INSERT INTO service_annotations VALUES(?,?,?,?,?)",
	[ADD_EDGE] = "INSERT INTO trace_edges VALUES(?,?,?,?,?,?,?,?,?,"
		     "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ADD_EDGE_ANNOTATION] =
	    "INSERT INTO edge_annotations VALUES(?,?,?,?,?)",
	[ADD_CAUSE] = "INSERT INTO trace_causes VALUES(NULL,?,?,?,?)",
	[ADD_CAUSE_SERVICE] =
	    "INSERT INTO cause_services VALUES(NULL,?,?,?,?,?,?,?,?,?)",
	[ADD_CAUSE_ENTITY] =
	    "INSERT INTO cause_entities VALUES(NULL,?,?,?,?,?,?,?,?)",
	[ADD_CAUSE_EXCEPTION] =
	    "INSERT INTO cause_exceptions VALUES(NULL,?,?,?,?,?,?)",
	[ADD_MESSAGE] = "INSERT INTO all_messages VALUES(NULL,?,?,?)",
	[DELETE_FINDING] = "DELETE FROM all_findings WHERE id = ?",
	[ADD_FINDING] =
	    "INSERT INTO all_findings VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?,?)",
	[GET_FINDING] = "SELECT document, end_ns, total FROM all_findings"
			" WHERE id = ?",
	/* What was found to be of a trace is not forgotten. */
	[PUT_REQUEST] =
	    "INSERT INTO all_requests VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT(id) DO UPDATE SET ts_ns = excluded.ts_ns,"
	    " duration_ns = excluded.duration_ns, status = excluded.status,"
	    " service = excluded.service, method = excluded.method,"
	    " url = excluded.url, agent = excluded.agent,"
	    " client = excluded.client, trace = excluded.trace,"
	    " document = excluded.document"
	    " WHERE document <> excluded.document"
	    " AND (trace IS NULL OR excluded.trace IS NOT NULL)",
	[PUT_ROLLUP] =
	    "INSERT INTO all_rollups VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT(minute_ns, service, route, method) DO UPDATE SET"
	    " requests = excluded.requests, timed = excluded.timed,"
	    " slow = excluded.slow, not_found = excluded.not_found,"
	    " probes = excluded.probes, probes_failed = excluded.probes_failed,"
	    " duration_ns = excluded.duration_ns,"
	    " status_none = excluded.status_none,"
	    " status_1xx = excluded.status_1xx,"
	    " status_2xx = excluded.status_2xx,"
	    " status_3xx = excluded.status_3xx,"
	    " status_4xx = excluded.status_4xx,"
	    " status_5xx = excluded.status_5xx"
	    " WHERE excluded.requests + excluded.probes >= requests + probes",
	[FIND_LOG] = "SELECT 1 FROM all_logs WHERE id = ?",
	[ADD_LOG] = "INSERT INTO all_logs VALUES(NULL,?,?,?,?,?,?,?,?)",
};

struct row
row_of(struct store *s, enum statement which, struct err *err)
{
	struct row r = { .s = s, .stmt = s->statements[which] };

	if (r.stmt) {
		sqlite3_clear_bindings(r.stmt);
		return r;
	}
	if (sqlite3_prepare_v3(s->db, texts[which], -1,
		SQLITE_PREPARE_PERSISTENT, &s->statements[which],
		NULL) != SQLITE_OK)
		db_fail(s, err);
	r.stmt = s->statements[which];
	return r;
}

void
row_i64(struct row *r, int64_t v)
{
	r->at++;
	if (v != VIEW_NONE)
		sqlite3_bind_int64(r->stmt, r->at, v);
}

/* A text longer than SQLite takes fails when the row is run. */
void
row_string(struct row *r, struct str s)
{
	sqlite3_bind_text64(r->stmt, ++r->at, s.n ? s.p : "", s.n,
	    SQLITE_STATIC, SQLITE_UTF8);
}

void
row_text(struct row *r, struct str s)
{
	if (s.n > 0)
		row_string(r, s);
	else
		r->at++;
}

void
row_blob(struct row *r, struct str s)
{
	sqlite3_bind_blob64(r->stmt, ++r->at, s.n ? s.p : "", s.n,
	    SQLITE_STATIC);
}

void
row_double(struct row *r, double v)
{
	sqlite3_bind_double(r->stmt, ++r->at, v);
}

void
row_flags(struct row *r, uint32_t flags, uint32_t from, uint32_t to)
{
	for (uint32_t f = from; f <= to; f <<= 1)
		row_i64(r, (flags & f) != 0);
}

int
row_run(struct row *r, struct err *err)
{
	int rc = sqlite3_step(r->stmt);

	if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
		sqlite3_reset(r->stmt);
		return 0;
	}
	db_fail(r->s, err);
	sqlite3_reset(r->stmt);
	return -1;
}

int64_t
row_id(const struct row *r)
{
	return sqlite3_last_insert_rowid(r->s->db);
}

int
add_message(struct store *s, struct str kind, struct str owner, struct str text,
    struct err *err)
{
	struct row r = row_of(s, ADD_MESSAGE, err);

	if (!r.stmt)
		return -1;
	row_string(&r, kind);
	row_string(&r, owner);
	row_string(&r, text);
	return row_run(&r, err);
}
