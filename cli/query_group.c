/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups of traces or requests: by key a count, its share, outcomes, average
 * and percentiles of the response time.  A trace with several keys (users)
 * counts in each; one without counts in the group of those without.
 *
 * Groups are kept in a hash table; what is printed is sorted by what was
 * asked and then by key, so that the order of traces does not show.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/query.h"
#include "cli/table.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/when.h"

struct group {
	char *key; /* NULL: of those without one */
	size_t n;
	uint64_t hash;
	uint64_t count, error, throttle, fault, timed;
	uint64_t sum_us; /* of response times */
	struct histogram latency;
};

struct query_groups_by {
	struct group *v;
	size_t n, cap;
	size_t *slots; /* of the hash table: index + 1 */
	size_t n_slots;
	uint64_t total;
};

struct query_groups_by *
query_groups_new(void)
{
	struct query_groups_by *g = xcalloc(1, sizeof *g);

	g->n_slots = 256;
	g->slots = xcalloc(g->n_slots, sizeof *g->slots);
	return g;
}

void
query_groups_free(struct query_groups_by *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].key);
		histogram_fini(&g->v[i].latency);
	}
	free(g->v);
	free(g->slots);
	free(g);
}

static bool
is_key(const struct group *g, uint64_t hash, const struct str *key)
{
	if (g->hash != hash || !g->key != !key)
		return false;
	return !key || str_eq((struct str){ g->key, g->n }, *key);
}

static size_t
slot_of(const struct query_groups_by *g, uint64_t hash, const struct str *key)
{
	size_t at = hash & (g->n_slots - 1);

	while (g->slots[at] && !is_key(&g->v[g->slots[at] - 1], hash, key))
		at = (at + 1) & (g->n_slots - 1);
	return at;
}

static void
slots_grow(struct query_groups_by *g)
{
	if (g->n * 2 < g->n_slots)
		return;
	free(g->slots);
	g->n_slots *= 2;
	g->slots = xcalloc(g->n_slots, sizeof *g->slots);
	for (size_t i = 0; i < g->n; i++) {
		size_t at = g->v[i].hash & (g->n_slots - 1);

		while (g->slots[at])
			at = (at + 1) & (g->n_slots - 1);
		g->slots[at] = i + 1;
	}
}

static struct group *
group_of(struct query_groups_by *g, const struct str *key)
{
	uint64_t hash = key ? hash64(*key) : 1;
	struct group *new;
	size_t at;

	slots_grow(g);
	at = slot_of(g, hash, key);
	if (g->slots[at])
		return &g->v[g->slots[at] - 1];
	g->v = xgrow(g->v, g->n + 1, &g->cap, sizeof *g->v);
	new = &g->v[g->n++];
	*new = (struct group){ .hash = hash };
	if (key) {
		new->key = xcalloc(key->n + 1, 1);
		new->n = key->n;
		if (key->n > 0)
			memcpy(new->key, key->p, key->n);
	}
	g->slots[at] = g->n;
	return new;
}

void
query_groups_put(struct query_groups_by *g, const struct str *key,
    const struct query_member *m)
{
	struct group *to = group_of(g, key);

	to->count++;
	to->error += (m->flags & VIEW_ERROR) != 0;
	to->throttle += (m->flags & VIEW_THROTTLE) != 0;
	to->fault += (m->flags & VIEW_FAULT) != 0;
	if (m->response_ns == VIEW_NONE || m->response_ns < 0)
		return;
	to->timed++;
	to->sum_us += (uint64_t)m->response_ns / 1000;
	histogram_add(&to->latency, m->response_ns);
}

void
query_groups_count(struct query_groups_by *g)
{
	g->total++;
}

/* Of what was timed, in nanoseconds; VIEW_NONE: nothing was. */
static int64_t
average_of(const struct group *g)
{
	return g->timed ? (int64_t)(g->sum_us / g->timed) * 1000 : VIEW_NONE;
}

static int64_t
quantile_of(const struct group *g, unsigned permille)
{
	return g->timed ? histogram_quantile(&g->latency, permille) : VIEW_NONE;
}

/* Who has no key stands behind those that have one. */
static int
key_cmp(const struct group *a, const struct group *b)
{
	if (!a->key || !b->key)
		return (a->key == NULL) - (b->key == NULL);
	return str_cmp((struct str){ a->key, a->n },
	    (struct str){ b->key, b->n });
}

static int
group_cmp(const void *pa, const void *pb, void *arg)
{
	const struct query_ask *ask = arg;
	const struct group *a = pa;
	const struct group *b = pb;
	int64_t x = average_of(a);
	int64_t y = average_of(b);
	int c = 0;

	if (ask->sort == SORT_AVERAGE)
		c = (x < y) - (x > y);
	else if (ask->sort != SORT_KEY)
		c = (a->count < b->count) - (a->count > b->count);
	if (c == 0)
		c = key_cmp(a, b);
	return ask->reverse ? -c : c;
}

static void
put_row(struct table *t, const struct query_groups_by *g,
    const struct query_ask *ask, const struct group *of)
{
	struct buf b = { 0 };

	if (of->key)
		term_text(&b, (struct str){ of->key, of->n }, ask->term->utf8);
	else
		buf_cat(&b, "(none)");
	table_cell(t, of->key ? PLAIN : DIM, buf_view(&b));
	table_count(t, PLAIN, of->count, "0");
	buf_reset(&b);
	put_percent(&b, share_ppm(of->count, g->total));
	table_cell(t, PLAIN, buf_view(&b));
	table_count(t, YELLOW, of->error, "0");
	table_count(t, RED, of->fault, "0");
	table_count(t, YELLOW, of->throttle, "0");
	table_span(t, average_of(of), ask->term->utf8);
	table_span(t, quantile_of(of, 500), ask->term->utf8);
	table_span(t, quantile_of(of, 900), ask->term->utf8);
	table_span(t, quantile_of(of, 990), ask->term->utf8);
	buf_fini(&b);
}

static void
print_table(const struct query_groups_by *g, const struct query_ask *ask,
    size_t n, const char *what, struct buf *out)
{
	static const struct table_column columns[] = {
		{ .head = "group", .flex = true },
		{ .head = "count", .right = true },
		{ .head = "share", .right = true },
		{ .head = "error", .right = true, .rank = 2 },
		{ .head = "fault", .right = true, .rank = 1 },
		{ .head = "throttle", .right = true, .rank = 5 },
		{ .head = "average", .right = true },
		{ .head = "p50", .right = true, .rank = 3 },
		{ .head = "p90", .right = true, .rank = 4 },
		{ .head = "p99", .right = true },
		{ .head = NULL },
	};
	struct table t = { .columns = columns };
	struct pen p = { .out = out, .term = ask->term };
	struct buf b = { 0 };

	for (size_t i = 0; i < n; i++)
		put_row(&t, g, ask, &g->v[i]);
	if (n > 0) {
		table_print(&t, &p, 0);
		pen_end(&p);
	}
	put_count(&b, g->total);
	buf_printf(&b, " %s in ", what);
	put_count(&b, g->n);
	buf_cat(&b, g->n == 1 ? " group" : " groups");
	if (n < g->n)
		buf_printf(&b, "; %zu are shown: see --limit", n);
	pen_put(&p, DIM, buf_view(&b));
	pen_end(&p);
	buf_fini(&b);
	table_fini(&t);
}

static const struct {
	const char *name;
	unsigned permille;
} quantiles[] = { { "p50", 500 }, { "p90", 900 }, { "p99", 990 } };

/* A share with six digits. */
static void
put_share(struct buf *out, uint64_t n, uint64_t total)
{
	int64_t ppm = share_ppm(n, total);

	buf_printf(out, "%" PRId64 ".%06" PRId64, ppm / 1000000, ppm % 1000000);
}

static void
put_object(const struct query_groups_by *g, const struct group *of,
    struct buf *out)
{
	buf_char(out, '{');
	if (of->key)
		json_member_str(out, "key", (struct str){ of->key, of->n });
	else
		buf_cat(out, "\"key\":null");
	json_member_i64(out, "count", (int64_t)of->count);
	json_key(out, "share");
	put_share(out, of->count, g->total);
	json_member_i64(out, "error", (int64_t)of->error);
	json_member_i64(out, "fault", (int64_t)of->fault);
	json_member_i64(out, "throttle", (int64_t)of->throttle);
	if (of->timed > 0) {
		json_key(out, "average");
		query_seconds(out, average_of(of));
	}
	for (size_t i = 0; of->timed > 0 && i < 3; i++) {
		json_key(out, quantiles[i].name);
		query_seconds(out, quantile_of(of, quantiles[i].permille));
	}
	buf_char(out, '}');
}

static void
put_csv(const struct query_groups_by *g, const struct group *of,
    struct buf *out)
{
	if (of->key)
		query_csv(out, (struct str){ of->key, of->n });
	buf_printf(out, ",%" PRIu64 ",", of->count);
	put_share(out, of->count, g->total);
	buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", of->error,
	    of->fault, of->throttle);
	query_seconds(out, average_of(of));
	for (size_t i = 0; i < 3; i++) {
		buf_char(out, ',');
		query_seconds(out, quantile_of(of, quantiles[i].permille));
	}
	buf_cat(out, "\r\n");
}

void
query_groups_print(struct query_groups_by *g, const struct query_ask *ask,
    const char *what, struct buf *out)
{
	struct query_ask by = *ask;
	size_t n = g->n < ask->limit ? g->n : (size_t)ask->limit;

	if (g->n > 1)
		qsort_r(g->v, g->n, sizeof *g->v, group_cmp, &by);
	if (ask->form == FORM_TABLE) {
		print_table(g, ask, n, what, out);
		return;
	}
	if (ask->form == FORM_JSON)
		buf_printf(out,
		    "{\"schema\":\"telltale/1\",\"command\":\"query\","
		    "\"matched\":%" PRIu64 ",\"groups\":[",
		    g->total);
	if (ask->form == FORM_CSV)
		buf_cat(out, "group,count,share,error,fault,throttle,average,"
			     "p50,p90,p99\r\n");
	for (size_t i = 0; i < n; i++) {
		if (ask->form == FORM_CSV) {
			put_csv(g, &g->v[i], out);
			continue;
		}
		if (ask->form == FORM_JSON)
			json_item(out);
		put_object(g, &g->v[i], out);
		if (ask->form == FORM_NDJSON)
			buf_char(out, '\n');
	}
	if (ask->form == FORM_JSON)
		buf_cat(out, "]}\n");
}

static void
put_users(struct query_groups_by *g, const struct trace_view *v,
    const struct query_member *m)
{
	const struct view_texts *users = &v->lists[VIEW_USERS];

	for (size_t i = 0; i < users->n; i++)
		query_groups_put(g, &users->v[i], m);
	if (users->n == 0)
		query_groups_put(g, NULL, m);
}

static void
put_annotations(struct query_groups_by *g, const struct trace_view *v,
    struct str key, const struct query_member *m)
{
	const struct view_annotations *all = &v->trace.annotations;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (!str_eq(all->v[i].key, key))
			continue;
		query_groups_put(g, &all->v[i].text, m);
		n++;
	}
	if (n == 0)
		query_groups_put(g, NULL, m);
}

/* "fault: like service > mysfits: ValueError": the way, and the last one's
 * exception, or its entity when time is the cause. */
static void
cause_text(struct buf *b, const char *kind, const struct view_cause *c)
{
	const struct view_cause_service *last = NULL;
	const struct view_entity *e;

	buf_printf(b, "%s: ", kind);
	for (size_t i = 0; i < c->n_services; i++) {
		last = &c->services[i];
		buf_cat(b, i ? " > " : "");
		buf_str(b, last->name);
	}
	if (!last || last->n_entities == 0)
		return;
	e = &last->entities[last->n_entities - 1];
	buf_cat(b, ": ");
	buf_str(b, e->n_exceptions ? e->exceptions[0].name : e->name);
}

static void
put_causes(struct query_groups_by *g, const struct trace_view *v,
    const struct query_member *m)
{
	static const char *const kinds[VIEW_CAUSES] = { "fault", "error",
		"responsetime" };
	struct buf b = { 0 };
	size_t n = 0;

	for (int k = 0; k < VIEW_CAUSES; k++)
		for (size_t i = 0; i < v->causes[k].n; i++, n++) {
			struct str key;

			buf_reset(&b);
			cause_text(&b, kinds[k], &v->causes[k].v[i]);
			key = buf_view(&b);
			query_groups_put(g, &key, m);
		}
	if (n == 0)
		query_groups_put(g, NULL, m);
	buf_fini(&b);
}

static void
put_text(struct query_groups_by *g, struct str text,
    const struct query_member *m)
{
	query_groups_put(g, text.n > 0 ? &text : NULL, m);
}

/* Whether a service of that name, which is no client, stands before. */
static bool
named_before(const struct trace_view *v, size_t i)
{
	struct str name = v->services[i].name;

	while (i-- > 0)
		if (!(v->services[i].flags & VIEW_CLIENT) &&
		    str_eq(v->services[i].name, name))
			return true;
	return false;
}

/* Every service of the trace once. */
static void
put_services(struct query_groups_by *g, const struct trace_view *v,
    const struct query_member *m)
{
	for (size_t i = 0; i < v->n_services; i++)
		if (!(v->services[i].flags & VIEW_CLIENT) &&
		    !named_before(v, i))
			query_groups_put(g, &v->services[i].name, m);
}

static void
put_trace(struct query_groups_by *g, const struct query_ask *ask,
    const struct query_trace *t)
{
	const struct view_part *p = t->part;
	const struct query_member m = { p->responsetime_ns, p->flags };
	struct buf status = { 0 };

	query_groups_count(g);
	switch (ask->by) {
	case BY_URL:
		put_text(g, p->url, &m);
		break;
	case BY_USER:
		put_users(g, t->view, &m);
		break;
	case BY_METHOD:
		put_text(g, p->method, &m);
		break;
	case BY_STATUS:
		if (p->status != VIEW_NONE)
			buf_i64(&status, p->status);
		put_text(g, buf_view(&status), &m);
		break;
	case BY_CLIENT:
		put_text(g, p->client, &m);
		break;
	case BY_SERVICE:
		put_services(g, t->view, &m);
		break;
	case BY_CAUSE:
		put_causes(g, t->view, &m);
		break;
	case BY_ANNOTATION:
		put_annotations(g, t->view, ask->by_key, &m);
		break;
	case BY_NOTHING:
		break;
	}
	buf_fini(&status);
}

int
query_group(const struct query_ask *ask)
{
	bool whole = ask->by == BY_USER || ask->by == BY_SERVICE ||
		     ask->by == BY_CAUSE || ask->by == BY_ANNOTATION;
	struct query_groups_by *g;
	struct buf out = { 0 };
	struct query_source *s;
	struct query_trace t;
	int status = STATUS_OK;

	s = query_source_open(ask, whole, &status);
	if (!s)
		return status;
	g = query_groups_new();
	while (query_source_next(s, &t))
		put_trace(g, ask, &t);
	status = query_source_close(s);
	if (query_prints(status)) {
		int printed;

		query_groups_print(g, ask, g->total == 1 ? "trace" : "traces",
		    &out);
		printed = query_finish(&out, g->total);
		if (printed > STATUS_FOUND || status == STATUS_OK)
			status = printed;
	}
	query_groups_free(g);
	buf_fini(&out);
	return status;
}
