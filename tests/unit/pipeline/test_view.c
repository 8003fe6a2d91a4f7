/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real traces under the filter language: the reference's worked example, and
 * one meaning in two back-ends: what the evaluator finds of the assembled
 * corpus, the store finds by SQL.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "pipeline/traces.h"
#include "pipeline/view.h"
#include "query/query.h"
#include "query/sql.h"
#include "store/store.h"

static char corpus[] = "../shared/corpus/xray";
static char example[] =
    "../shared/corpus/xray/guide-batch-get-traces.response.json";
static char demo[] = "demo/like-service/xray";

static struct traces *
traces_of(char **paths, size_t n)
{
	static struct replay_options replay;
	static struct replay_progress progress;
	struct traces_options o = { .replay = &replay,
		.assemble = assemble_defaults };
	struct err err = { "" };
	struct traces *t;

	replay_options_init(&replay);
	replay.threads = 1;
	t = traces_open(&o, paths, n, &progress, &err);
	cr_assert(t, "%s", err.text);
	return t;
}

static bool
holds(const char *text, const struct trace_view *view)
{
	struct query_error bad;
	struct query *q = query_parse(str_of(text), NULL, &bad);
	bool found;

	cr_assert(q, "%s: %s", text, bad.text);
	found = query_eval(q, view);
	query_free(q);
	return found;
}

Test(view, the_worked_example_of_the_reference_holds)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "ok", true },
		{ "fault", false },
		{ "partial", false },
		{ "inferred", true },
		{ "duration > 3 AND responsetime > 3", true },
		{ "http.status = 200 http.method = \"POST\"", true },
		{ "http.url ENDSWITH \"/api/user\"", true },
		{ "user = \"5M388M1E\"", true },
		{ "user = \"5m388m1e\"", false },
		{ "annotation.Name = \"Ola\"", true },
		{ "annotation.name = \"Ola\"", false },
		{ "!annotation.age", true },
		{ "annotation.age != 3", false },
		{ "availabilityzone = \"us-west-2c\"", true },
		{ "service(\"random-name\")", true },
		{ "service(id(name: \"random-name\", type: \"AWS::Lambda\")) "
		  "{ http.status = 200 }",
		    true },
		{ "service(id(name: \"random-name\", "
		  "type: \"AWS::Lambda::Function\")) { http.status = 200 }",
		    false },
		{ "service(\"random-name\") { responsetime > 2 }", true },
		{ "service(id(type: \"AWS::Lambda::Function\")) "
		  "{ responsetime > 2 }",
		    false },
		{ "service(id(type: \"AWS::Lambda::Function\")) "
		  "{ annotation.Name = \"Ola\" }",
		    true },
		{ "service(\"Scorekeep\") { annotation.Name = \"Ola\" }",
		    false },
		{ "service(\"scorekeep-user\") { inferred }", true },
		{ "service(\"DynamoDB\")", false },
		{ "service(\"Scorekeep\") { root }", true },
		{ "service(\"random-name\") { root }", false },
		{ "service() { fault OR error }", false },
		{ "edge(\"Scorekeep\", \"random-name\")", true },
		{ "edge(\"random-name\", \"Scorekeep\")", false },
		{ "edge(\"Scorekeep\", \"random-name\") "
		  "{ responsetime > 2.9 }",
		    true },
		{ "edge(\"random-name\", \"random-name\")", true },
		{ "edge(id(type: \"client\"), \"Scorekeep\") "
		  "{ http.status = 200 }",
		    true },
		{ "rootcause.fault.service", false },
	};
	char *paths[] = { example };
	struct arena arena = { 0 };
	struct err err = { "" };
	struct traces *t;
	const struct trace *trace;
	size_t found = 0;

	if (access(example, R_OK) != 0)
		cr_skip_test("%s is not here", example);
	t = traces_of(paths, 1);
	for (trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		struct trace_view view;

		if (strcmp(trace->id_text,
			"1-59602603-23fc5b688855d396af79b496") != 0)
			continue;
		found++;
		trace_view(&view, trace, &arena);
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			cr_expect(holds(rows[i].text, &view) == rows[i].want,
			    "%s", rows[i].text);
	}
	cr_assert(found == 1);
	traces_close(t);
	arena_fini(&arena);
}

/* Texts that the traces hold, by what they are: what is asked for. */
enum { NAME, TYPE, URL, METHOD, USER, KEY, VALUE, KINDS_OF_TEXT };
enum { TEXTS = 400, EXPRESSIONS = 600, TRACES_MAX = 1000 };

struct words {
	struct arena arena;
	struct str v[KINDS_OF_TEXT][TEXTS];
	size_t n[KINDS_OF_TEXT];
	uint64_t seed;
};

static void
learn(struct words *w, int kind, struct str s)
{
	if (w->n[kind] == TEXTS || s.n == 0 || s.n > 200 ||
	    memchr(s.p, '"', s.n) || memchr(s.p, '\\', s.n) ||
	    memchr(s.p, ']', s.n) || memchr(s.p, '\0', s.n))
		return;
	for (size_t i = 0; i < w->n[kind]; i++)
		if (str_eq(w->v[kind][i], s))
			return;
	w->v[kind][w->n[kind]++] = arena_dup(&w->arena, s);
}

static void
learn_view(struct words *w, const struct trace_view *v)
{
	for (size_t i = 0; i < v->n_services; i++) {
		learn(w, NAME, v->services[i].name);
		learn(w, TYPE, v->services[i].type);
		learn(w, URL, v->services[i].url);
		learn(w, METHOD, v->services[i].method);
	}
	for (size_t i = 0; i < v->lists[VIEW_USERS].n; i++)
		learn(w, USER, v->lists[VIEW_USERS].v[i]);
	for (size_t i = 0; i < v->trace.annotations.n; i++) {
		learn(w, KEY, v->trace.annotations.v[i].key);
		learn(w, VALUE, v->trace.annotations.v[i].text);
	}
}

static size_t
pick(struct words *w, size_t n)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return n ? (size_t)(w->seed % n) : 0;
}

static struct str
word(struct words *w, int kind)
{
	if (w->n[kind] == 0)
		return STR("none");
	return w->v[kind][pick(w, w->n[kind])];
}

static void put_term(struct words *w, struct buf *b, int depth);

static void
put_condition(struct words *w, struct buf *b)
{
	static const char *const flags[] = { "ok", "error", "fault", "throttle",
		"partial" };
	static const char *const numbers[] = { "http.status >= 400",
		"responsetime > 0.01", "duration <= 0.1", "http.status != 200",
		"responsetime", "duration > 1" };
	static const char *const ops[] = { "=", "!=", "BEGINSWITH", "ENDSWITH",
		"CONTAINS" };
	struct str s;

	switch (pick(w, 6)) {
	case 0:
		buf_cat(b, flags[pick(w, 5)]);
		return;
	case 1:
		buf_cat(b, numbers[pick(w, 6)]);
		return;
	case 2:
		s = word(w, URL);
		buf_printf(b, "http.url %s \"%.*s\"", ops[pick(w, 5)],
		    STR_ARG(s));
		return;
	case 3:
		s = word(w, METHOD);
		buf_printf(b, "http.method = \"%.*s\"", STR_ARG(s));
		return;
	case 4:
		s = word(w, USER);
		buf_printf(b, "user %s \"%.*s\"", ops[pick(w, 5)], STR_ARG(s));
		return;
	default:
		s = word(w, KEY);
		buf_printf(b, "annotation[%.*s]", STR_ARG(s));
		if (pick(w, 2)) {
			s = word(w, VALUE);
			buf_printf(b, " %s \"%.*s\"", ops[pick(w, 5)],
			    STR_ARG(s));
		}
	}
}

static void
put_term(struct words *w, struct buf *b, int depth)
{
	static const char *const causes[] = { "fault.service", "error.entity",
		"responsetime.service", "fault.exception",
		"responsetime.entity" };
	struct str s = word(w, NAME);
	struct str other = word(w, NAME);

	if (pick(w, 5) == 0)
		buf_cat(b, "!");
	switch (pick(w, depth > 0 ? 6 : 5)) {
	case 0:
	case 1:
		put_condition(w, b);
		return;
	case 2:
		buf_printf(b, "service(\"%.*s\")", STR_ARG(s));
		break;
	case 3:
		buf_printf(b, "edge(\"%.*s\", \"%.*s\")", STR_ARG(s),
		    STR_ARG(other));
		break;
	case 4:
		buf_printf(b, "rootcause.%s", causes[pick(w, 5)]);
		if (pick(w, 2))
			buf_printf(b, " { name CONTAINS \"%.*s\" OR last }",
			    STR_ARG(s));
		return;
	default:
		buf_char(b, '(');
		put_term(w, b, depth - 1);
		buf_cat(b, pick(w, 2) ? " OR " : " AND ");
		put_term(w, b, depth - 1);
		buf_char(b, ')');
		return;
	}
	if (pick(w, 2) == 0)
		return;
	buf_cat(b, " { ");
	put_condition(w, b);
	buf_cat(b, pick(w, 2) ? " OR " : " AND ");
	put_condition(w, b);
	buf_cat(b, " }");
}

struct trial {
	struct query *q[EXPRESSIONS];
	struct buf text[EXPRESSIONS];
	char ids[TRACES_MAX][36];
	bool found[TRACES_MAX][EXPRESSIONS];
	size_t n;
};

static void
expressions_make(struct trial *trial, struct words *w)
{
	for (size_t i = 0; i < EXPRESSIONS; i++) {
		struct query_error bad;

		put_term(w, &trial->text[i], 3);
		trial->q[i] =
		    query_parse(buf_view(&trial->text[i]), NULL, &bad);
		cr_assert(trial->q[i], "%s: %s", buf_cstr(&trial->text[i]),
		    bad.text);
	}
}

static void
put_trace(struct trial *trial, struct store *store, const struct trace *t,
    struct arena *arena)
{
	struct trace_view view;
	struct err err = { "" };
	struct str *documents =
	    arena_alloc(arena, t->n_documents * sizeof *documents + 1);
	struct store_trace s = { .id = { t->id_text, STORE_ID_SIZE },
		.start_ns = t->start_ns,
		.view = &view,
		.documents = documents,
		.n_documents = t->n_documents };

	for (size_t i = 0; i < t->n_documents; i++)
		documents[i] = t->documents[i].text;
	trace_view(&view, t, arena);
	cr_assert(store_add_trace(store, &s, &err) == 0, "%s", err.text);
	cr_assert(trial->n < TRACES_MAX);
	memcpy(trial->ids[trial->n], t->id_text, sizeof trial->ids[0]);
	for (size_t i = 0; i < EXPRESSIONS; i++)
		trial->found[trial->n][i] = query_eval(trial->q[i], &view);
	trial->n++;
}

static size_t
index_of(const struct trial *trial, struct str id)
{
	size_t i = 0;

	while (i < trial->n && memcmp(trial->ids[i], id.p, STORE_ID_SIZE) != 0)
		i++;
	cr_assert(i < trial->n, "an id that was never written");
	return i;
}

/* How many traces the expression finds, the same ones both ways. */
static size_t
compare(struct trial *trial, struct store *store, size_t i)
{
	bool by_sql[TRACES_MAX] = { false };
	struct store_where where = { .since_ns = WHEN_NONE,
		.until_ns = WHEN_NONE };
	struct buf clause = { 0 };
	struct store_row row;
	struct err err = { "" };
	size_t n = 0;
	int rc;

	cr_assert(query_sql(&clause, trial->q[i], &err) == 0, "%s", err.text);
	where.clause = buf_view(&clause);
	cr_assert(store_select(store, &where, false, &err) == 0, "%s",
	    err.text);
	for (rc = store_next(store, &row, &err); rc > 0;
	     rc = store_next(store, &row, &err)) {
		by_sql[index_of(trial, row.id)] = true;
		n++;
	}
	cr_assert(rc == 0, "%s", err.text);
	for (size_t k = 0; k < trial->n; k++)
		cr_expect(by_sql[k] == trial->found[k][i],
		    "%s: %s: SQL says %d", buf_cstr(&trial->text[i]),
		    trial->ids[k], by_sql[k]);
	buf_fini(&clause);
	return n;
}

Test(view, a_store_finds_what_the_evaluator_finds)
{
	char *paths[] = { demo, corpus };
	size_t n_paths = access(corpus, R_OK) == 0 ? 2 : 1;
	struct words *w = xcalloc(1, sizeof *w);
	struct trial *trial = xcalloc(1, sizeof *trial);
	struct arena arena = { 0 };
	struct err err = { "" };
	char path[128];
	struct traces *t = traces_of(paths, n_paths);
	const struct trace *trace;
	struct store *store;
	size_t some = 0;

	w->seed = UINT64_C(0x9e3779b97f4a7c15);
	for (trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		struct trace_view view;

		trace_view(&view, trace, &arena);
		learn_view(w, &view);
		arena_reset(&arena);
	}
	traces_close(t);
	expressions_make(trial, w);
	snprintf(path, sizeof path, "%s/view-%d.db",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	store = store_open(path, STORE_WRITE, &err);
	cr_assert(store, "%s", err.text);
	cr_assert(store_begin(store, &err) == 0);
	t = traces_of(paths, n_paths);
	for (trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		put_trace(trial, store, trace, &arena);
		arena_reset(&arena);
	}
	traces_close(t);
	cr_assert(store_commit(store, &err) == 0, "%s", err.text);
	for (size_t i = 0; i < EXPRESSIONS; i++) {
		size_t n = compare(trial, store, i);

		some += n > 0 && n < trial->n;
		query_free(trial->q[i]);
		buf_fini(&trial->text[i]);
	}
	/* Else the expressions say nothing. */
	cr_expect(some > EXPRESSIONS / 10, "%zu", some);
	store_close(store);
	unlink(path);
	arena_fini(&arena);
	arena_fini(&w->arena);
	free(w);
	free(trial);
}
