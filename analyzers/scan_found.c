/* SPDX-License-Identifier: Apache-2.0 */
/* Scans and surges as findings. */
#include "analyzers/scan_found.h"

#include <stdlib.h>
#include <string.h>

#include "analyzers/glr.h"
#include "core/buf.h"
#include "core/hash.h"
#include "core/mem.h"

enum {
	INNOCENT_PPM = 300000, /* of a client that follows links */
	EVEN_PPM = 696005,     /* the ratio at which the sum is 0 */
	WARNING_PATHS = 100,
};

/* A text that a finding waits for. */
struct wanted {
	uint64_t hash;
	uint32_t found;
	int slot; /* of the paths; -1: the client */
};

struct found *
founds_new(struct founds *all, uint32_t *number)
{
	all->v = xgrow(all->v, all->n + 1, &all->cap, sizeof *all->v);
	*number = (uint32_t)all->n + 1;
	all->v[all->n] = (struct found){ .open = true };
	return &all->v[all->n++];
}

void
founds_fini(struct founds *all)
{
	free(all->v);
	free(all->wanted);
	*all = (struct founds){ 0 };
}

void
found_mark(struct found *f, const struct scan_mark *m)
{
	for (int i = 0; i < f->n_marks; i++)
		if (f->marks[i].path == m->path)
			return;
	if (f->n_marks < FINDING_PATHS)
		f->marks[f->n_marks++] = *m;
}

uint64_t
found_paths_milli(uint64_t bitmap, uint64_t requests)
{
	unsigned unset = 64 - (unsigned)__builtin_popcountll(bitmap);
	uint64_t most =
	    requests < UINT64_MAX / 1000 ? requests * 1000 : UINT64_MAX / 1000;
	uint64_t log, n;

	if (unset == 0)
		return most;
	/* 64 · 1000 · ln 2 = 44361.4 */
	log = (UINT64_C(6) << LOG2_SHIFT) - log2_fixed(unset);
	n = (log >> 16) * 443614 / 10 >> (LOG2_SHIFT - 16);
	return n < most ? n : most;
}

/* A scan is worth waking somebody when it is large, or when it finds things. */
static enum severity
severity(const struct found *f)
{
	if (f->test == TEST_SURGE)
		return SEVERITY_WARNING;
	return f->test == TEST_SCAN && f->failed >= WARNING_PATHS
		   ? SEVERITY_WARNING
		   : SEVERITY_INFO;
}

static void
finding_counts(const struct found *f, struct finding *out)
{
	uint64_t passed = f->answered;

	out->bad = f->test == TEST_HAMMER ? f->misses : f->failed;
	if (f->test == TEST_SCAN)
		passed =
		    (found_paths_milli(f->paths, f->answered) + 500) / 1000;
	out->total = out->bad + (f->test == TEST_SURGE ? 0 : passed);
	out->value_ppm =
	    trials_ppm((struct trials){ .n = out->total, .bad = out->bad });
	out->window_bad = f->window_failed;
	out->window_total = f->window_total;
	out->window_ns = f->window_ns;
	out->g_milli = f->g_milli;
	if (f->test == TEST_SURGE) {
		out->base_bad = out->base_total = f->before;
		out->base_ns = f->before_ns;
		out->expected_milli = f->lambda_milli;
		return;
	}
	out->baseline_ppm = INNOCENT_PPM;
	out->threshold_ppm = EVEN_PPM;
}

/* Its number; SIZE_MAX: the rule does not judge this service. */
static size_t
finding_add(const struct found *f, const struct scan_service *services,
    struct findings *all)
{
	static const char *const units[] = {
		[TEST_RATIO] = NULL,
		[TEST_SCAN] = "paths that are not there",
		[TEST_HAMMER] = "requests for what is not there",
		[TEST_SURGE] = "new paths that are not there",
	};
	const char *rule =
	    f->test == TEST_SURGE ? "not-found-surge" : "not-found-scan";
	const struct scan_service *service = &services[f->service];
	const struct gates *gates =
	    f->test == TEST_SURGE ? &service->surge : &service->scan;
	struct finding *out;

	if (!gates->v[THRESHOLD_JUDGE])
		return SIZE_MAX;
	out = findings_add(all);
	out->rule = out->judged_by = rule;
	out->test = f->test;
	out->severity = severity(f);
	out->service = finding_text(service->name);
	out->start_ns = f->onset_ns;
	out->end_ns = f->end_ns;
	out->detected_ns = f->detected_ns;
	out->open = f->open;
	out->unit = units[f->test];
	out->h_milli = gates->v[THRESHOLD_G];
	out->before_ns = out->after_ns = -1;
	out->n_paths = f->n_marks;
	finding_counts(f, out);
	for (int i = 0; i < f->n_marks && i < FINDING_EVIDENCE; i++) {
		const struct example *e = &f->marks[i].example;
		struct evidence *to = &out->evidence[out->n_evidence++];

		to->input = e->input;
		to->line = e->line;
		to->has_trace = e->has_trace != 0;
		memcpy(to->trace, e->trace, sizeof to->trace);
	}
	return all->n - 1;
}

static void
want(struct founds *all, uint64_t hash, uint32_t found, int slot)
{
	all->wanted = xgrow(all->wanted, all->n_wanted + 1, &all->cap_wanted,
	    sizeof all->wanted[0]);
	all->wanted[all->n_wanted++] = (struct wanted){ hash, found, slot };
}

static int
by_hash(const void *a, const void *b)
{
	const struct wanted *x = a;
	const struct wanted *y = b;

	return (x->hash > y->hash) - (x->hash < y->hash);
}

void
founds_write(struct founds *all, const struct scan_service *services,
    const struct judge_settings *settings, int64_t last_ns,
    struct findings *out)
{
	for (uint32_t i = 0; i < all->n; i++) {
		struct found *f = &all->v[i];

		/* Half of each: the difference may not fit into 63 bits. */
		f->open = f->open &&
			  last_ns / 2 - f->end_ns / 2 < settings->quiet_ns / 2;
		f->at = finding_add(f, services, out);
		if (f->at == SIZE_MAX)
			continue;
		if (f->client)
			want(all, f->client, i, -1);
		for (int k = 0; k < f->n_marks; k++)
			want(all, f->marks[k].path, i, k);
	}
	if (all->n_wanted > 0)
		qsort(all->wanted, all->n_wanted, sizeof all->wanted[0],
		    by_hash);
}

void
founds_lines(const struct founds *all, uint64_t *last)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct found *f = &all->v[i];

		for (int k = 0; f->at != SIZE_MAX && k < f->n_marks; k++) {
			const struct example *e = &f->marks[k].example;

			if (last[e->input] < e->line)
				last[e->input] = e->line;
		}
	}
}

void
founds_text(struct founds *all, uint64_t hash, struct str text,
    struct findings *out)
{
	size_t from = 0;
	size_t to = all->n_wanted;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (all->wanted[middle].hash < hash)
			from = middle + 1;
		else
			to = middle;
	}
	for (; from < all->n_wanted && all->wanted[from].hash == hash; from++) {
		const struct wanted *w = &all->wanted[from];
		struct finding *f = &out->v[all->v[w->found].at];
		char **at = w->slot < 0 ? &f->client : &f->paths[w->slot];

		if (!*at)
			*at = finding_text(text);
	}
}

/* Of a path that could not be read again nothing is left. */
static void
keep_paths(struct finding *f)
{
	int n = 0;

	for (int i = 0; i < f->n_paths; i++)
		if (f->paths[i])
			f->paths[n++] = f->paths[i];
	for (int i = n; i < f->n_paths; i++)
		f->paths[i] = NULL;
	f->n_paths = n;
}

/* Of (rule, entity, first window). */
void
founds_finish(struct founds *all, struct findings *out)
{
	for (size_t i = 0; i < all->n; i++) {
		struct buf window = { 0 };
		struct finding *f;

		if (all->v[i].at == SIZE_MAX)
			continue;
		f = &out->v[all->v[i].at];
		keep_paths(f);
		buf_i64(&window, f->detected_ns - f->window_ns);
		buf_char(&window, '/');
		buf_i64(&window, f->window_ns);

		const struct str parts[] = {
			str_of(f->rule),
			str_of(f->service),
			str_of(f->client ? f->client : ""),
			buf_view(&window),
		};

		hash_id(f->id, parts, sizeof parts / sizeof parts[0]);
		buf_fini(&window);
	}
}
