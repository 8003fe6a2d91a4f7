/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times of lines: every way to write one that a dialect uses, and which of
 * line, prefix and envelope counts.
 *
 * Nothing is parsed that nobody needs: a time without a zone is not looked at
 * when the envelope has one.  Lines of a day share its text, so a day is
 * parsed once and then recognised by its eleven bytes.
 */
#include "ingest/dialect.h"

/* hh:mm:ss as seconds, or -1. */
static int32_t
clock_seconds(const char *p)
{
	int32_t h;
	int32_t m;
	int32_t s;

	for (int i = 0; i < 8; i += 3)
		if (!scan_is_digit(p[i]) || !scan_is_digit(p[i + 1]))
			return -1;
	h = (p[0] - '0') * 10 + p[1] - '0';
	m = (p[3] - '0') * 10 + p[4] - '0';
	s = (p[6] - '0') * 10 + p[7] - '0';
	if (h > 23 || m > 59 || s > 60)
		return -1;
	return h * 3600 + m * 60 + s;
}

/* "[ ][+-]hhmm" as seconds east. */
static bool
zone_seconds(const char *p, int32_t *east)
{
	int32_t h;
	int32_t m;

	if (p[0] != ' ' || (p[1] != '+' && p[1] != '-'))
		return false;
	for (int i = 2; i < 6; i++)
		if (!scan_is_digit(p[i]))
			return false;
	h = (p[2] - '0') * 10 + p[3] - '0';
	m = (p[4] - '0') * 10 + p[5] - '0';
	if (h > 23 || m > 59)
		return false;
	*east = (h * 3600 + m * 60) * (p[1] == '-' ? -1 : 1);
	return true;
}

/* The midnight that the first eleven bytes name; the last one is kept. */
static bool
day_of(const char *p, struct day *day, int64_t *ns)
{
	char text[20] = "           :00:00:00";
	struct str s = { text, sizeof text };

	if (memcmp(p, day->text, sizeof day->text) == 0) {
		*ns = day->ns;
		return true;
	}
	memcpy(text, p, sizeof day->text);
	if (!when_clf(&s, ns))
		return false;
	memcpy(day->text, p, sizeof day->text);
	day->ns = *ns;
	return true;
}

/* A point and digits as nanoseconds. */
static bool
fraction(struct str s, int64_t *ns)
{
	static const int64_t powers[] = { 1, 10, 100, 1000, 10000, 100000,
		1000000, 10000000, 100000000 };
	int64_t v = 0;

	if (s.n < 2 || s.n > 10)
		return false;
	for (size_t i = 1; i < s.n; i++) {
		if (!scan_is_digit(s.p[i]))
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*ns = v * powers[10 - s.n];
	return true;
}

static bool
clf_shape(struct str text)
{
	return text.n >= 20 && text.p[2] == '/' && text.p[14] == ':' &&
	       text.p[17] == ':' && (text.p[11] == ':' || text.p[11] == ' ');
}

bool
dialect_time_clf(struct str text, struct day *day, struct stamp *t)
{
	struct str rest;
	int32_t seconds;
	int32_t east = 0;
	int64_t ns = 0;

	if (!clf_shape(text) || !day_of(text.p, day, &t->ns))
		return false;
	rest = str_from(text, 20);
	seconds = clock_seconds(text.p + 12);
	if (seconds < 0)
		return false;
	t->zoned = rest.n == 6 && zone_seconds(rest.p, &east);
	t->fine = rest.n > 0 && rest.p[0] == '.' && fraction(rest, &ns);
	if (rest.n > 0 && !t->zoned && !t->fine)
		return false;
	ns += (int64_t)(seconds - east) * NS_PER_SEC;
	return !__builtin_add_overflow(t->ns, ns, &t->ns);
}

bool
dialect_time_day(struct str text, struct day *day, struct stamp *t)
{
	int32_t seconds;
	int64_t ns = 0;

	if (text.n < 22 || text.n > 30 || text.p[text.n - 1] != 'Z' ||
	    text.p[19] != '.' || text.p[13] != ':' || text.p[16] != ':' ||
	    memcmp(text.p, day->iso, sizeof day->iso) != 0)
		return false;
	seconds = clock_seconds(text.p + 11);
	if (seconds < 0)
		return false;
	if (!fraction(str_sub(text, 19, text.n - 20), &ns))
		return false;
	ns += seconds * NS_PER_SEC;
	t->zoned = true;
	t->fine = true;
	return !__builtin_add_overflow(day->iso_ns, ns, &t->ns);
}

/* Keeps the day of a time that iso_time has read, for dialect_time_day. */
static void
iso_keep(struct str text, struct day *day)
{
	char copy[20] = "           00:00:00Z";
	struct str s = { copy, sizeof copy };

	if (text.p[text.n - 1] != 'Z' || text.p[10] != 'T')
		return;
	memcpy(copy, text.p, sizeof day->iso);
	if (!when_iso(&s, &day->iso_ns))
		return;
	memcpy(day->iso, text.p, sizeof day->iso);
}

/* 2018-11-27T08:47:55[.fraction][zone], all of it. */
static bool
iso_time(struct str text, struct stamp *t)
{
	struct str s = text;

	if (text.n < 19 || !when_iso(&s, &t->ns) || s.n != 0)
		return false;
	t->fine = text.n > 19 && (text.p[19] == '.' || text.p[19] == ',');
	t->zoned = text.p[text.n - 1] == 'Z' ||
		   str_find(str_from(text, 19), '+') != SIZE_MAX ||
		   str_find(str_from(text, 19), '-') != SIZE_MAX;
	return true;
}

static bool
w3c_time(struct str text, struct stamp *t)
{
	char copy[19];

	if (text.n != sizeof copy)
		return false;
	memcpy(copy, text.p, sizeof copy);
	copy[10] = 'T';
	if (!iso_time((struct str){ copy, sizeof copy }, t))
		return false;
	t->zoned = true;
	return true;
}

bool
dialect_time_any(struct str text, struct stamp *t)
{
	struct day day = { .ns = 0 };
	struct str s = text;
	struct str whole = text;
	uint64_t v;

	if (iso_time(text, t) || w3c_time(text, t) ||
	    dialect_time_clf(text, &day, t))
		return true;
	*t = (struct stamp){ WHEN_NONE, false, false };
	if (text.n == 24 && when_ctime(&s, &t->ns) && s.n == 0)
		return true;
	/* Epoch seconds, or milli-, micro-, nanoseconds by magnitude. */
	if (!str_u64(&whole, &v) || v < 100000000)
		return false;
	t->zoned = true;
	t->fine = v >= 100000000000 || whole.n > 1;
	if (v >= 100000000000000000)
		t->ns = (int64_t)(v <= INT64_MAX ? v : 0);
	else if (v >= 100000000000000)
		t->ns = (int64_t)v * 1000;
	else if (v >= 100000000000)
		return when_epoch_ms(text, &t->ns);
	else
		return when_epoch(text, &t->ns);
	return t->ns != 0 && whole.n == 0;
}

struct stamp
dialect_stamp(const struct stamp *own, const struct finish *f)
{
	int64_t envelope = f->event->ts_ns;

	if (own->ns != WHEN_NONE && own->zoned)
		return *own;
	if (f->prefix_ns != WHEN_NONE && f->prefix_zoned &&
	    (f->prefix_ns % NS_PER_SEC != 0 || envelope == WHEN_NONE))
		return (struct stamp){ f->prefix_ns, true,
			f->prefix_ns % NS_PER_SEC != 0 };
	if (envelope != WHEN_NONE)
		return (
		    struct stamp){ envelope, true, envelope % NS_PER_SEC != 0 };
	if (own->ns != WHEN_NONE)
		return *own;
	return (struct stamp){ f->prefix_ns, false,
		f->prefix_ns != WHEN_NONE && f->prefix_ns % NS_PER_SEC != 0 };
}

static bool
own_time(const struct dialect *d, const struct scan *s, struct day *day,
    struct stamp *t)
{
	struct str rest = s->time;

	switch (d->clock) {
	case CLOCK_CLF:
		return dialect_time_clf(s->time, day, t);
	case CLOCK_ISO:
		if (dialect_time_day(s->time, day, t))
			return true;
		if (!iso_time(s->time, t))
			return false;
		iso_keep(s->time, day);
		return true;
	case CLOCK_W3C:
		return w3c_time(s->time, t);
	case CLOCK_CTIME:
		*t = (struct stamp){ WHEN_NONE, false, false };
		return when_ctime(&rest, &t->ns) && rest.n == 0;
	case CLOCK_ANY:
		return dialect_time_any(s->time, t);
	case CLOCK_NONE:
		break;
	}
	return false;
}

/* A time that can have no zone, where the envelope's is better anyway. */
static bool
needless(const struct dialect *d, const struct scan *s)
{
	return d->clock == CLOCK_NONE || d->clock == CLOCK_CTIME ||
	       (d->clock == CLOCK_CLF && s->time.n != 26);
}

bool
dialect_time(const struct dialect *d, struct scan *s, const struct finish *f,
    struct record *r)
{
	struct stamp own = { WHEN_NONE, false, false };
	struct stamp t;
	bool starts = s->starts || (d->flags & DIALECT_STARTS);
	bool envelope = f->event->ts_ns != WHEN_NONE;

	if (s->time.n > 0 && !(envelope && needless(d, s)) &&
	    !own_time(d, s, f->day, &own)) {
		own.ns = WHEN_NONE;
		if (!envelope && f->prefix_ns == WHEN_NONE)
			return false;
	}
	if (own.ns != WHEN_NONE && starts && s->q->duration_ns > 0 &&
	    __builtin_add_overflow(own.ns, s->q->duration_ns, &own.ns))
		return false;
	t = dialect_stamp(&own, f);
	r->ts_ns = t.ns;
	s->q->end_ns = t.ns;
	s->q->grain = t.fine || t.ns == WHEN_NONE ? GRAIN_FINE : GRAIN_SECOND;
	return true;
}
