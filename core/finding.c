/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings: their memory, their order, and the sentence that says them.
 */
#include "core/finding.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/when.h"

static const char *const severities[SEVERITIES] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_CRITICAL] = "critical",
};

static const char *const kinds[CAUSE_KINDS] = {
	[CAUSE_LINE] = "line",
	[CAUSE_CALL] = "call",
	[CAUSE_PLACE] = "place",
	[CAUSE_ONSET] = "onset",
	[CAUSE_ELSEWHERE] = "elsewhere",
};

const char *
cause_kind_name(enum cause_kind k)
{
	return kinds[k];
}

const char *
severity_name(enum severity s)
{
	return severities[s];
}

bool
severity_of(struct str name, enum severity *s)
{
	for (int i = 0; i < SEVERITIES; i++) {
		if (!str_eq(name, str_of(severities[i])))
			continue;
		*s = (enum severity)i;
		return true;
	}
	return false;
}

char *
finding_text(struct str s)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i])
			buf_char(&b, s.p[i]);
		else
			buf_cat(&b, "%00");
	}
	buf_char(&b, '\0');
	return b.p;
}

void
finding_fini(struct finding *f)
{
	free(f->service);
	free(f->route);
	for (size_t i = 0; i < f->n_besides; i++)
		free(f->besides[i]);
	free(f->client);
	for (int i = 0; i < FINDING_PATHS; i++)
		free(f->paths[i]);
	for (int i = 0; i < f->n_causes; i++) {
		free(f->causes[i].text);
		free(f->causes[i].template_text);
		free(f->causes[i].service);
	}
	free(f->hidden.service);
	free(f->hidden.route);
	free(f->silence.target);
	*f = (struct finding){ 0 };
}

struct finding *
findings_add(struct findings *f)
{
	f->v = xgrow(f->v, f->n + 1, &f->cap, sizeof(f->v[0]));
	f->v[f->n] = (struct finding){ 0 };
	return &f->v[f->n++];
}

void
findings_remove(struct findings *f, size_t i)
{
	finding_fini(&f->v[i]);
	f->n--;
	memmove(&f->v[i], &f->v[i + 1], (f->n - i) * sizeof(f->v[0]));
}

void
findings_fini(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		finding_fini(&f->v[i]);
	free(f->v);
	*f = (struct findings){ 0 };
}

/* NULL before any text. */
static int
text_cmp(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* The id is last, so that the order is total. */
static int
finding_cmp(const void *pa, const void *pb)
{
	const struct finding *a = pa;
	const struct finding *b = pb;
	int c;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	c = text_cmp(a->rule, b->rule);
	if (c == 0)
		c = text_cmp(a->service, b->service);
	if (c == 0)
		c = (a->method > b->method) - (a->method < b->method);
	if (c == 0)
		c = text_cmp(a->route, b->route);
	if (c == 0)
		c = text_cmp(a->client, b->client);
	return c ? c : memcmp(a->id, b->id, sizeof(a->id));
}

void
findings_sort(struct findings *f)
{
	if (f->n > 1)
		qsort(f->v, f->n, sizeof(f->v[0]), finding_cmp);
}

/* "POST /a of like service", with what there is. */
static void
put_subject(struct buf *b, const struct finding *f)
{
	if (f->method != METHOD_NONE) {
		buf_cat(b, method_name(f->method));
		buf_char(b, ' ');
	}
	if (f->route) {
		buf_cat(b, f->route);
		buf_cat(b, " of ");
	}
	buf_cat(b, f->service ? f->service : "an unknown service");
}

/* The pattern, with '~' and '#' as the header says. */
static void
put_pattern(struct buf *b, const struct finding *f, const char *pattern,
    bool utf8)
{
	for (; *pattern; pattern++) {
		if (*pattern == '~') {
			when_put_span(b, f->over_ns, utf8);
		} else if (*pattern == '#') {
			buf_u64(b, f->bad);
			buf_cat(b, " of ");
			buf_u64(b, f->total);
		} else {
			buf_char(b, *pattern);
		}
	}
}

void
finding_unit(struct buf *b, const struct finding *f, bool utf8)
{
	if (f->unit)
		put_pattern(b, f, f->unit, utf8);
}

/* "answered 404 in 116 of 504 requests (23.0 %)" */
static void
put_counts(struct buf *b, const struct finding *f, bool utf8)
{
	int64_t tenths = (f->value_ppm + 500) / 1000; /* of a per cent */

	if (tenths >= 1000 && f->bad < f->total)
		tenths = 999;
	buf_cat(b, f->relative ? " was slower than usual: it " : " ");
	put_pattern(b, f, f->phrase ? f->phrase : "was bad in # cases", utf8);
	buf_cat(b, " (");
	buf_i64(b, tenths / 10);
	buf_char(b, '.');
	buf_i64(b, tenths % 10);
	buf_cat(b, " %)");
}

/* "07:06:00", or with the date when the finding is not of one day. */
static void
put_time(struct buf *b, int64_t ns, bool dated)
{
	struct buf text = { 0 };
	struct str s;

	when_put(&text, ns, 0); /* 2018-11-27T08:47:55Z */
	s = buf_view(&text);
	if (dated) {
		buf_str(b, str_sub(s, 0, 10));
		buf_char(b, ' ');
	}
	buf_str(b, str_sub(s, 11, 8));
	buf_fini(&text);
}

static void
put_span(struct buf *b, const struct finding *f)
{
	int64_t day = 24 * 3600 * NS_PER_SEC;
	bool dated = f->end_ns / day != f->start_ns / day;

	buf_cat(b, " from ");
	put_time(b, f->start_ns, dated);
	if (f->open) {
		buf_cat(b, " on");
		return;
	}
	buf_cat(b, " to ");
	put_time(b, f->end_ns, dated);
}

/* "; before, 0 of 409", with the mean latencies of a rule that has them. */
static void
put_before(struct buf *b, const struct finding *f, bool utf8)
{
	if (f->after_ns >= 0) {
		buf_cat(b, ", ");
		when_put_span(b, f->after_ns, utf8);
		buf_cat(b, " on average");
	}
	if (f->base_total == 0) {
		buf_cat(b, "; there is nothing before to compare with");
		return;
	}
	buf_cat(b, "; before, ");
	buf_u64(b, f->base_bad);
	buf_cat(b, " of ");
	buf_u64(b, f->base_total);
	if (f->before_ns >= 0 && f->after_ns >= 0) {
		buf_cat(b, ", ");
		when_put_span(b, f->before_ns, utf8);
	}
}

/* "; so did 60 of 60 health checks" */
static void
put_along(struct buf *b, const struct finding *f)
{
	if (!f->along)
		return;
	buf_cat(b, "; so did ");
	buf_u64(b, f->along_bad);
	buf_cat(b, " of ");
	buf_u64(b, f->along_total);
	buf_char(b, ' ');
	buf_cat(b, f->along);
}

/*
 * "; hidden from users, as POST /mysfits/{id}/like of like service answered 2xx
 * or 3xx in 46 of 46 of these"
 */
static void
put_hidden(struct buf *b, const struct hidden *h)
{
	if (!h->service)
		return;
	buf_cat(b, "; hidden, as ");
	buf_cat(b, method_name(h->method));
	buf_char(b, ' ');
	buf_cat(b, h->route);
	buf_cat(b, " of ");
	buf_cat(b, h->service);
	buf_printf(b, " answered 2xx or 3xx in %u of %u of these", h->bad,
	    h->total);
}

/*
 * "; 3f2a was silent: the last of 59 probes, every 10.0 s from each of 2, came
 * at 10:14:20, 24 are missing; 2 others of the service went on"
 */
static void
put_silence(struct buf *b, const struct finding_silence *s)
{
	if (!s->target)
		return;
	buf_cat(b, "; ");
	buf_cat(b, s->target);
	buf_printf(b, " was silent: the last of %llu probes, every %lld.%lld s",
	    (unsigned long long)s->probes,
	    (long long)((s->period_ms + 50) / 1000),
	    (long long)((s->period_ms + 50) / 100 % 10));
	if (s->probers > 1)
		buf_printf(b, " from each of %u", s->probers);
	buf_cat(b, ", came at ");
	put_time(b, s->last_ns, false);
	buf_printf(b, ", %llu are missing", (unsigned long long)s->missing);
	if (s->targets > 1)
		buf_printf(b, "; so were %u more", s->targets - 1);
	buf_printf(b,
	    s->siblings ? "; %u other%s of the service went on"
			: "; %u other target%s of its prober went on",
	    s->others, s->others == 1 ? "" : "s");
}

static void
put_quoted(struct buf *b, const char *text, bool utf8)
{
	buf_cat(b, utf8 ? "“" : "\"");
	buf_cat(b, text);
	buf_cat(b, utf8 ? "”" : "\"");
}

/*
 * "; co-occurs with “stress function activated” in 69 of 85 of these and 0 of
 * 23 others": what is seen together, and no word of why.
 */
static void
put_cause(struct buf *b, const struct cause *c, bool utf8)
{
	const char *text = c->text ? c->text : c->template_text;

	if (!text)
		return;
	if (c->kind == CAUSE_ONSET) {
		buf_cat(b, "; ");
		put_quoted(b, text, utf8);
		buf_cat(b, " was logged for the first time ");
		when_put_span(b, c->lag_ms * 1000000, utf8);
		buf_cat(b, " before the first of them");
		return;
	}
	if (c->kind == CAUSE_ELSEWHERE) {
		buf_printf(b, "; %s began to log ", c->service);
		put_quoted(b, text, utf8);
		buf_printf(b, " then, %u times", c->a);
		return;
	}
	buf_cat(b, "; co-occurs with ");
	if (c->kind == CAUSE_PLACE)
		buf_cat(b, text);
	else
		put_quoted(b, text, utf8);
	buf_printf(b, " in %u of %llu of these and %u of %llu others", c->a,
	    (unsigned long long)c->a + c->b, c->c,
	    (unsigned long long)c->c + c->d);
}

/* "340 paths that are not there", with the right number. */
static void
put_missing(struct buf *b, uint64_t n, const char *what)
{
	buf_u64(b, n);
	buf_char(b, ' ');
	buf_cat(b, what);
	buf_cat(b,
	    n == 1 ? "path that is not there" : "paths that are not there");
}

/*
 * "198.51.100.23 asked like service for 340 paths that are not there, 0 were
 * answered, from 10:02:10 to 10:04:40.", or how often for some.
 */
static void
put_scan(struct buf *b, const struct finding *f)
{
	uint64_t good = f->total - f->bad;

	buf_cat(b, f->client ? f->client : "an unknown client");
	buf_cat(b, " asked ");
	buf_cat(b, f->service ? f->service : "an unknown service");
	if (f->test == TEST_HAMMER) {
		buf_printf(b, " %llu times", (unsigned long long)f->bad);
		buf_cat(b, " for ");
		put_missing(b, (uint64_t)f->n_paths, "");
	} else {
		buf_cat(b, " for ");
		put_missing(b, f->bad, "");
	}
	buf_cat(b, ", ");
	buf_u64(b, good);
	buf_cat(b, f->test == TEST_HAMMER ? " other" : "");
	buf_cat(b, good == 1 ? " was answered," : " were answered,");
	put_span(b, f);
	buf_char(b, '.');
}

/* "like service was asked for 60 new paths that are not there from 10:02:10 to
 * 10:04:40; in the 2 h before, for 3." */
static void
put_surge(struct buf *b, const struct finding *f, bool utf8)
{
	buf_cat(b, f->service ? f->service : "an unknown service");
	buf_cat(b, " was asked for ");
	put_missing(b, f->bad, "new ");
	put_span(b, f);
	buf_cat(b, "; in the ");
	when_put_span(b, f->base_ns, utf8);
	buf_cat(b, " before, for ");
	buf_u64(b, f->base_bad);
	buf_char(b, '.');
}

void
finding_sentence(struct buf *b, const struct finding *f, bool utf8)
{
	if (f->test == TEST_SURGE) {
		put_surge(b, f, utf8);
		return;
	}
	if (f->test != TEST_RATIO) {
		put_scan(b, f);
		return;
	}
	put_subject(b, f);
	put_counts(b, f, utf8);
	put_span(b, f);
	put_before(b, f, utf8);
	put_along(b, f);
	put_hidden(b, &f->hidden);
	put_silence(b, &f->silence);
	if (f->n_causes > 0)
		put_cause(b, &f->causes[0], utf8);
	buf_char(b, '.');
}
