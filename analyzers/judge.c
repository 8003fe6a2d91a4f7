/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The judge: one sequential test for everything that is a ratio.
 *
 * Every rule and entity has a series of (n, bad) by 10 s.  At each of its
 * cells that has something bad, eight windows that end there (10, 20, 30 s, 1,
 * 2, 5, 15 and 60 min) are held against the baseline, which is everything
 * before the window up to 24 h back:
 *
 *	 24 h ───────────── baseline ────────────┬──────── window ────────┐
 *	                                         │   good  ▲bad bad … bad │
 *	                                                 onset           cell
 *
 * p0 = (K + m·prior)/(N + m), G as in glr.c; the windows are in alarm.c.  A
 * window alarms when its ratio passes the rule's gates and G > h; of several
 * the one with the largest G decides, of equals the shorter.  P(K ≥ k) ≤ e^-G
 * (Chernoff), so that h = ln 10^6 bounds false alarms by 8,640 × 8 × 10^-6 =
 * 0.07 a day and key, and in fact by far less, the windows being nested and the
 * gates on top.  Five windows (the reference's) took 140 s for the 404s of the
 * demo, eight take 90 s.  A cell with nothing bad is no evidence against
 * anybody and decides nothing.
 *
 * The onset is the suffix of the deciding window with the largest likelihood
 * ratio, each suffix having its own ratio (the GLR's inner maximum): dropping
 * a good cell from the head always increases it, a stray early bad one does
 * not pull the onset forward.
 *
 * From the onset on, the cells belong to the finding: they are taken out of
 * the series, what follows is kept out until the finding is over (incident.c),
 * and neither baseline nor window ever sees them.  A fault that comes back
 * after that is a new finding against the same healthy past; its windows do
 * not reach back over the old one.
 *
 * Entities do not look at each other, so a cell is judged when it comes; only
 * where a rule counts several methods of a route as one, the present cell is
 * gathered until time moves on.  All of it is a function of the cells in time
 * order, and nothing happens in silence: a month without cells costs nothing.
 */
#include "analyzers/judge.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/alarm.h"
#include "analyzers/analyzer.h"
#include "analyzers/glr.h"
#include "analyzers/incident.h"
#include "analyzers/saturate.h"
#include "analyzers/series.h"
#include "analyzers/story.h"
#include "analyzers/whole.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/mem.h"
#include "core/siblings.h"

enum {
	BASE_CELLS = 60, /* the base is a multiple of ten minutes */
	MARKS_MAX = 64,  /* examples kept before there is a finding */
	METHOD_ANY = METHODS,
};

const struct judge_settings judge_settings_default = {
	.thresholds = { .limits = { NS_PER_SEC }, .n_limits = 1 },
	.quiet_ns = 20 * 60 * NS_PER_SEC,
};

/* The example of a bad cell, in case it turns out to be part of a finding. */
struct mark {
	uint32_t at;
	struct example example;
};

/* One rule's view of one entity. */
struct track {
	int number; /* of the rule */
	const struct rule *rule;
	const struct key *key;
	struct gates gates;
	struct series series;
	struct pace *pace;     /* NULL: the rule has no relative test */
	struct incident *open; /* NULL: nothing is wrong */
	struct mark *marks;    /* oldest first */
	size_t n_marks, cap_marks;
	struct counts now; /* of the present cell, where it is gathered */
	struct example now_example;
	bool gathering;
	uint64_t upto; /* of the service's requests: these are in the series */
};

struct key {
	uint32_t origin, route, method;
	bool answered; /* below 400, once */
	struct track *tracks[RULES];
};

struct judge {
	struct judge_settings settings;
	const struct judge_names *names;
	const struct rule *rules[RULES]; /* NULL: judges nothing */
	bool started;
	int64_t base;       /* cell number 0 of the series */
	uint32_t now;       /* the present cell */
	uint32_t quiet;     /* settings.quiet_ns in cells */
	struct key **slots; /* open addressing, a power of two */
	size_t n_slots, n_keys;
	struct wholes wholes;
	struct track **gathered; /* in the present cell */
	size_t n_gathered, cap_gathered;
	struct track **open; /* with a finding, in order of detection */
	size_t n_open, cap_open;
	struct judge_story *story; /* of the finding asked for */
};

struct judge *
judge_new(const struct judge_settings *settings,
    const struct judge_names *names)
{
	struct judge *j = xcalloc(1, sizeof(*j));

	j->settings = *settings;
	j->names = names;
	j->quiet = (uint32_t)(settings->quiet_ns / CELL_NS);
	for (int r = 0; r < RULES; r++) {
		const struct rule_info *info = &judge_rules()[r];

		if (info->rule->count &&
		    thresholds_judge(&settings->thresholds, info->name))
			j->rules[r] = info->rule;
	}
	j->n_slots = 64;
	j->slots = xcalloc(j->n_slots, sizeof(struct key *));
	return j;
}

void
judge_story_free(struct judge_story *s)
{
	if (s)
		free(s->cells);
	free(s);
}

struct judge_story *
judge_take_story(struct judge *j)
{
	struct judge_story *s = j->story;

	j->story = NULL;
	return s;
}

/* The end of an incident that has been written as a finding. */
static void
incident_free(struct incident *i)
{
	if (i)
		judge_story_free(i->story);
	free(i);
}

static void
track_free(struct track *t)
{
	if (!t)
		return;
	series_fini(&t->series);
	if (t->pace)
		pace_fini(t->pace);
	free(t->pace);
	incident_free(t->open);
	free(t->marks);
	free(t);
}

void
judge_free(struct judge *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->n_slots; i++) {
		if (!j->slots[i])
			continue;
		for (int r = 0; r < RULES; r++)
			track_free(j->slots[i]->tracks[r]);
		free(j->slots[i]);
	}
	free(j->slots);
	wholes_fini(&j->wholes);
	free(j->gathered);
	free(j->open);
	judge_story_free(j->story);
	free(j);
}

static enum method
key_method(const struct key *key)
{
	return key->method == METHOD_ANY ? METHOD_NONE
					 : (enum method)key->method;
}

/* The slot of a key, or the empty one where it belongs. */
static struct key **
key_slot(const struct judge *j, uint32_t origin, uint32_t route,
    uint32_t method)
{
	uint64_t h = hash64_mix((uint64_t)origin << 32 | route, method);
	size_t i = (size_t)h & (j->n_slots - 1);

	while (j->slots[i] &&
	       (j->slots[i]->route != route || j->slots[i]->origin != origin ||
		   j->slots[i]->method != method))
		i = (i + 1) & (j->n_slots - 1);
	return &j->slots[i];
}

static void
keys_grow(struct judge *j)
{
	struct key **old = j->slots;
	size_t n_old = j->n_slots;

	j->n_slots *= 2;
	j->slots = xcalloc(j->n_slots, sizeof(struct key *));
	for (size_t i = 0; i < n_old; i++)
		if (old[i])
			*key_slot(j, old[i]->origin, old[i]->route,
			    old[i]->method) = old[i];
	free(old);
}

static struct key *
key_get(struct judge *j, uint32_t origin, uint32_t route, uint32_t method)
{
	struct key **slot = key_slot(j, origin, route, method);

	if (*slot)
		return *slot;
	if (++j->n_keys > j->n_slots / 2) {
		keys_grow(j);
		slot = key_slot(j, origin, route, method);
	}
	*slot = xcalloc(1, sizeof(struct key));
	(*slot)->origin = origin;
	(*slot)->route = route;
	(*slot)->method = method;
	return *slot;
}

/* Its thresholds are looked up once. */
static struct track *
track_new(const struct judge *j, const struct key *key, int r)
{
	const struct judged judged = {
		.rule = judge_rules()[r].name,
		.service = j->names->services[key->origin],
		.route = j->names->routes[key->origin][key->route],
		.method = key_method(key),
	};
	struct track *t = xcalloc(1, sizeof *t);

	t->number = r;
	t->rule = j->rules[r];
	t->key = key;
	thresholds_of(&j->settings.thresholds, &judged, &t->gates);
	/* What a template stands for is many paths. */
	if (t->rule->of_service && memchr(judged.route.p, '{', judged.route.n))
		t->gates.v[THRESHOLD_JUDGE] = 0;
	if (t->rule->relative && t->gates.v[THRESHOLD_JUDGE])
		t->pace = xcalloc(1, sizeof(struct pace));
	return t;
}

static struct track *
track_get(const struct judge *j, struct key *key, int r)
{
	if (!key->tracks[r])
		key->tracks[r] = track_new(j, key, r);
	return key->tracks[r];
}

/* The begin of a cell, in nanoseconds, within what time can be. */
static int64_t
cell_ns(const struct judge *j, int64_t at)
{
	int64_t cell = j->base + at;

	if (cell > INT64_MAX / CELL_NS)
		return INT64_MAX;
	return cell < -INT64_MAX / CELL_NS ? -INT64_MAX : cell * CELL_NS;
}

static bool
reaches(const struct gates *g, enum threshold ratio, enum threshold count,
    struct trials t)
{
	return trials_ppm(t) >= g->v[ratio] && t.bad >= (uint64_t)g->v[count];
}

/* What is only slower than it was is a warning at most. */
static enum severity
severity(const struct gates *g, const struct incident *i, struct trials t)
{
	if (i->relative)
		return t.bad >= (uint64_t)g->v[THRESHOLD_WARNING_COUNT]
			   ? SEVERITY_WARNING
			   : SEVERITY_INFO;
	if (reaches(g, THRESHOLD_CRITICAL_RATIO, THRESHOLD_CRITICAL_COUNT, t))
		return SEVERITY_CRITICAL;
	if (reaches(g, THRESHOLD_WARNING_RATIO, THRESHOLD_WARNING_COUNT, t))
		return SEVERITY_WARNING;
	return SEVERITY_INFO;
}

/* Of (rule, entity, first window). */
static void
finding_name(struct finding *f, int64_t window_start_ns)
{
	struct buf window = { 0 };

	buf_i64(&window, window_start_ns);
	buf_char(&window, '/');
	buf_i64(&window, f->window_ns);

	struct str parts[] = {
		str_of(f->rule),
		str_of(f->service),
		str_of(method_name(f->method)),
		str_of(f->route),
		buf_view(&window),
	};

	hash_id(f->id, parts, sizeof(parts) / sizeof(parts[0]));
	buf_fini(&window);
}

static void
finding_besides(struct finding *f, const struct judge_names *names,
    const struct key *key)
{
	struct str pieces[FINDING_BESIDES];

	f->n_besides = siblings(names->routes[key->origin][key->route],
	    names->routes[key->origin], names->n_routes[key->origin], pieces);
	for (size_t i = 0; i < f->n_besides; i++)
		f->besides[i] = finding_text(pieces[i]);
}

static void
finding_evidence(struct finding *f, const struct incident *i)
{
	f->n_evidence = i->n_evidence;
	for (int k = 0; k < i->n_evidence; k++) {
		struct evidence *e = &f->evidence[k];

		e->input = i->evidence[k].input;
		e->line = i->evidence[k].line;
		e->has_trace = i->evidence[k].has_trace != 0;
		memcpy(e->trace, i->evidence[k].trace, sizeof(e->trace));
	}
}

static void
finding_write(struct judge *j, const struct track *t, bool open,
    struct findings *out)
{
	const struct rule *rule = t->rule;
	struct incident *i = t->open;
	const struct key *key = t->key;
	struct finding *f = findings_add(out);
	struct trials all = { i->upto.n, i->upto.bad };

	f->rule = f->judged_by = judge_rules()[t->number].name;
	f->unit = rule->unit;
	f->phrase = rule->phrase;
	f->severity = severity(&t->gates, i, all);
	f->service = finding_text(j->names->services[key->origin]);
	f->route = finding_text(j->names->routes[key->origin][key->route]);
	f->method = key_method(key);
	f->start_ns = cell_ns(j, i->onset);
	f->end_ns = cell_ns(j, (int64_t)i->end + 1);
	f->detected_ns = cell_ns(j, (int64_t)i->detected + 1);
	f->open = open;
	f->bad = all.bad;
	f->total = all.n;
	f->base_bad = i->row.base.bad;
	f->base_total = i->row.base.n;
	f->relative = i->relative;
	if (rule->latency)
		f->over_ns = i->relative ? pace_limit(i->row.view.bin)
					 : t->gates.v[THRESHOLD_SLOW];
	f->window_ns = i->row.window * CELL_NS;
	f->window_bad = i->row.in.bad;
	f->window_total = i->row.in.n;
	f->value_ppm = trials_ppm(all);
	f->baseline_ppm = odds_ppm(&i->p0);
	f->threshold_ppm = i->row.threshold_ppm;
	f->g_milli = i->row.g_milli;
	f->h_milli = i->h_milli;
	f->before_ns = i->row.before_ns;
	f->after_ns = -1;
	if (rule->latency && all.n > 0)
		f->after_ns = (int64_t)(i->upto.us / all.n) * 1000;
	finding_besides(f, j->names, key);
	finding_evidence(f, i);
	finding_name(f, cell_ns(j, (int64_t)i->detected + 1 - i->row.window));
	if (!i->story || memcmp(f->id, j->settings.explain, sizeof(f->id)) != 0)
		return;
	memcpy(i->story->id, f->id, sizeof(f->id));
	i->story->hot = i->hot;
	j->story = i->story;
	i->story = NULL;
}

/* Remembers a bad cell's example; what is an hour old is of no use. */
static void
mark_add(struct track *t, uint32_t at, const struct example *example)
{
	size_t old = 0;

	if (example->line == 0)
		return;
	while (old < t->n_marks &&
	       at - t->marks[old].at >= series_window_cells[WINDOWS - 1])
		old++;
	if (t->n_marks - old == MARKS_MAX)
		old++;
	t->n_marks -= old;
	if (old > 0)
		memmove(t->marks, t->marks + old,
		    t->n_marks * sizeof(t->marks[0]));
	t->marks =
	    xgrow(t->marks, t->n_marks + 1, &t->cap_marks, sizeof(t->marks[0]));
	t->marks[t->n_marks++] = (struct mark){ at, *example };
}

static struct judge_story *
story_new(const struct judge *j, const struct alarm *a,
    struct alarm_cell *cells, uint32_t onset)
{
	struct judge_story *s = xcalloc(1, sizeof(*s));

	*s = (struct judge_story){ .alarm = *a,
		.cells = cells,
		.n_cells = a->rows[a->best].entries,
		.n_onset = onset,
		.base_ns = cell_ns(j, 0),
		.quiet = j->quiet };
	return s;
}

/* Opens a finding: the cells from the onset on become its own. */
static void
track_open(struct judge *j, struct track *t, const struct alarm *a)
{
	struct incident *i = xcalloc(1, sizeof(*i));
	struct alarm_cell *cells = NULL;
	uint32_t entries;

	if (j->settings.explain)
		cells = xcalloc(a->rows[a->best].entries, sizeof *cells);
	entries = alarm_onset(a, &t->series, t->pace, cells);
	if (cells)
		i->story = story_new(j, a, cells, entries);
	i->row = a->rows[a->best];
	i->p0 = i->row.p0;
	i->h_milli = t->gates.v[THRESHOLD_G];
	i->relative = a->relative;
	i->onset = series_newest(&t->series, entries - 1)->at;
	i->detected = j->now;
	for (uint32_t k = entries; k-- > 0;) {
		struct entry e = alarm_entry(a, &t->series, t->pace, k);

		incident_add(i, &e, NULL);
	}
	incident_alarm(i);
	for (size_t m = 0; m < t->n_marks; m++)
		if (t->marks[m].at >= i->onset &&
		    (!i->relative || pace_over(t->pace, t->marks[m].at,
					 i->row.view.bin) > 0))
			incident_evidence(i, &t->marks[m].example);
	t->n_marks = 0;
	series_cut(&t->series, entries);
	if (t->pace)
		pace_cut(t->pace, i->onset);
	t->open = i;
	j->open =
	    xgrow(j->open, j->n_open + 1, &j->cap_open, sizeof(j->open[0]));
	j->open[j->n_open++] = t;
}

static void
track_judge(struct judge *j, struct track *t, const struct counts *c,
    const struct example *example)
{
	struct entry e = series_entry(j->now, c);
	struct alarm a;

	if (e.bad > e.n)
		e.bad = e.n;
	if (t->open) {
		if (t->open->relative)
			e.bad = pace_bins_over(c->pace, t->open->row.view.bin);
		incident_add(t->open, &e, example);
		return;
	}
	series_append(&t->series, &e);
	if (t->pace)
		pace_append(t->pace, j->now, c->pace);
	else if (e.bad == 0)
		return;
	mark_add(t, j->now, example);
	alarm_look(&a, t->rule, &t->gates, &t->series, t->pace);
	if (a.best >= 0)
		track_open(j, t, &a);
}

/* Adds to what is gathered of the present cell. */
static void
track_gather(struct judge *j, struct track *t, const struct counts *c,
    const struct example *example)
{
	t->now.n = add_u32(t->now.n, c->n);
	t->now.bad = add_u32(t->now.bad, c->bad);
	t->now.sum_us = add_u64(t->now.sum_us, c->sum_us);
	example_min(&t->now_example, example);
	if (t->gathering)
		return;
	t->gathering = true;
	j->gathered = xgrow(j->gathered, j->n_gathered + 1, &j->cap_gathered,
	    sizeof(j->gathered[0]));
	j->gathered[j->n_gathered++] = t;
}

/*
 * Of a rule that counts by the service: all that it was asked for since the
 * track's last cell is one entry before the present one.  A window that has it
 * in part thus has a smaller ratio than it should, and never a greater one.
 */
static void
track_whole(struct judge *j, struct track *t)
{
	const struct whole *w = &j->wholes.v[t->key->origin];
	uint64_t gap = w->before - t->upto;
	struct entry e = { .at = j->now - 1,
		.n = gap < UINT32_MAX ? (uint32_t)gap : UINT32_MAX };

	if (e.n > 0 && t->open)
		incident_add(t->open, &e, NULL);
	else if (e.n > 0)
		series_append(&t->series, &e);
	t->now.n = w->now;
	t->upto = w->before + w->now;
}

/* The present cell is complete. */
static void
cell_end(struct judge *j)
{
	for (size_t i = 0; i < j->n_gathered; i++) {
		struct track *t = j->gathered[i];

		if (t->rule->of_service)
			track_whole(j, t);
		track_judge(j, t, &t->now, &t->now_example);
		t->now = (struct counts){ 0 };
		t->now_example = (struct example){ 0 };
		t->gathering = false;
	}
	j->n_gathered = 0;
	wholes_end(&j->wholes);
}

/* Resolves the findings that have been quiet for long enough. */
static void
open_resolve(struct judge *j, struct findings *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->n_open; i++) {
		struct track *t = j->open[i];

		if (!incident_over(t->open, j->now, j->quiet)) {
			j->open[kept++] = t;
			continue;
		}
		finding_write(j, t, false, out);
		incident_free(t->open);
		t->open = NULL;
	}
	j->n_open = kept;
}

/* Time goes on to the cell. */
static void
judge_advance(struct judge *j, int64_t cell, struct findings *out)
{
	if (!j->started) {
		int64_t rest = cell % BASE_CELLS;

		j->base = cell - (rest < 0 ? rest + BASE_CELLS : rest);
		j->started = true;
	}
	assert(cell >= j->base + j->now); /* cells come in time order */
	if (cell == j->base + j->now)
		return;
	cell_end(j);
	j->now = (uint32_t)(cell - j->base);
	open_resolve(j, out);
}

/* What one rule sees in the cell. */
static void
rule_feed(struct judge *j, struct key *key, int r, const struct cell *cell)
{
	const struct rule *rule = j->rules[r];
	const struct cell_key *at = &cell->key;
	struct counts c = rule->count(cell, key->answered);
	const struct example *example = &cell->example[rule->example];
	struct track *t;

	if (c.n == 0)
		return;
	if (rule->any_method)
		key = key_get(j, at->origin, at->route, METHOD_ANY);
	t = track_get(j, key, r);
	if (!t->gates.v[THRESHOLD_JUDGE])
		return;
	if (rule->any_method || rule->of_service)
		track_gather(j, t, &c, example);
	else
		track_judge(j, t, &c, example);
}

void
judge_feed(struct judge *j, const struct cell *cell, struct findings *out)
{
	const struct cell_key *at = &cell->key;

	judge_advance(j, at->cell, out);
	wholes_add(&j->wholes, at->origin, cell_answered(cell));

	struct key *key = key_get(j, at->origin, at->route, at->method);

	if (cell->status[1] | cell->status[2] | cell->status[3])
		key->answered = true;
	for (int r = 0; r < RULES; r++)
		if (j->rules[r])
			rule_feed(j, key, r, cell);
}

void
judge_end(struct judge *j, struct findings *out)
{
	cell_end(j);
	for (size_t i = 0; i < j->n_open; i++) {
		finding_write(j, j->open[i], true, out);
		incident_free(j->open[i]->open);
		j->open[i]->open = NULL;
	}
	j->n_open = 0;
}
