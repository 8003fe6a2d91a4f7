/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress: a thread that looks at the counters five times a second.
 *
 * This is the only place that reads a clock, and it goes to stderr alone.
 */
#include "cli/progress.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/term.h"
#include "core/when.h"

#define STEP_NS (200 * NS_PER_MS)

struct progress {
	struct replay_progress *of;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ended; /* by lock */
	int64_t begin_ns;
	size_t width;
};

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

/* 3.4 GB, 12 MB: decimal units, as disks and networks are sold. */
static void
put_amount(struct buf *b, uint64_t n, const char *const units[4])
{
	uint64_t unit = 1;
	int u = 0;

	while (u < 3 && n / unit >= 1000) {
		unit *= 1000;
		u++;
	}
	if (u > 0 && n / unit < 10)
		buf_printf(b, "%llu.%llu %s", (unsigned long long)(n / unit),
		    (unsigned long long)(n % unit / (unit / 10)), units[u]);
	else
		buf_printf(b, "%llu %s", (unsigned long long)(n / unit),
		    units[u]);
}

static uint64_t
per_second(uint64_t n, int64_t elapsed_ns)
{
	uint64_t ms = (uint64_t)(elapsed_ns / NS_PER_MS);

	return ms == 0 || n > UINT64_MAX / 1000 ? 0 : n * 1000 / ms;
}

static const char *const bytes_units[4] = { "B", "kB", "MB", "GB" };
static const char *const count_units[4] = { "", "k", "M", "G" };

static void
put_left(struct buf *out, const struct progress_view *v)
{
	uint64_t rate = per_second(v->done, v->elapsed_ns);
	uint64_t left;

	/* The first second says nothing about the rest. */
	if (v->total <= v->done || rate == 0 || v->elapsed_ns < NS_PER_SEC)
		return;
	left = (v->total - v->done) / rate;
	if (left > 360000)
		return;
	buf_cat(out, ", ");
	when_put_span(out, (int64_t)(left + 1) * NS_PER_SEC, false);
	buf_cat(out, " left");
}

void
progress_line(struct buf *out, const struct progress_view *v)
{
	static const char *const phases[] = { "reading", "judging",
		"writing documents" };

	buf_cat(out, phases[v->phase >= 0 && v->phase < 3 ? v->phase : 0]);
	buf_char(out, ' ');
	put_amount(out, v->done, bytes_units);
	if (v->total >= v->done && v->total > 0) {
		buf_cat(out, " of ");
		put_amount(out, v->total, bytes_units);
		buf_printf(out, " (%u %%)",
		    (unsigned)(v->done / (v->total / 100 + 1)));
	}
	buf_cat(out, ", ");
	put_amount(out, per_second(v->done, v->elapsed_ns), bytes_units);
	buf_cat(out, "/s, ");
	put_amount(out, per_second(v->records, v->elapsed_ns), count_units);
	buf_cat(out, " records/s");
	put_left(out, v);
}

static struct progress_view
view(const struct progress *p)
{
	return (struct progress_view){
		.done = atomic_load(&p->of->bytes_done),
		.total = atomic_load(&p->of->bytes_total),
		.records = atomic_load(&p->of->records),
		.phase = atomic_load(&p->of->phase),
		.elapsed_ns = now_ns() - p->begin_ns,
	};
}

/* A terminal that does not take the line loses it: no harm is done. */
static void
write_line(const struct buf *b)
{
	ssize_t n = write(STDERR_FILENO, b->p, b->n);

	(void)n;
}

static void
show(const struct progress *p, struct buf *b)
{
	struct progress_view v = view(p);
	struct buf text = { 0 };

	buf_reset(b);
	buf_cat(b, "\r\x1b[K");
	progress_line(&text, &v);
	term_elide(b, buf_view(&text), p->width - 1, false);
	write_line(b);
	buf_fini(&text);
}

static void *
run(void *arg)
{
	struct progress *p = arg;
	struct buf b = { 0 };

	pthread_mutex_lock(&p->lock);
	while (!p->ended) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += STEP_NS;
		if (until.tv_nsec >= NS_PER_SEC) {
			until.tv_nsec -= NS_PER_SEC;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&p->wake, &p->lock, &until);
		if (!p->ended)
			show(p, &b);
	}
	pthread_mutex_unlock(&p->lock);
	buf_fini(&b);
	return NULL;
}

struct progress *
progress_begin(struct replay_progress *of, bool quiet)
{
	struct progress *p;
	pthread_condattr_t attr;
	struct term term;

	term_init(&term, STDERR_FILENO, TERM_COLOR_NEVER, 0);
	if (quiet || !term.moves)
		return NULL;
	p = xcalloc(1, sizeof *p);
	p->of = of;
	p->width = term.width;
	p->begin_ns = now_ns();
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (pthread_create(&p->thread, NULL, run, p) != 0) {
		free(p);
		return NULL;
	}
	return p;
}

void
progress_end(struct progress *p, bool done)
{
	struct progress_view v;
	struct buf b = { 0 };

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	v = view(p);
	buf_cat(&b, "\r\x1b[K");
	if (done) {
		put_amount(&b, v.done, bytes_units);
		buf_cat(&b, " in ");
		when_put_span(&b, v.elapsed_ns, false);
		buf_cat(&b, ", ");
		put_amount(&b, per_second(v.done, v.elapsed_ns), bytes_units);
		buf_cat(&b, "/s, ");
		put_amount(&b, per_second(v.records, v.elapsed_ns),
		    count_units);
		buf_cat(&b, " records/s\n");
	}
	write_line(&b);
	buf_fini(&b);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
