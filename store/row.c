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
		      "(NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		      " ON CONFLICT(id) DO NOTHING",
	[FIND_TRACE] = "SELECT n FROM traces WHERE id = ?",
	[DELETE_TRACE] = "DELETE FROM traces WHERE id = ?",
	[ADD_BODY] = "INSERT INTO trace_bodies VALUES(?,?,?,?,?,?)",
	[GET_BODY] = "SELECT b.documents, b.bytes, b.body FROM traces t"
		     " JOIN trace_bodies b ON b.trace = t.n WHERE t.id = ?",
	[ADD_VALUE] = "INSERT OR IGNORE INTO trace_values VALUES(?,?,?)",
	[ADD_ANNOTATION] = "INSERT INTO trace_annotations VALUES(?,?,?,?,?)",
	[ADD_SERVICE] = "INSERT INTO trace_services VALUES(NULL,?,?,?,?,?,?,?,"
			"?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[ADD_SERVICE_ANNOTATION] =
	    "INSERT INTO service_annotations VALUES(?,?,?,?,?)",
	[ADD_EDGE] = "INSERT INTO trace_edges VALUES(NULL,?,?,?,?,?,?,?,?,?,"
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
	[GET_FINDING] = "SELECT document FROM all_findings WHERE id = ?",
	[ADD_REQUEST] =
	    "INSERT INTO all_requests VALUES(NULL,?,?,?,?,?,?,?,?,?,?,?)"
	    " ON CONFLICT(id) DO NOTHING",
};

struct row
row_of(struct store *s, enum statement which, struct err *err)
{
	struct row r = { .s = s, .stmt = s->statements[which] };

	if (r.stmt) {
		sqlite3_reset(r.stmt);
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
