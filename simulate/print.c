/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs print: access lines by dialect, their own lines by shape.
 *
 * A line is built in the stream's own buffer; only Container Insights' JSON
 * costs a copy.  No printf where every request passes.
 */
#include <string.h>

#include "core/json.h"
#include "simulate/world.h"

enum { DASHES = 80 };

static const char *const levels[] = {
	[LEVEL_INFO] = "INFO",
	[LEVEL_WARNING] = "WARNING",
	[LEVEL_ERROR] = "ERROR",
};

/* Up to three digits without leading zeros; returns behind them. */
static char *
small(char *p, uint32_t v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

void
put_ip(struct buf *b, uint32_t ip)
{
	char *from = buf_room(b, 16);
	char *p = small(from, ip >> 24);

	for (int shift = 16; shift >= 0; shift -= 8) {
		*p++ = '.';
		p = small(p, ip >> shift & 255);
	}
	b->n += (size_t)(p - from);
}

uint32_t
ip_of(const char *text)
{
	struct str rest = str_of(text);
	uint32_t ip = 0;
	uint64_t v;

	while (str_u64(&rest, &v)) {
		ip = ip << 8 | (uint32_t)v;
		rest = str_from(rest, 1);
	}
	return ip;
}

/* Of a moment: 2018-11-27 08:47:55 */
static void
put_blank_iso(struct buf *b, const struct moment *m)
{
	buf_put(b, m->iso, 10);
	buf_char(b, ' ');
	buf_put(b, m->iso + 11, 8);
}

static void
put_ms(struct buf *b, int64_t at)
{
	uint32_t ms = (uint32_t)(at / NS_PER_MS % 1000);

	buf_char(b, (char)('0' + ms / 100));
	buf_char(b, (char)('0' + ms / 10 % 10));
	buf_char(b, (char)('0' + ms % 10));
}

/* A line of a task: its buffer, with what comes before the text. */
static struct buf *
open_line(struct world *w, struct task *t)
{
	struct buf *b = output_begin(w->out, t->stream, w->now);

	if (!t->service->wrapped)
		return b;
	buf_reset(&w->text);
	return &w->text;
}

/* Its number; 0: it is lost. */
static uint64_t
close_line(struct world *w, struct task *t)
{
	struct buf *b;

	if (incidents_lose(w)) {
		output_drop(w->out, t->stream);
		return 0;
	}
	w->totals.lines++;
	if (!t->service->wrapped)
		return output_end(w->out, t->stream);
	buf_char(&w->text, '\n');
	b = output_again(w->out, t->stream);
	buf_cat(b, "{\"log\":");
	json_put_str(b, buf_view(&w->text));
	buf_cat(b, ",\"stream\":\"stdout\",\"time\":\"");
	when_put(b, w->now, 9);
	buf_str(b, buf_view(&t->wrap));
	return output_end(w->out, t->stream);
}

void
print_line(struct world *w, struct task *t, const char *text, struct str at)
{
	struct chance pin =
	    chance_stream(w->options->seed, (UINT64_C(7) << 56) | t->ordinal);
	struct buf *b = open_line(w, t);

	if (text[0] == '[' && (text[1] == ',' || text[1] == ' ')) {
		buf_char(b, '[');
		put_blank_iso(b, output_moment(w->out, w->now));
		if (text[1] == ',') {
			buf_char(b, ',');
			put_ms(b, w->now);
		} else {
			buf_char(b, ' ');
		}
		text += 2;
	}
	for (; *text; text++) {
		if (*text == '@')
			buf_str(b, at);
		else if (*text == '#')
			buf_printf(b, "%03u-%03u-%03u",
			    chance_below(&pin, 1000), chance_below(&pin, 1000),
			    chance_below(&pin, 1000));
		else
			buf_char(b, *text);
	}
	close_line(w, t);
}

static void
say_old(struct world *w, struct task *t, enum say_level level, int line,
    const char *text)
{
	const char *module = t->service->module;
	char dashes[DASHES + 1];

	memset(dashes, '-', DASHES);
	dashes[DASHES] = '\0';
	buf_cat(open_line(w, t), dashes);
	close_line(w, t);
	buf_printf(open_line(w, t), "%s in %s [%s.py:%d]:", levels[level],
	    module, module, line);
	close_line(w, t);
	buf_cat(open_line(w, t), text);
	close_line(w, t);
	buf_cat(open_line(w, t), dashes);
	close_line(w, t);
}

void
print_say(struct world *w, struct task *t, enum say_level level, int line,
    const char *text)
{
	enum say_shape shape = t->service->say;
	struct buf *b;

	if (shape == SAY_FLASK_OLD) {
		say_old(w, t, level, line, text);
		return;
	}
	b = open_line(w, t);
	if (shape != SAY_PLAIN) {
		buf_char(b, '[');
		put_blank_iso(b, output_moment(w->out, w->now));
	}
	if (shape == SAY_FLASK) {
		buf_char(b, ',');
		put_ms(b, w->now);
		buf_cat(b, "] ");
		buf_cat(b, levels[level]);
		buf_cat(b, " in ");
		buf_cat(b, t->service->module);
		buf_cat(b, ": ");
	} else if (shape == SAY_GUNICORN) {
		buf_cat(b, " +0000] [8] [");
		buf_cat(b, levels[level]);
		buf_cat(b, "] ");
	}
	buf_cat(b, text);
	close_line(w, t);
}

/* METHOD path HTTP/1.1 */
static void
put_request(struct buf *b, const struct request *r)
{
	buf_cat(b, r->method);
	buf_char(b, ' ');
	buf_put(b, r->path, (size_t)r->path_n);
	buf_cat(b, " HTTP/1.1");
}

/* ip - - [date, `joint` between day and time */
static void
put_head(struct buf *b, const struct request *r, const struct moment *m,
    char joint)
{
	char *p;

	put_ip(b, r->peer);
	p = buf_room(b, 32);
	memcpy(p, " - - [", 6);
	memcpy(p + 6, m->clf, 20);
	p[17] = joint;
	b->n += 26;
}

/* Werkzeug 2.0's table, by status. */
static const char *
colour(int status)
{
	if (status == 404)
		return "\033[33m";
	if (status >= 500)
		return "\033[35m\033[1m";
	if (status >= 400)
		return "\033[31m\033[1m";
	if (status == 304)
		return "\033[36m";
	return status >= 300 ? "\033[32m" : "";
}

static void
put_werkzeug(struct buf *b, const struct request *r, const struct moment *m)
{
	bool plain = r->service->dialect == DIALECT_WERKZEUG_INFO;
	const char *on = plain ? "" : colour(r->status);

	if (plain)
		buf_cat(b, "INFO:werkzeug:");
	put_head(b, r, m, ' ');
	buf_cat(b, "] \"");
	buf_cat(b, on);
	put_request(b, r);
	if (on[0])
		buf_cat(b, "\033[0m");
	buf_cat(b, "\" ");
	buf_u64(b, (uint64_t)r->status);
	buf_cat(b, " -");
}

static void
put_common(struct buf *b, const struct request *r, const struct moment *m)
{
	put_head(b, r, m, ':');
	buf_cat(b, " +0000] \"");
	put_request(b, r);
	buf_cat(b, "\" ");
	buf_u64(b, (uint64_t)r->status);
	buf_char(b, ' ');
	if (r->bytes > 0 || r->service->dialect != DIALECT_COMMON)
		buf_u64(b, (uint64_t)r->bytes);
	else
		buf_char(b, '-');
}

static void
put_combined(struct buf *b, const struct request *r, const struct moment *m)
{
	put_common(b, r, m);
	buf_cat(b, " \"-\" \"");
	buf_cat(b, r->agent);
	buf_char(b, '"');
	if (r->service->dialect != DIALECT_NGINX)
		return;
	buf_cat(b, " \"");
	if (r->verdict == VERDICT_PROBE || r->direct)
		buf_char(b, '-');
	else
		put_ip(b, r->client);
	buf_char(b, '"');
}

/* Rack's: seconds with four digits behind the size. */
static void
put_rack(struct world *w, struct buf *b, const struct request *r)
{
	uint64_t t = (uint64_t)(w->now - r->begun) / 100000;
	uint64_t rest = t % 10000;

	put_head(b, r, output_moment(w->out, w->now), ' ');
	buf_cat(b, "] \"");
	put_request(b, r);
	buf_cat(b, "\" ");
	buf_u64(b, (uint64_t)r->status);
	buf_char(b, ' ');
	buf_u64(b, (uint64_t)r->bytes);
	buf_char(b, ' ');
	buf_u64(b, t / 10000);
	buf_char(b, '.');
	for (uint64_t d = 1000; d > 0; d /= 10)
		buf_char(b, (char)('0' + rest / d % 10));
}

static void
put_access(struct world *w, struct buf *b, const struct request *r)
{
	const struct moment *m = output_moment(w->out, w->now);

	switch (r->service->dialect) {
	case DIALECT_WERKZEUG:
	case DIALECT_WERKZEUG_TWICE:
	case DIALECT_WERKZEUG_INFO:
		put_werkzeug(b, r, m);
		break;
	case DIALECT_COMMON:
		put_common(b, r, m);
		break;
	case DIALECT_GUNICORN:
	case DIALECT_COMBINED:
	case DIALECT_NGINX:
		put_combined(b, r, m);
		break;
	case DIALECT_RACK:
		put_rack(w, b, r);
		break;
	case DIALECT_KOA:
		buf_cat(b, r->method);
		buf_char(b, ' ');
		buf_put(b, r->path, (size_t)r->path_n);
		buf_cat(b, " - ");
		buf_i64(b, (w->now - r->begun) / NS_PER_MS);
		break;
	case DIALECTS:
		break;
	}
}

static void
print_failure(struct world *w, const struct request *r)
{
	struct buf at = { 0 };

	buf_put(&at, r->path, (size_t)r->path_n);
	if (r->service->say != SAY_GUNICORN)
		buf_printf(&at, " [%s]", r->method);
	for (const char *const *l = r->service->failure; l && *l; l++)
		print_line(w, r->task, *l, buf_view(&at));
	buf_fini(&at);
}

void
print_access(struct world *w, struct request *r)
{
	struct task *t = r->task;
	bool failure = r->failed && r->status == 500;
	uint64_t line;

	if (failure && !r->service->failure_after)
		print_failure(w, r);
	put_access(w, open_line(w, t), r);
	line = close_line(w, t);
	label_request(w, r, t->stream, line);
	if (r->service->dialect == DIALECT_WERKZEUG_TWICE) {
		/* Its first log call of its own makes the root handler. */
		t->handler |= r->route != &r->service->routes[0];
		if (t->handler) {
			struct buf *b = open_line(w, t);

			buf_cat(b, "INFO:werkzeug:");
			put_access(w, b, r);
			r->copied = true;
			label_request(w, r, t->stream, close_line(w, t));
		}
	}
	if (failure && r->service->failure_after)
		print_failure(w, r);
}

static void
put_seconds(struct buf *b, int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;

	buf_i64(b, ms / 1000);
	buf_printf(b, ".%03d", (int)(ms % 1000));
}

/* An answer of a task, or of the balancer itself. */
static void
put_outcome(struct buf *b, const struct request *r, int64_t took)
{
	if (r->task) {
		buf_cat(b, " 0.000 ");
		put_seconds(b, took);
		buf_printf(b, " 0.000 %d %d", r->status, r->status);
	} else if (r->status == 504) {
		buf_cat(b, " 0.000 -1 -1 504 -");
	} else {
		buf_printf(b, " -1 -1 -1 %d -", r->status);
	}
}

/* The fields of an ALB's access log up to the conn_trace_id of 2024. */
void
print_balancer(struct world *w, const struct request *r)
{
	const char *host = w->workshop->host;
	struct chance id = r->chance;
	struct buf *b;
	uint64_t trace;

	if (!w->workshop->access_log)
		return;
	trace = chance_next(&id);
	b = output_begin(w->out, w->balancer, w->now);
	buf_cat(b, "http ");
	when_put(b, w->now, 6);
	buf_cat(b, " app/demo/50dc6c495c0c9188 ");
	put_ip(b, r->client);
	buf_printf(b, ":%u ", 1024 + chance_below(&id, 60000));
	if (r->task)
		put_ip(b, r->task->ip);
	buf_cat(b, r->task ? ":3000" : "-");
	put_outcome(b, r, w->now - r->begun);
	buf_printf(b, " 118 %d \"%s http://%s:80%.*s HTTP/1.1\" \"%s\" - - ",
	    r->bytes + 140, r->method, host, r->path_n, r->path, r->agent);
	buf_printf(b,
	    "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/"
	    "%s/73e2d6bc24d8a067 \"Root=1-",
	    r->service->module);
	put_hex(b, (uint64_t)(r->sent / NS_PER_SEC), 8);
	buf_char(b, '-');
	put_hex(b, trace, 16);
	put_hex(b, chance_next(&id), 8);
	buf_printf(b, "\" \"-\" \"-\" %d ",
	    1 + (int)(r->service - w->services));
	when_put(b, r->sent, 6);
	buf_cat(b, " \"forward\" \"-\" \"-\" \"");
	if (r->task) {
		put_ip(b, r->task->ip);
		buf_printf(b, ":3000\" \"%d\"", r->status);
	} else {
		buf_cat(b, "-\" \"-\"");
	}
	buf_cat(b, " \"-\" \"-\"");
	w->totals.lines++;
	label_request(w, r, w->balancer, output_end(w->out, w->balancer));
}
