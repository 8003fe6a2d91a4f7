/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scans: a likelihood ratio over first contacts.
 *
 * After the threshold random walk of Jung, Paxson, Berger and Balakrishnan
 * (IEEE S&P 2004): a client that looks for what may be there fails at 95 in a
 * hundred paths that it asks for the first time, one that follows links at 30
 * at most.  Of f paths that failed and s that were answered in 24 hours:
 *
 *	LLR = f ln(0.95/0.30) + s ln(0.05/0.70) > h: an alarm
 *
 * which is 12 failures without a success; every answered path is worth 2.3
 * failures, so that a crawler with 40 % dead links stays negative.  The sum
 * does not depend on the order.  The same over requests instead of paths, in
 * one hour and over at most three paths, is the client that hammers a missing
 * file.
 *
 * Only misses are kept one by one.  Whom to suspect is seen in a first round: a
 * count-min sketch (Cormode and Muthukrishnan 2005) of misses by service,
 * client and day, which is never too low; 12 in two days make a suspect of the
 * day.  What suspects were answered is kept by the hour as a count and as a
 * bitmap of 64 bits, which gives the number of different paths by linear
 * counting (Whang, Vander-Zanden and Taylor 1990) up to 266; then it is the
 * count, which is never too low either.
 *
 *	          0                        23 0             h
 *	suspect  |h|h|h|…   day before   |h|h|…   day     |h|
 *	              └────────── 24 hours ─────────────────┘
 *
 * First contacts are told by one Bloom filter for all.  It errs by calling a
 * path old, a sketch by suspecting too many; neither makes a false alarm.
 *
 * A finding ends a day after its last failure, or when the client is no
 * suspect any more; a client has one at a time, and what it asks for then is
 * in no surge.
 */
#include "analyzers/scan.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/bloom.h"
#include "analyzers/glr.h"
#include "analyzers/saturate.h"
#include "analyzers/scan_found.h"
#include "analyzers/surge.h"
#include "core/hash.h"
#include "core/mem.h"

#define HOUR_NS (3600 * NS_PER_SEC)

enum {
	HOURS = 24,
	SUSPECTS_MAX = 4096,
	SLOTS = SUSPECTS_MAX * 2,
	SUSPECT_LEAST = 12, /* misses in two days */
	SKETCH_ROWS = 2,
	SKETCH = 1 << 16,
	HAMMER_PATHS = 3,
	FAIL_MICRO = 1152680, /* ln(0.95/0.30) */
	PASS_MICRO = 2639057, /* -ln(0.05/0.70) */
	SURGE_QUIET = 20,     /* minutes without: the surge is over */
};

struct hour {
	uint64_t paths; /* answered: bitmap */
	uint32_t answered;
	uint32_t failed;  /* first contacts */
	int64_t first_ns; /* of failed */
};

/* The requests for missing paths in the present hour. */
struct hammer {
	int64_t hour;
	uint32_t n, n_paths; /* HAMMER_PATHS + 1: too many */
	uint64_t paths[HAMMER_PATHS];
	struct scan_mark first;
};

/* One suspect's day. */
struct suspect {
	uint64_t client;
	int64_t day;
	uint32_t service;
	uint32_t found; /* number + 1 of its last finding; 0: none */
	struct hour hours[HOURS];
	struct hammer hammer;
	struct scan_mark marks[FINDING_PATHS]; /* the day's first failures */
	int n_marks;
	bool unread;      /* not all of its answers are known, */
	bool unconfirmed; /* and they matter */
};

struct place_of_service {
	struct surge surge;
	uint32_t found; /* number + 1 of the open surge; 0: none */
	int64_t hot_ns;
};

struct scan {
	struct judge_settings settings;
	const struct scan_service *services;
	uint8_t sketch[2][SKETCH_ROWS][SKETCH]; /* by parity of the day */
	int64_t day;                            /* of the newest half */
	bool started;
	struct suspect *slots[SLOTS];
	size_t n_suspects;
	uint64_t n_unconfirmed;
	struct bloom seen;
	struct place_of_service **places; /* by service; NULL: no miss */
	size_t n_places;
	struct founds found;
};

static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t q = a / b;

	return q * b > a ? q - 1 : q;
}

static int64_t
hour_of(int64_t ns)
{
	return floor_div(ns, HOUR_NS);
}

const struct rule rule_not_found_scan = {
	.presets = { [THRESHOLD_JUDGE] = 1, [THRESHOLD_G] = GLR_LEVEL_MILLI },
};

void
scan_service_init(struct scan_service *s, struct str name, int64_t first_ns,
    const struct judge_settings *settings)
{
	const struct judged scan = { .rule = "not-found-scan",
		.service = name };
	const struct judged surge = { .rule = "not-found-surge",
		.service = name };

	*s = (struct scan_service){ .name = name, .first_ns = first_ns };
	thresholds_of(&settings->thresholds, &scan, &s->scan);
	thresholds_of(&settings->thresholds, &surge, &s->surge);
}

struct scan *
scan_new(const struct judge_settings *settings,
    const struct scan_service *services)
{
	struct scan *s = xcalloc(1, sizeof *s);

	s->settings = *settings;
	s->services = services;
	return s;
}

void
scan_free(struct scan *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		free(s->slots[i]);
	for (size_t i = 0; i < s->n_places; i++)
		free(s->places[i]);
	free(s->places);
	founds_fini(&s->found);
	free(s);
}

static uint64_t
who(uint32_t service, uint64_t client)
{
	return hash64_mix(client, service);
}

/* The slot of a suspect's day, or the empty one where it belongs. */
static struct suspect **
suspect_slot(struct scan *s, uint32_t service, uint64_t client, int64_t day)
{
	size_t i =
	    hash64_mix(who(service, client), (uint64_t)day) & (SLOTS - 1);

	while (s->slots[i] &&
	       (s->slots[i]->client != client || s->slots[i]->day != day ||
		   s->slots[i]->service != service))
		i = (i + 1) & (SLOTS - 1);
	return &s->slots[i];
}

static void
suspect_add(struct scan *s, uint32_t service, uint64_t client, int64_t day)
{
	struct suspect **slot = suspect_slot(s, service, client, day);

	if (*slot || s->n_suspects == SUSPECTS_MAX)
		return;
	*slot = xcalloc(1, sizeof **slot);
	**slot = (struct suspect){ .client = client,
		.day = day,
		.service = service };
	s->n_suspects++;
}

/* The newest two days of the sketch. */
static void
sketch_turn(struct scan *s, int64_t day)
{
	if (s->started && day == s->day)
		return;
	if (!s->started || day != s->day + 1)
		memset(s->sketch, 0, sizeof s->sketch);
	memset(s->sketch[day & 1], 0, sizeof s->sketch[0]);
	s->day = day;
	s->started = true;
}

void
scan_suspect(struct scan *s, const struct scan_miss *m)
{
	int64_t day = floor_div(hour_of(m->ts_ns), HOURS);
	uint64_t hash = who(m->service, m->client);
	uint32_t least = UINT32_MAX;
	uint32_t today = UINT32_MAX;

	if (m->client == 0)
		return;
	sketch_turn(s, day);
	for (int r = 0; r < SKETCH_ROWS; r++) {
		size_t at = hash >> 16 * r & (SKETCH - 1);
		uint8_t *n = &s->sketch[day & 1][r][at];
		uint32_t before = s->sketch[~day & 1][r][at];
		uint32_t sum = add_u32(*n, m->n);

		*n = sum > UINT8_MAX ? UINT8_MAX : (uint8_t)sum;
		today = sum < today ? sum : today;
		least = sum + before < least ? sum + before : least;
	}
	if (least < SUSPECT_LEAST)
		return;
	suspect_add(s, m->service, m->client, day);
	if (today < SUSPECT_LEAST)
		suspect_add(s, m->service, m->client, day - 1);
}

/* Whether the day has a part of the span. */
static bool
in_span(const struct suspect *d, int64_t first_ns, int64_t last_ns)
{
	return d && d->day >= floor_div(hour_of(first_ns), HOURS) &&
	       d->day <= floor_div(hour_of(last_ns), HOURS);
}

bool
scan_suspects(const struct scan *s, int64_t first_ns, int64_t last_ns)
{
	for (size_t i = 0; s->n_suspects > 0 && i < SLOTS; i++)
		if (in_span(s->slots[i], first_ns, last_ns))
			return true;
	return false;
}

void
scan_unread(struct scan *s, int64_t first_ns, int64_t last_ns)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (in_span(s->slots[i], first_ns, last_ns))
			s->slots[i]->unread = true;
}

void
scan_answered(struct scan *s, const struct scan_answer *a)
{
	int64_t hour = hour_of(a->ts_ns);
	int64_t day = floor_div(hour, HOURS);
	struct suspect *d = *suspect_slot(s, a->service, a->client, day);
	struct hour *h;

	if (!d)
		return;
	h = &d->hours[hour - day * HOURS];
	h->paths |= UINT64_C(1) << (a->path >> 58);
	h->answered = add_u32(h->answered, 1);
}

/* Thousandths of nats, of f failures and s successes in thousandths. */
static int64_t
likelihood(uint64_t failed, uint64_t passed_milli)
{
	const uint64_t most = 1000000000;

	if (failed > most)
		failed = most;
	if (passed_milli > most * 1000)
		passed_milli = most * 1000;
	return ((int64_t)(failed * FAIL_MICRO) -
		   (int64_t)(passed_milli * (PASS_MICRO / 1000))) /
	       1000;
}

/* What was answered in the hour, once. */
static void
found_hour(struct found *f, const struct suspect *d, int64_t hour)
{
	const struct hour *h = &d->hours[hour - d->day * HOURS];

	if (f->hour >= hour)
		return;
	f->hour = hour;
	f->paths |= h->paths;
	f->answered += h->answered;
}

/* The 24 hours up to one of this day. */
struct window {
	const struct suspect *days[2]; /* the day before, or NULL; the day */
	int64_t hour;
	uint64_t failed, paths, answered;
	int64_t first_ns;
	int64_t first_hour;
};

static void
window_sum(struct window *w)
{
	for (int64_t at = w->hour - HOURS + 1; at <= w->hour; at++) {
		const struct suspect *d =
		    w->days[at >= w->days[1]->day * HOURS];
		const struct hour *h;

		if (!d)
			continue;
		h = &d->hours[at - d->day * HOURS];
		w->paths |= h->paths;
		w->answered += h->answered;
		w->failed += h->failed;
		if (h->failed > 0 && w->first_ns == WHEN_NONE) {
			w->first_ns = h->first_ns;
			w->first_hour = at;
		}
	}
}

static struct found *
found_of_client(struct scan *s, struct suspect *d, const struct scan_miss *m)
{
	struct found *f = d->found ? &s->found.v[d->found - 1] : NULL;

	if (f)
		return f;
	f = founds_new(&s->found, &d->found);
	f->service = m->service;
	f->client = m->client;
	f->hour = INT64_MIN;
	f->detected_ns = f->end_ns = m->ts_ns;
	return f;
}

/* A client that scans; it may have hammered before. */
static void
scan_open(struct scan *s, struct suspect *d, const struct window *w,
    const struct scan_miss *m)
{
	struct found *f = found_of_client(s, d, m);
	uint64_t passed = found_paths_milli(w->paths, w->answered);

	f->test = TEST_SCAN;
	f->onset_ns = f->n_marks > 0 && f->onset_ns < w->first_ns ? f->onset_ns
								  : w->first_ns;
	f->failed = w->failed;
	f->misses = w->failed;
	f->g_milli = likelihood(w->failed, passed);
	f->window_failed = w->failed;
	f->window_total = w->failed + (passed + 500) / 1000;
	f->window_ns = f->detected_ns - f->onset_ns;
	f->hour = INT64_MIN;
	for (int64_t at = w->first_hour; at <= w->hour; at++) {
		const struct suspect *day =
		    w->days[at >= w->days[1]->day * HOURS];

		if (day)
			found_hour(f, day, at);
	}
	for (int k = 0; k < 2; k++)
		for (int i = 0; w->days[k] && i < w->days[k]->n_marks; i++)
			if (w->days[k]->marks[i].ts_ns >= f->onset_ns)
				found_mark(f, &w->days[k]->marks[i]);
}

/* Whether an alarm is none, since not all answers of the days are known. */
static bool
is_unconfirmed(struct scan *s, struct suspect *d, const struct suspect *old)
{
	if (!d->unread && !(old && old->unread))
		return false;
	s->n_unconfirmed += !d->unconfirmed;
	d->unconfirmed = true;
	return true;
}

static void
hammer_add(struct hammer *h, const struct scan_miss *m,
    const struct scan_mark *mark)
{
	int64_t hour = hour_of(m->ts_ns);
	uint32_t i = 0;

	if (h->hour != hour || h->n == 0)
		*h = (struct hammer){ .hour = hour, .first = *mark };
	h->n = add_u32(h->n, m->n);
	while (i < h->n_paths && i < HAMMER_PATHS && h->paths[i] != m->path)
		i++;
	if (i < h->n_paths)
		return;
	if (i < HAMMER_PATHS)
		h->paths[i] = m->path;
	h->n_paths = i + 1;
}

/* What a client's likelihood is above when it has a finding. */
static int64_t
scan_level(const struct scan *s, const struct scan_miss *m)
{
	return s->services[m->service].scan.v[THRESHOLD_G];
}

/* A client that hammers. */
static void
hammer_look(struct scan *s, struct suspect *d, const struct scan_miss *m)
{
	const struct hammer *h = &d->hammer;
	uint64_t answered = d->hours[h->hour - d->day * HOURS].answered;
	int64_t g = likelihood(h->n, answered * 1000);
	int64_t level = scan_level(s, m);
	struct found *f;

	if (h->n_paths > HAMMER_PATHS || g <= level ||
	    is_unconfirmed(s, d, NULL))
		return;
	f = found_of_client(s, d, m);
	f->test = TEST_HAMMER;
	f->onset_ns = h->first.ts_ns;
	f->failed = h->n_paths;
	f->misses = h->n;
	f->g_milli = g;
	f->window_failed = h->n;
	f->window_total = h->n + answered;
	f->window_ns = f->detected_ns - f->onset_ns;
	found_hour(f, d, h->hour);
	found_mark(f, &h->first);
}

/* One more miss of a client that has a finding. */
static void
found_add(struct found *f, const struct suspect *d, const struct scan_miss *m,
    const struct scan_mark *mark, bool fresh)
{
	f->end_ns = m->ts_ns;
	f->misses += m->n;
	f->failed += fresh;
	found_hour(f, d, hour_of(m->ts_ns));
	found_mark(f, mark);
}

/* A new path; true: the client scans. */
static bool
scan_look(struct scan *s, struct suspect *d, const struct suspect *old,
    const struct scan_miss *m)
{
	struct window w = { .days = { old, d },
		.hour = hour_of(m->ts_ns),
		.first_ns = WHEN_NONE };

	window_sum(&w);
	if (likelihood(w.failed, found_paths_milli(w.paths, w.answered)) <=
		scan_level(s, m) ||
	    is_unconfirmed(s, d, old))
		return false;
	scan_open(s, d, &w, m);
	surge_take_back(&s->places[m->service]->surge,
	    (uint32_t)s->found.v[d->found - 1].failed);
	return true;
}

/* A suspect's miss is noted; true: the client asks for the path at first. */
static bool
suspect_add_miss(struct scan *s, struct suspect *d, const struct scan_miss *m,
    const struct scan_mark *mark)
{
	struct hour *h = &d->hours[hour_of(m->ts_ns) - d->day * HOURS];

	hammer_add(&d->hammer, m, mark);
	if (!bloom_add(&s->seen,
		hash64_mix(who(m->service, m->client), m->path)))
		return false;
	if (h->failed++ == 0)
		h->first_ns = m->ts_ns;
	if (d->n_marks < FINDING_PATHS)
		d->marks[d->n_marks++] = *mark;
	return true;
}

/* A finding of the day before goes on. */
static void
suspect_inherit(const struct scan *s, struct suspect *d,
    const struct suspect *old, int64_t ts_ns)
{
	if (old && d->found == 0 && old->found > 0 &&
	    ts_ns - s->found.v[old->found - 1].end_ns < HOURS * HOUR_NS)
		d->found = old->found;
}

/* A client's miss; true: it is of a finding. */
static bool
suspect_judge(struct scan *s, const struct scan_miss *m,
    const struct scan_mark *mark)
{
	int64_t day = floor_div(hour_of(m->ts_ns), HOURS);
	struct suspect *d = *suspect_slot(s, m->service, m->client, day);
	struct suspect *old = *suspect_slot(s, m->service, m->client, day - 1);
	struct found *f;
	bool fresh;

	if (!d)
		return false;
	suspect_inherit(s, d, old, m->ts_ns);
	fresh = suspect_add_miss(s, d, m, mark);
	f = d->found ? &s->found.v[d->found - 1] : NULL;
	if (f)
		found_add(f, d, m, mark, fresh);
	if (f && f->test == TEST_SCAN)
		return true;
	if ((!fresh || !scan_look(s, d, old, m)) && !f)
		hammer_look(s, d, m);
	return d->found > 0;
}

static struct place_of_service *
place_of(struct scan *s, const struct scan_miss *m)
{
	if (m->service >= s->n_places) {
		size_t n = s->n_places ? s->n_places : 16;

		while (n <= m->service)
			n *= 2;
		s->places = xrealloc(s->places, n, sizeof s->places[0]);
		memset(s->places + s->n_places, 0,
		    (n - s->n_places) * sizeof s->places[0]);
		s->n_places = n;
	}
	if (!s->places[m->service]) {
		s->places[m->service] =
		    xcalloc(1, sizeof *s->places[m->service]);
		s->places[m->service]->surge.first = floor_div(
		    s->services[m->service].first_ns, 60 * NS_PER_SEC);
	}
	return s->places[m->service];
}

static void
surge_end(struct scan *s, struct place_of_service *p)
{
	struct found *f = &s->found.v[p->found - 1];

	f->open = false;
	surge_close(&p->surge, f->onset_ns, f->end_ns);
	p->found = 0;
}

/* A new path on a route that was never answered, of nobody with a finding. */
static void
surge_judge(struct scan *s, struct place_of_service *p,
    const struct scan_miss *m, const struct scan_mark *mark)
{
	const struct gates *gates = &s->services[m->service].surge;
	uint32_t least = (uint32_t)gates->v[THRESHOLD_COUNT];
	struct surge_alarm a;
	struct found *f;

	if (p->found && m->ts_ns - p->hot_ns > SURGE_QUIET * 60 * NS_PER_SEC)
		surge_end(s, p);
	surge_add(&p->surge, mark, p->found ? SURGE_OUT : SURGE_BASE);
	if (p->found) {
		f = &s->found.v[p->found - 1];
		f->failed++;
		if (surge_recent(&p->surge) < least / 3)
			return;
		p->hot_ns = f->end_ns = m->ts_ns;
		return;
	}
	if (!surge_alarm(&p->surge, gates, &a))
		return;
	f = founds_new(&s->found, &p->found);
	f->test = TEST_SURGE;
	f->service = m->service;
	f->onset_ns = a.onset_ns;
	f->end_ns = f->detected_ns = p->hot_ns = m->ts_ns;
	f->failed = f->window_failed = f->window_total = a.k;
	f->before = a.before;
	f->window_ns = a.window_ns;
	f->before_ns = a.before_ns;
	f->lambda_milli = a.lambda_milli;
	f->g_milli = a.g_milli;
	for (uint32_t i = 0; i < SURGE_MARKS; i++) {
		const struct scan_mark *one =
		    &p->surge.marks[(p->surge.n_marks + i) % SURGE_MARKS];

		if (one->path != 0 && one->ts_ns >= a.onset_ns)
			found_mark(f, one);
	}
	surge_open(&p->surge);
}

void
scan_judge(struct scan *s, const struct scan_miss *m)
{
	struct place_of_service *p = place_of(s, m);
	const struct scan_mark mark = { m->ts_ns, m->path, m->example };
	bool of_client =
	    m->client != 0 && s->n_suspects > 0 && suspect_judge(s, m, &mark);

	if (!m->known &&
	    bloom_add(&s->seen, hash64_mix(m->path, ~(uint64_t)m->service)) &&
	    !of_client)
		surge_judge(s, p, m, &mark);
}

uint64_t
scan_unconfirmed(const struct scan *s)
{
	return s->n_unconfirmed;
}

void
scan_end(struct scan *s, int64_t last_ns, struct findings *out)
{
	founds_write(&s->found, s->services, &s->settings, last_ns, out);
}

void
scan_lines(const struct scan *s, uint64_t *last)
{
	founds_lines(&s->found, last);
}

void
scan_text(struct scan *s, uint64_t hash, struct str text, struct findings *out)
{
	founds_text(&s->found, hash, text, out);
}

void
scan_finish(struct scan *s, struct findings *out)
{
	founds_finish(&s->found, out);
}
