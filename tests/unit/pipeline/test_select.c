/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces that are passed over because of their root alone are none that match:
 * of real archives, and of documents that say what a root is in odd ways.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"
#include "pipeline/traces.h"
#include "pipeline/view.h"

static char corpus[] = "../shared/corpus/xray";
static char demo[] = "demo/like-service/xray";

/* Behind id, name and times; an odd number stands for the trace. */
static const char *const odd[] = {
	",\"http\":{\"request\":{\"method\":\"POST\"},\"response\":"
	"{\"status\":500}}",
	",\"http\":{\"response\":{\"status\":500}}",
	",\"http\":{\"request\":7,\"response\":{\"status\":404}}",
	",\"http\":{\"response\":{\"status\":\"500\"}}",
	",\"http\":{\"response\":{\"status\":500.5}}",
	",\"http\":{\"response\":{\"status\":5}}",
	",\"http\":{\"response\":{\"status\":429}}",
	",\"http\":{\"response\":{\"status\":500}},\"fault\":false",
	",\"http\":{\"response\":{\"status\":200}},\"error\":true",
	",\"http\":{\"response\":{\"status\":500}},\"error\":\"true\"",
	",\"throttle\":true",
	",\"http\":[]",
	",\"http\":{\"request\":{\"method\":\"PO\\u0053T\","
	"\"url\":\"http:\\/\\/x\\/a\",\"user_agent\":\"-\"}}",
	",\"http\":{\"request\":{\"client_ip\":\"192.0.2.1\","
	"\"x_forwarded_for\":true}}",
	",\"http\":{\"request\":{\"client_ip\":\"192.0.2.1\"}}",
	",\"http\":{\"request\":{\"method\":\"GET\"},\"request\":"
	"{\"method\":\"POST\"}}",
	",\"inferred\":true,\"http\":{\"request\":{\"method\":\"POST\"}}",
	",\"type\":\"subsegment\",\"parent_id\":\"00000000000000aa\","
	"\"http\":{\"request\":{\"method\":\"POST\"}}",
	",\"parent_id\":\"00000000000000aa\",\"http\":{\"request\":"
	"{\"method\":\"POST\"}}",
	",\"parent_id\":\"\",\"http\":{\"request\":{\"method\":\"POST\"}}",
	",\"parent_id\":null,\"fault\":true",
	",\"parent_id\":\"0000000000000001\",\"fault\":true",
};

static const char *const expressions[] = {
	"http.method = \"POST\"",
	"http.method = \"GET\" AND service(\"odd\")",
	"http.status = 500",
	"http.status != 500",
	"http.status < 100",
	"http.status >= 400 AND !fault",
	"fault",
	"error",
	"error AND throttle",
	"ok",
	"ok = false",
	"responsetime > 0.5",
	"responsetime <= 0.01",
	"responsetime > 0.5 OR fault",
	"!(responsetime > 0.5)",
	"duration > 0.5 AND ok",
	"http.url BEGINSWITH \"http://x/\"",
	"http.url CONTAINS \"api\" AND http.method = \"POST\"",
	"http.clientip = \"192.0.2.1\"",
	"http.useragent = \"-\"",
	"user = \"5M388M1E\" AND ok",
	"service(\"random-name\") { fault } AND http.status = 200",
	"partial AND http.method = \"POST\"",
	"annotation.x = 1 OR http.method = \"POST\"",
	"",
};

static void
write_odd(char *path, size_t size)
{
	const char *dir = getenv("TMPDIR");
	size_t n = sizeof odd / sizeof *odd;
	FILE *f;

	snprintf(path, size, "%s/select-XXXXXX", dir ? dir : "/tmp");
	f = fdopen(mkstemp(path), "w");
	cr_assert(f);
	for (size_t i = 0; i < n; i++) {
		const char *end = i % 4 == 3 ? ",\"in_progress\":true" : "";
		char time[32];

		snprintf(time, sizeof time, ",\"end_time\":%zu.%zu",
		    1543309800 + i, i % 10);
		fprintf(f,
		    "{\"id\":\"%016zx\",\"name\":\"odd\","
		    "\"start_time\":%zu.1%s,\"trace_id\":"
		    "\"1-5bfd0a00-%024zx\"%s}\n",
		    i + 1, 1543309800 + i, *end ? end : time, i, odd[i]);
	}
	fclose(f);
}

struct answer {
	uint64_t hash; /* of the ids that match */
	size_t found, given, seen;
};

static struct answer
ask_within(char **paths, size_t n, const struct query *q, bool select,
    size_t budget_bytes)
{
	struct replay_options replay;
	struct replay_progress progress = { 0 };
	struct traces_options o = { .replay = &replay,
		.assemble = assemble_defaults,
		.select = select ? q : NULL,
		.budget_bytes = budget_bytes };
	struct answer a = { 0 };
	struct arena arena = { 0 };
	struct err err = { "" };
	const struct trace *trace;
	struct traces *t;

	replay_options_init(&replay);
	replay.threads = 1;
	t = traces_open(&o, paths, n, &progress, &err);
	cr_assert(t, "%s", err.text);
	for (trace = traces_next(t, &err); trace;
	     trace = traces_next(t, &err)) {
		struct trace_view view;

		a.given++;
		trace_view(&view, trace, &arena);
		if (!query_eval(q, &view))
			continue;
		a.hash = hash64_mix(a.hash, hash64(str_of(trace->id_text)));
		for (size_t i = 0; i < trace->n_documents; i++)
			a.hash = hash64_mix(a.hash,
			    hash64(trace->documents[i].text));
		a.found++;
	}
	cr_expect(!err.text[0], "%s", err.text);
	a.seen = traces_result(t)->traces;
	traces_close(t);
	arena_fini(&arena);
	return a;
}

static struct answer
ask(char **paths, size_t n, const struct query *q, bool select)
{
	return ask_within(paths, n, q, select, 0);
}

Test(select, nothing_that_matches_is_passed_over)
{
	char path[128];
	char *paths[] = { path, corpus, demo };
	size_t passed = 0;

	write_odd(path, sizeof path);
	for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
		struct query_error bad;
		struct query *q =
		    query_parse(str_of(expressions[i]), NULL, &bad);
		struct answer all, some;

		cr_assert(q, "%s: %s", expressions[i], bad.text);
		all = ask(paths, 3, q, false);
		some = ask(paths, 3, q, true);
		cr_expect(all.hash == some.hash && all.found == some.found,
		    "%s: %zu found, %zu of those selected", expressions[i],
		    all.found, some.found);
		cr_expect(all.seen == some.seen, "%s", expressions[i]);
		passed += all.given - some.given;
		query_free(q);
	}
	cr_expect(passed > 0);
	unlink(path);
}

#define CALLS ((size_t)400)

/* Front segments in one file, what they called in another, that one twice. */
static void
write_calls(char *path, size_t size, bool called, const char *begin)
{
	const char *dir = getenv("TMPDIR");
	FILE *f;

	snprintf(path, size, "%s/select-XXXXXX", dir ? dir : "/tmp");
	f = fdopen(mkstemp(path), "w");
	cr_assert(f);
	fputs(begin, f);
	for (size_t i = 0; i < (called ? 2 * CALLS : CALLS); i++) {
		size_t trace = i % CALLS;

		fprintf(f,
		    "{\"id\":\"%015zx%d\",\"name\":\"%s\","
		    "\"start_time\":%zu.1,\"end_time\":%zu.5,\"trace_id\":"
		    "\"1-5bfd0a00-%024zx\",%s\"http\":{\"request\":"
		    "{\"method\":\"%s\"}}}%s\n",
		    trace + 1, called, called ? "back" : "front",
		    1543309800 + trace, 1543309800 + trace, trace,
		    called ? "\"parent_id\":\"00000000000000aa\"," : "",
		    trace % 3 == 0 ? "POST" : "GET", trace % 2 ? "\r" : "");
	}
	fclose(f);
}

Test(select, what_is_left_in_its_file_is_read_when_it_is_wanted)
{
	static const char *const begins[] = { "", "\xef\xbb\xbf", "\n\n" };
	static const size_t budgets[] = { 0, 20000, 1 };
	struct query_error bad;
	struct query *q =
	    query_parse(STR("http.method = \"POST\""), NULL, &bad);

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		char front[128], back[128];
		char *paths[] = { back, front };
		struct answer all;

		write_calls(front, sizeof front, false, begins[i]);
		write_calls(back, sizeof back, true, begins[i]);
		all = ask(paths, 2, q, false);
		cr_expect(all.found == (CALLS + 2) / 3);
		for (size_t k = 0; k < sizeof budgets / sizeof *budgets; k++) {
			struct answer some =
			    ask_within(paths, 2, q, true, budgets[k]);

			cr_expect(some.hash == all.hash &&
				      some.found == all.found &&
				      some.seen == all.seen,
			    "begin %zu, budget %zu", i, budgets[k]);
		}
		unlink(front);
		unlink(back);
	}
	query_free(q);
}

Test(select, a_file_that_changed_meanwhile_is_named)
{
	struct query_error bad;
	struct query *q =
	    query_parse(STR("http.method = \"POST\""), NULL, &bad);
	char front[128], back[128];
	char *paths[] = { back, front };
	struct replay_options replay;
	struct replay_progress progress = { 0 };
	struct traces_options o = { .replay = &replay,
		.assemble = assemble_defaults,
		.select = q };
	struct err err = { "" };
	struct traces *t;

	write_calls(front, sizeof front, false, "");
	write_calls(back, sizeof back, true, "");
	replay_options_init(&replay);
	t = traces_open(&o, paths, 2, &progress, &err);
	cr_assert(t, "%s", err.text);
	cr_assert(truncate(back, 100) == 0);
	cr_expect(!traces_next(t, &err));
	cr_expect(strstr(err.text, back) && strstr(err.text, "changed"), "%s",
	    err.text);
	traces_close(t);
	unlink(front);
	unlink(back);
	query_free(q);
}
