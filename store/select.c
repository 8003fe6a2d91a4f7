/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: traces by a clause of query_sql and a range of time, and findings.
 */
#include <inttypes.h>
#include <sqlite3.h>

#include "core/when.h"
#include "store/db.h"

enum column {
	ID,
	START,
	FLAGS,
	RESPONSE = FLAGS + 6,
	DURATION,
	STATUS,
	METHOD,
	URL,
	AGENT,
	CLIENT,
	SERVICE,
	TYPE,
	PLACE,
};

static void
put_range(struct buf *sql, const char *column, const struct store_where *where)
{
	if (where->since_ns != WHEN_NONE)
		buf_printf(sql, " AND %s >= %" PRId64, column, where->since_ns);
	if (where->until_ns != WHEN_NONE)
		buf_printf(sql, " AND %s < %" PRId64, column, where->until_ns);
}

static int
prepare(struct store *s, const struct buf *sql, struct err *err)
{
	sqlite3_finalize(s->select);
	s->select = NULL;
	if (sqlite3_prepare_v2(s->db, sql->p, (int)sql->n, &s->select, NULL) !=
	    SQLITE_OK)
		return db_fail(s, err);
	return 0;
}

int
store_select(struct store *s, const struct store_where *where, bool documents,
    struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_cat(&sql,
	    "SELECT t.id, t.start_ns, t.ok, t.error, t.throttle, t.fault,"
	    " t.partial, t.inferred, t.responsetime_ns, t.duration_ns,"
	    " t.status, t.method, t.url, t.agent, t.client,"
	    " t.service, t.type, t.block, t.at, t.bytes, t.documents"
	    " FROM traces t WHERE 1");
	put_range(&sql, "t.start_ns", where);
	if (where->clause.n > 0) {
		buf_cat(&sql, " AND (");
		buf_str(&sql, where->clause);
		buf_cat(&sql, ")");
	}
	/* Each block is unpacked once: traces of one stand together. */
	if (documents)
		buf_cat(&sql, " ORDER BY t.n");
	s->want_documents = documents;
	rc = prepare(s, &sql, err);
	buf_fini(&sql);
	return rc;
}

static struct str
text_at(sqlite3_stmt *stmt, int i)
{
	const char *p = (const char *)sqlite3_column_text(stmt, i);

	return (struct str){ p, (size_t)sqlite3_column_bytes(stmt, i) };
}

static int64_t
number_at(sqlite3_stmt *stmt, int i)
{
	if (sqlite3_column_type(stmt, i) == SQLITE_NULL)
		return VIEW_NONE;
	return sqlite3_column_int64(stmt, i);
}

static void
fill(struct store_row *row, sqlite3_stmt *stmt)
{
	struct view_part *p = &row->part;

	*row = (struct store_row){ .part = VIEW_PART_NONE };
	row->id = text_at(stmt, ID);
	row->start_ns = sqlite3_column_int64(stmt, START);
	for (int i = 0; i < 6; i++)
		if (sqlite3_column_int(stmt, FLAGS + i))
			p->flags |= (uint32_t)VIEW_OK << i;
	p->responsetime_ns = number_at(stmt, RESPONSE);
	p->duration_ns = number_at(stmt, DURATION);
	p->status = number_at(stmt, STATUS);
	p->method = text_at(stmt, METHOD);
	p->url = text_at(stmt, URL);
	p->agent = text_at(stmt, AGENT);
	p->client = text_at(stmt, CLIENT);
	row->service = text_at(stmt, SERVICE);
	row->type = text_at(stmt, TYPE);
}

static int
fill_documents(struct store *s, struct store_row *row, struct err *err)
{
	struct block_place place = place_at(s->select, PLACE);

	if (block_documents(s, &place, err) != 0)
		return -1;
	row->documents = s->documents;
	row->n_documents = place.n;
	return 1;
}

int
store_next(struct store *s, struct store_row *row, struct err *err)
{
	int rc = sqlite3_step(s->select);

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return db_fail(s, err);
	fill(row, s->select);
	return s->want_documents ? fill_documents(s, row, err) : 1;
}

int
store_documents_of(struct store *s, enum store_kind kind,
    const struct store_where *where, struct err *err)
{
	static const struct {
		const char *from, *time, *order;
	} kinds[] = {
		[STORE_FINDINGS] = { "all_findings", "start_ns",
		    "severity DESC, start_ns, id" },
		[STORE_REQUESTS] = { "all_requests", "ts_ns", "ts_ns, id" },
	};
	struct buf sql = { 0 };
	int rc;

	buf_printf(&sql, "SELECT document FROM %s WHERE 1", kinds[kind].from);
	put_range(&sql, kinds[kind].time, where);
	buf_printf(&sql, " ORDER BY %s", kinds[kind].order);
	rc = prepare(s, &sql, err);
	buf_fini(&sql);
	return rc;
}

int
store_next_document(struct store *s, struct str *document, struct err *err)
{
	int rc = sqlite3_step(s->select);

	if (rc == SQLITE_DONE)
		return 0;
	if (rc != SQLITE_ROW)
		return db_fail(s, err);
	*document = text_at(s->select, 0);
	return 1;
}

int
store_narrow(struct store *s, int64_t last_ns, struct store_where *where,
    struct err *err)
{
	int64_t latest = WHEN_NONE;

	if (last_ns != 0 && store_last(s, &latest, err) != 0)
		return -1;
	where->since_ns = when_last(where->since_ns, latest, last_ns);
	return 0;
}

int
store_count(struct store *s, const struct store_where *where, uint64_t *n,
    struct err *err)
{
	struct buf sql = { 0 };
	int64_t count = 0;
	int rc;

	buf_cat(&sql, "SELECT count(*) FROM traces WHERE 1");
	put_range(&sql, "start_ns", where);
	rc = db_number(s, buf_cstr(&sql), &count, err);
	*n = (uint64_t)count;
	buf_fini(&sql);
	return rc;
}
