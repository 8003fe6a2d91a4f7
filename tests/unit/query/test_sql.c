/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One meaning, two back-ends: seeded random traces are written to SQLite, and
 * thousands of random expressions must find the same ones there and by
 * query_eval.  TELLTALE_QUERY_SEED and TELLTALE_QUERY_COUNT ask for others.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "query/query.h"
#include "query/sql.h"
#include "world.h"

enum { TRACES = 150, EXPRESSIONS = 4000 };

static sqlite3 *
open_store(void)
{
	sqlite3 *db = NULL;
	char *words = NULL;

	cr_assert(sqlite3_open(":memory:", &db) == SQLITE_OK);
	int rc = sqlite3_exec(db, query_sql_schema, NULL, NULL, &words);

	cr_assert(rc == SQLITE_OK, "%s", words);
	return db;
}

/* One row being written: values in the order of the columns. */
struct row {
	sqlite3 *db;
	sqlite3_stmt *stmt;
	int at;
};

static struct row
row_new(sqlite3 *db, const char *insert)
{
	struct row r = { .db = db };
	int rc = sqlite3_prepare_v2(db, insert, -1, &r.stmt, NULL);

	cr_assert(rc == SQLITE_OK, "%s: %s", insert, sqlite3_errmsg(db));
	return r;
}

static void
put_i64(struct row *r, int64_t v)
{
	if (v == VIEW_NONE)
		sqlite3_bind_null(r->stmt, ++r->at);
	else
		sqlite3_bind_int64(r->stmt, ++r->at, v);
}

static void
put_size(struct row *r, size_t v)
{
	put_i64(r, (int64_t)v);
}

static void
put_text(struct row *r, struct str s)
{
	if (s.n == 0)
		sqlite3_bind_null(r->stmt, ++r->at);
	else
		sqlite3_bind_text(r->stmt, ++r->at, s.p, (int)s.n,
		    SQLITE_STATIC);
}

static void
put_flags(struct row *r, uint32_t flags, uint32_t from, uint32_t to)
{
	for (uint32_t f = from; f <= to; f <<= 1)
		put_i64(r, (flags & f) != 0);
}

static int64_t
row_end(struct row *r)
{
	cr_assert(sqlite3_step(r->stmt) == SQLITE_DONE, "%s",
	    sqlite3_errmsg(r->db));
	sqlite3_finalize(r->stmt);
	return sqlite3_last_insert_rowid(r->db);
}

static void
put_measures(struct row *r, const struct view_part *p)
{
	put_i64(r, p->responsetime_ns);
	put_i64(r, p->duration_ns);
	put_i64(r, p->status);
	put_text(r, p->method);
	put_text(r, p->url);
	put_text(r, p->agent);
	put_text(r, p->client);
}

static void
put_who(struct row *r, const struct view_part *p)
{
	put_text(r, p->user);
	put_text(r, p->zone);
	put_text(r, p->instance);
	put_text(r, p->arn);
}

static void
write_annotations(sqlite3 *db, const char *insert, int64_t owner,
    struct view_annotations a)
{
	for (size_t i = 0; i < a.n; i++) {
		const struct view_annotation *v = &a.v[i];
		struct row r = row_new(db, insert);

		put_i64(&r, owner);
		put_text(&r, v->key);
		if (v->kind == VIEW_STRING)
			sqlite3_bind_text(r.stmt, 3, v->text.n ? v->text.p : "",
			    (int)v->text.n, SQLITE_STATIC);
		if (v->kind == VIEW_NUMBER)
			sqlite3_bind_double(r.stmt, 4, v->number);
		if (v->kind == VIEW_BOOLEAN)
			sqlite3_bind_int(r.stmt, 5, v->boolean);
		row_end(&r);
	}
}

static void
write_services(sqlite3 *db, int64_t trace, const struct trace_view *t)
{
	for (size_t i = 0; i < t->n_services; i++) {
		const struct view_part *p = &t->services[i];
		struct row r = row_new(db,
		    "INSERT INTO trace_services VALUES(?,?,?,?,?,?,?,"
		    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

		put_i64(&r, trace << 24 | (int64_t)i);
		put_text(&r, p->name);
		put_text(&r, p->type);
		put_text(&r, p->account);
		put_i64(&r, (p->flags & VIEW_CLIENT) != 0);
		put_i64(&r, (p->flags & VIEW_ROOT) != 0);
		put_i64(&r, (p->flags & VIEW_INFERRED) != 0);
		put_flags(&r, p->flags, VIEW_OK, VIEW_PARTIAL);
		/* FLAGS has error before throttle, as the enum does. */
		put_measures(&r, p);
		put_who(&r, p);
		write_annotations(db,
		    "INSERT INTO service_annotations VALUES(?,?,?,?,?)",
		    row_end(&r), p->annotations);
	}
}

static void
write_edges(sqlite3 *db, int64_t trace, const struct trace_view *t)
{
	for (size_t i = 0; i < t->n_edges; i++) {
		const struct view_edge *e = &t->edges[i];
		struct row r = row_new(db,
		    "INSERT INTO trace_edges VALUES(?,?,?,?,?,?,?,?,?,"
		    "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

		put_i64(&r, trace << 24 | (int64_t)i);
		put_text(&r, e->from.name);
		put_text(&r, e->from.type);
		put_text(&r, e->from.account);
		put_i64(&r, e->from.client);
		put_text(&r, e->to.name);
		put_text(&r, e->to.type);
		put_text(&r, e->to.account);
		put_i64(&r, e->to.client);
		put_flags(&r, e->part.flags, VIEW_OK, VIEW_PARTIAL);
		put_measures(&r, &e->part);
		put_who(&r, &e->part);
		write_annotations(db,
		    "INSERT INTO edge_annotations VALUES(?,?,?,?,?)",
		    row_end(&r), e->part.annotations);
	}
}

static void
put_place(struct row *r, size_t i, size_t n, struct str name)
{
	put_size(r, i);
	put_i64(r, i == 0);
	put_i64(r, i + 1 == n);
	put_text(r, name);
}

static void
write_entity(sqlite3 *db, int64_t service, size_t place,
    const struct view_cause_service *s)
{
	const struct view_entity *e = &s->entities[place];
	struct row r = row_new(db,
	    "INSERT INTO cause_entities VALUES(NULL,?,?,?,?,?,?,?,?)");

	put_i64(&r, service);
	put_place(&r, place, s->n_entities, e->name);
	put_i64(&r, e->remote);
	put_i64(&r, e->coverage);
	put_size(&r, e->n_exceptions);
	int64_t entity = row_end(&r);

	for (size_t i = 0; i < e->n_exceptions; i++) {
		r = row_new(db,
		    "INSERT INTO cause_exceptions VALUES(NULL,?,?,?,?,?,?)");
		put_i64(&r, entity);
		put_place(&r, i, e->n_exceptions, e->exceptions[i].name);
		put_text(&r, e->exceptions[i].message);
		row_end(&r);
	}
}

static void
write_cause(sqlite3 *db, int64_t trace, const char *kind,
    const struct view_cause *c)
{
	struct row r =
	    row_new(db, "INSERT INTO trace_causes VALUES(NULL,?,?,?,?)");

	put_i64(&r, trace);
	put_text(&r, str_of(kind));
	put_i64(&r, c->client_impacting);
	put_size(&r, c->n_services);
	int64_t cause = row_end(&r);

	for (size_t i = 0; i < c->n_services; i++) {
		const struct view_cause_service *s = &c->services[i];

		r = row_new(db, "INSERT INTO cause_services"
				" VALUES(NULL,?,?,?,?,?,?,?,?,?)");
		put_i64(&r, cause);
		put_place(&r, i, c->n_services, s->name);
		put_text(&r, s->type);
		put_text(&r, s->account);
		put_i64(&r, s->inferred);
		put_size(&r, s->n_entities);
		int64_t service = row_end(&r);

		for (size_t k = 0; k < s->n_entities; k++)
			write_entity(db, service, k, s);
	}
}

static void
write_trace(sqlite3 *db, size_t id, const struct trace_view *t)
{
	static const char *const lists[VIEW_LISTS] = { "user",
		"availabilityzone", "instance.id", "resource.arn",
		"account.id" };
	static const char *const kinds[VIEW_CAUSES] = { "fault", "error",
		"responsetime" };
	struct row r = row_new(db,
	    "INSERT INTO traces VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
	    "NULL,NULL,NULL,NULL,NULL,NULL)");

	put_size(&r, id);
	put_size(&r, id);
	put_i64(&r, 0);
	put_flags(&r, t->trace.flags, VIEW_OK, VIEW_INFERRED);
	put_measures(&r, &t->trace);
	row_end(&r);
	for (size_t l = 0; l < VIEW_LISTS; l++)
		for (size_t i = 0; i < t->lists[l].n; i++) {
			if (t->lists[l].v[i].n == 0)
				continue;
			r = row_new(db, "INSERT OR IGNORE INTO trace_values"
					" VALUES(?,?,?)");
			put_size(&r, id);
			put_text(&r, str_of(lists[l]));
			put_text(&r, t->lists[l].v[i]);
			row_end(&r);
		}
	write_annotations(db, "INSERT INTO trace_annotations VALUES(?,?,?,?,?)",
	    (int64_t)id, t->trace.annotations);
	write_services(db, (int64_t)id, t);
	write_edges(db, (int64_t)id, t);
	for (size_t k = 0; k < VIEW_CAUSES; k++)
		for (size_t i = 0; i < t->causes[k].n; i++)
			write_cause(db, (int64_t)id, kinds[k],
			    &t->causes[k].v[i]);
}

static sqlite3 *
store_world(const struct world *w)
{
	sqlite3 *db = open_store();

	sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (size_t i = 0; i < w->n; i++)
		write_trace(db, i, &w->traces[i]);
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	return db;
}

/* found[i]: SQLite selects trace i; returns how many, -1 if it refuses. */
static int
select_traces(sqlite3 *db, struct str where, bool *found, size_t n)
{
	struct buf sql = { 0 };
	sqlite3_stmt *stmt = NULL;
	int count = 0;

	for (size_t i = 0; i < n; i++)
		found[i] = false;
	buf_cat(&sql, "SELECT t.n FROM traces t WHERE ");
	buf_str(&sql, where);
	int rc = sqlite3_prepare_v2(db, sql.p, (int)sql.n, &stmt, NULL);

	buf_fini(&sql);
	if (rc != SQLITE_OK)
		return -1;
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		found[sqlite3_column_int64(stmt, 0)] = true;
		count++;
	}
	return sqlite3_finalize(stmt) == SQLITE_OK ? count : -1;
}

/* Compares one expression; returns how many traces it finds. */
static int
compare(sqlite3 *db, const struct world *w, struct str text)
{
	struct query_error bad;
	struct err err;
	struct buf where = { 0 };
	bool found[TRACES];
	struct query *q = query_parse(text, NULL, &bad);

	cr_assert(q, "%.*s: %s", STR_ARG(text), bad.text);
	cr_assert(query_sql(&where, q, &err) == 0, "%s", err.text);
	int n = select_traces(db, buf_view(&where), found, w->n);

	cr_assert(n >= 0, "%.*s\n%.3000s\n%s", STR_ARG(str_sub(text, 0, 1000)),
	    buf_cstr(&where), sqlite3_errmsg(db));
	for (size_t i = 0; i < w->n; i++)
		cr_assert(query_eval(q, &w->traces[i]) == found[i],
		    "trace %zu: SQLite says %d\n%.*s\n%s", i, found[i],
		    STR_ARG(text), buf_cstr(&where));
	query_free(q);
	buf_fini(&where);
	return n;
}

static size_t
from_environment(const char *name, size_t otherwise)
{
	const char *v = getenv(name);

	return v ? (size_t)strtoull(v, NULL, 0) : otherwise;
}

Test(query_sql, finds_what_the_evaluator_finds)
{
	struct world w;
	struct buf text = { 0 };
	size_t n = from_environment("TELLTALE_QUERY_COUNT", EXPRESSIONS);
	size_t none = 0, all = 0;

	world_init(&w, from_environment("TELLTALE_QUERY_SEED", 1), TRACES);
	sqlite3 *db = store_world(&w);

	for (size_t i = 0; i < n; i++) {
		buf_reset(&text);
		world_expression(&w, &text);
		int found = compare(db, &w, buf_view(&text));

		none += found == 0;
		all += found == TRACES;
	}
	fprintf(stderr,
	    "query_sql: %zu expressions over %d traces agree; %zu find none, "
	    "%zu all\n",
	    n, TRACES, none, all);
	cr_expect(none + all < n * 3 / 4, "the test has lost its teeth");
	buf_fini(&text);
	sqlite3_close(db);
	world_fini(&w);
}

Test(query_sql, takes_what_the_parser_takes_at_its_limits)
{
	static const struct {
		const char *name, *head, *middle, *tail;
		size_t times;
	} rows[] = {
		{ "20000 terms", "", "ok ", "ok", 20000 },
		{ "10000 alternatives", "", "ok OR ", "ok", 10000 },
		{ "60 deep at the end", "", "ok OR fault (", "ok", 60 },
		{ "60 deep, negated", "", "!(ok OR fault ", "ok", 60 },
		{ "60 deep, selectors", "", "(service(\"a\") AND error OR ",
		    "service() { ok }", 60 },
		{ "60 deep in a block", "service() {", "(ok AND root OR ", "ok",
		    60 },
	};
	struct world w;

	world_init(&w, 3, TRACES);
	sqlite3 *db = store_world(&w);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = { 0 };
		size_t open = 0;

		buf_cat(&b, rows[i].head);
		for (size_t k = 0; k < rows[i].times; k++)
			buf_cat(&b, rows[i].middle);
		buf_cat(&b, rows[i].tail);
		for (size_t k = 0; k < b.n; k++)
			open += b.p[k] == '(';
		for (size_t k = 0; k < b.n; k++)
			open -= b.p[k] == ')';
		while (open-- > 0)
			buf_char(&b, ')');
		if (rows[i].head[0])
			buf_char(&b, '}');
		cr_expect(compare(db, &w, buf_view(&b)) >= 0, "%s",
		    rows[i].name);
		buf_fini(&b);
	}
	sqlite3_close(db);
	world_fini(&w);
}

/* Brackets to `depth` levels, in one branch or in several. */
static void
put_deep(struct world *w, struct buf *b, size_t depth)
{
	static const char *const joints[] = { " AND ", " OR " };
	size_t n = 1 + world_pick(w, 3);

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_cat(b, joints[world_pick(w, 2)]);
		if (world_pick(w, 3) == 0)
			buf_char(b, '!');
		if (depth > 0 && b->n < 20000 && world_pick(w, 8)) {
			buf_char(b, '(');
			put_deep(w, b, depth - 1);
			buf_char(b, ')');
			continue;
		}
		buf_cat(b, world_pick(w, 2) ? "user = \"a\"" : "ok");
		if (world_pick(w, 4) == 0)
			buf_cat(b, " service() { annotation.age > 1 OR !ok }");
	}
}

Test(query_sql, refuses_before_sqlite_would)
{
	struct world w;
	struct query_error bad;
	struct err err;
	struct buf text = { 0 }, where = { 0 };
	bool found[TRACES];
	size_t refused = 0, taken = 0;

	world_init(&w, 9, TRACES);
	sqlite3 *db = open_store();

	for (size_t i = 0; i < 300; i++) {
		buf_reset(&text);
		buf_reset(&where);
		put_deep(&w, &text, world_pick(&w, QUERY_DEPTH_MAX));
		struct query *q = query_parse(buf_view(&text), NULL, &bad);

		cr_assert(q, "%s", bad.text);
		if (query_sql(&where, q, &err) < 0) {
			cr_assert(where.n == 0);
			refused++;
		} else {
			int n = select_traces(db, buf_view(&where), found, w.n);

			cr_assert(n >= 0, "%s", sqlite3_errmsg(db));
			taken++;
		}
		query_free(q);
	}
	cr_expect(taken > 100, "%zu taken, %zu refused", taken, refused);
	fprintf(stderr, "query_sql: %zu deep expressions taken, %zu refused\n",
	    taken, refused);
	buf_fini(&text);
	buf_fini(&where);
	sqlite3_close(db);
	world_fini(&w);
}

Test(query_sql, lets_no_text_out_of_its_quotes)
{
	struct world w;
	struct str hostile[] = {
		STR("user = \"' OR 1=1 --\""),
		STR("user = \"'); DROP TABLE traces; --\""),
		STR("annotation[x' OR '1'='1] = \"'\""),
		STR("service(\"';ATTACH 'x' AS y;--\") { name = \"''\" }"),
		STR("http.url CONTAINS \"\\u0001'\\n--\""),
		STR("rootcause.json = #[{\"Services\":[{\"Name\":\"'\"}]}]"),
	};

	world_init(&w, 2, TRACES);
	sqlite3 *db = store_world(&w);

	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		compare(db, &w, hostile[i]);
	cr_expect(compare(db, &w, STR("")) == TRACES);
	sqlite3_close(db);
	world_fini(&w);
}
