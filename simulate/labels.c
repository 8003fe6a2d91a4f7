/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What really happened, for scoring.
 *
 * labels.ndjson names every record that is more than a plain request: a health
 * check, what a health check caused ("cascade"), and the marks slow, not-found,
 * error and masked-failure; by file and line, and by trace for segments.
 * labels.json has the run, its services with their true counts, and the
 * incidents with where they struck, the rule and the cause that should be
 * found.
 */
#include <string.h>

#include "core/json.h"
#include "simulate/world.h"

static const char *const verdicts[] = {
	[VERDICT_CLIENT] = "client",
	[VERDICT_PROBE] = "probe",
	[VERDICT_CASCADE] = "cascade",
};

static void
put_marks(struct buf *b, const struct world *w, const struct request *r)
{
	json_key(b, "marks");
	buf_char(b, '[');
	if (r->task && w->now - r->begun > NS_PER_SEC) {
		json_item(b);
		json_put_str(b, STR("slow"));
	}
	if (r->status == 404) {
		json_item(b);
		json_put_str(b, STR("not-found"));
	}
	if (r->status >= 500) {
		json_item(b);
		json_put_str(b, STR("error"));
	}
	if (r->masked) {
		json_item(b);
		json_put_str(b, STR("masked-failure"));
	}
	buf_char(b, ']');
}

static void
label(struct world *w, const struct request *r, const char *path, uint64_t line)
{
	struct buf *b = &w->label;

	buf_reset(b);
	buf_char(b, '{');
	json_member_str(b, "path", str_of(path));
	json_member_i64(b, "line", (int64_t)line);
	json_member_str(b, "service", str_of(r->service->name));
	json_member_str(b, "class", str_of(verdicts[r->verdict]));
	put_marks(b, w, r);
	if (r->copied)
		json_member_bool(b, "copy", true);
	if (r->hit)
		json_member_str(b, "incident", str_of(r->hit->kind->name));
	if (r->sampled && r->service->sdk != SDK_NONE) {
		json_key(b, "trace_id");
		buf_char(b, '"');
		put_trace_id(b, r);
		buf_char(b, '"');
	}
	buf_char(b, '}');
	output_document(w->out, OUTPUT_LABELS, buf_view(b));
}

static bool
plain(const struct world *w, const struct request *r)
{
	return r->verdict == VERDICT_CLIENT && r->status < 500 &&
	       r->status != 404 && !r->masked && !r->hit &&
	       w->now - r->begun <= NS_PER_SEC;
}

void
label_request(struct world *w, const struct request *r, size_t stream,
    uint64_t line)
{
	if (line > 0 && output_labelled(w->out) && !plain(w, r))
		label(w, r, output_path(w->out, stream), line);
}

void
label_segment(struct world *w, const struct request *r, uint64_t line)
{
	if (output_labelled(w->out) && !plain(w, r))
		label(w, r, "xray/segments.ndjson", line);
}

static void
put_time(struct buf *b, const char *name, int64_t at)
{
	json_key(b, name);
	buf_char(b, '"');
	when_put(b, at, 3);
	buf_char(b, '"');
}

static void
put_services(struct buf *b, const struct world *w)
{
	json_key(b, "services");
	buf_char(b, '[');
	for (int i = 0; i < w->n_services; i++) {
		const struct service_counts *c = &w->counts[i];

		json_item(b);
		buf_char(b, '{');
		json_member_str(b, "name", str_of(w->services[i].name));
		json_member_i64(b, "requests", (int64_t)c->requests);
		json_member_i64(b, "probes", (int64_t)c->probes);
		json_member_i64(b, "cascade", (int64_t)c->cascade);
		json_member_i64(b, "not_found", (int64_t)c->not_found);
		json_member_i64(b, "errors", (int64_t)c->errors);
		json_member_i64(b, "slow", (int64_t)c->slow);
		json_member_i64(b, "segments", (int64_t)c->segments);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static const char failing[] = "server-error";

/* A slow GET is another rule's than a slow POST. */
static const char *
rule_of(const struct incident_kind *k, const struct route *route)
{
	return strcmp(k->rule, "slow-post") == 0 &&
		       strcmp(route->method, "GET") == 0
		   ? "slow-request"
		   : k->rule;
}

static void
put_place(struct buf *b, const struct service *s, const struct route *route,
    const char *rule)
{
	json_item(b);
	buf_char(b, '{');
	if (s)
		json_member_str(b, "service", str_of(s->name));
	if (route)
		json_member_str(b, "method", str_of(route->method));
	if (route)
		json_member_str(b, "route", str_of(route->shown));
	json_member_str(b, "rule", str_of(rule));
	buf_char(b, '}');
}

static bool
calls(const struct route *route, struct point at)
{
	for (const struct op *op = route->ops; op->kind != OP_END; op++)
		if (op->kind == OP_CALL && op->service == at.service &&
		    op->route == at.route)
			return true;
	return false;
}

/* Where it may show as well: in what calls the route, in the balancer's log,
 * which has every service's requests and no service's name. */
static void
put_also(struct buf *b, const struct world *w, const struct incident *i,
    const struct route *route)
{
	const struct incident_kind *k = i->kind;
	/* A fleet's services call those of their own row. */
	int n = w->n_services < w->workshop->n_services
		    ? w->n_services
		    : w->workshop->n_services;

	json_key(b, "also");
	buf_char(b, '[');
	/* Whoever waits for a task that hangs is slow, and fails. */
	if (k->effect == EFFECT_HANG) {
		put_place(b, NULL, NULL, failing);
		put_place(b, NULL, NULL, "slow-post");
		buf_char(b, ']');
		return;
	}
	for (int s = 0; s < n; s++)
		for (int r = 0; r < w->services[s].n_routes; r++) {
			const struct route *from = &w->services[s].routes[r];

			if (!route || !calls(from, i->at))
				continue;
			put_place(b, &w->services[s], from, rule_of(k, from));
			if (k->effect == EFFECT_THROTTLE)
				put_place(b, &w->services[s], from, failing);
		}
	/* A failure that is slow or masked is a failure there. */
	if (route && k->status >= 500 && strcmp(k->rule, failing) != 0)
		put_place(b, &w->services[i->at.service], route, failing);
	if (w->workshop->access_log)
		put_place(b, NULL, route, route ? rule_of(k, route) : k->rule);
	buf_char(b, ']');
}

static void
put_incident(struct buf *b, const struct world *w, const struct incident *i,
    int which)
{
	const struct incident_kind *k = i->kind;
	const struct service *s = &w->services[i->at.service];
	const struct route *route = &s->routes[i->at.route];
	const struct struck *struck = &i->struck[which];
	const char *rule = k->rule ? rule_of(k, route) : NULL;
	const char *cause = k->cause;
	/* Whose paths are nobody's route. */
	bool scan = k->effect == EFFECT_SCAN || k->effect == EFFECT_HAMMER;

	if (which == STRUCK_MISSING) {
		rule = "not-found";
		cause = "WARN: simulated 404 activated";
	}
	json_item(b);
	buf_char(b, '{');
	json_member_str(b, "kind", str_of(k->name));
	json_member_str(b, "class", str_of(k->rule ? "incident" : "decoy"));
	put_time(b, "start", i->start);
	put_time(b, "end", i->end);
	json_member_str(b, "service", str_of(s->name));
	if (!scan) {
		json_member_str(b, "method", str_of(route->method));
		json_member_str(b, "route", str_of(route->shown));
	}
	if (rule)
		json_member_str(b, "rule", str_of(rule));
	if (rule && k->where != AT_PROBES)
		put_also(b, w, i, scan ? NULL : route);
	if (cause)
		json_member_str(b, "cause", str_of(cause));
	/* koa prints no status, and the balancer's log has no probes. */
	if (k->where == AT_PROBES && s->dialect == DIALECT_KOA)
		json_member_bool(b, "invisible", true);
	json_member_i64(b, "affected", (int64_t)struck->n);
	json_member_i64(b, "total", (int64_t)i->total);
	if (struck->n > 0) {
		put_time(b, "first", struck->first);
		put_time(b, "last", struck->last);
	}
	buf_char(b, '}');
}

static void
put_incidents(struct buf *b, const struct world *w)
{
	json_key(b, "incidents");
	buf_char(b, '[');
	for (size_t n = 0; n < w->n_incidents; n++) {
		const struct incident *i = &w->incidents[n];

		put_incident(b, w, i, STRUCK_MAIN);
		/* Chaos is two things at once. */
		if (i->kind->effect == EFFECT_CHAOS)
			put_incident(b, w, i, STRUCK_MISSING);
	}
	buf_char(b, ']');
}

void
labels_write(struct world *w)
{
	struct buf b = { 0 };

	buf_char(&b, '{');
	json_member_str(&b, "schema", STR("telltale-labels/1"));
	json_member_str(&b, "workshop", str_of(w->workshop->name));
	json_key(&b, "seed");
	buf_u64(&b, w->options->seed);
	put_time(&b, "start", w->start);
	put_time(&b, "end", w->end);
	json_member_i64(&b, "lines", (int64_t)w->totals.lines);
	json_member_i64(&b, "segments", (int64_t)w->totals.segments);
	put_services(&b, w);
	put_incidents(&b, w);
	buf_cat(&b, "}\n");
	output_whole(w->out, "labels.json", buf_view(&b));
	buf_fini(&b);
}
