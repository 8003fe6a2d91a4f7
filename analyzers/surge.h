/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a service is asked for more new missing paths than usual, whoever
 * asks: a distributed scan, or one whose client is hidden by a proxy.
 *
 * Counted are paths that were answered 404 or 410 for the first time, on
 * routes that were never answered.  k of them in a window of one or ten
 * minutes, λ to be expected by what was before it, up to 24 h:
 *
 *	G = k ln(k/λ) − k + λ,  λ = max(K / T, 5 / 10 min) · window
 *
 * P(X ≥ k) ≤ e^−G for a Poisson X (Chernoff).  An alarm has G > h, k ≥ 15 (both
 * are thresholds) and k ≥ 3 λ, since links are not Poisson, and ten minutes of
 *the service before its window: in an archive's first minutes every dead link
 *is new.
 */
#ifndef ANALYZERS_SURGE_H
#define ANALYZERS_SURGE_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzers/cells.h"
#include "analyzers/thresholds.h"

enum {
	SURGE_MINUTES = 10, /* the longer window */
	SURGE_SLOTS = 144,  /* of ten minutes: the day before */
	SURGE_PRIOR = 5,    /* paths in ten minutes are never too many */
	SURGE_FACTOR = 3,
	SURGE_MARKS = 32,
};

/* A miss to show. */
struct scan_mark {
	int64_t ts_ns;
	uint64_t path;
	struct example example;
};

/* What decided. */
struct surge_alarm {
	uint64_t k;
	uint64_t before;      /* new paths before the window … */
	int64_t before_ns;    /* … in this time */
	int64_t window_ns;    /* 1 or 10 min */
	int64_t onset_ns;     /* the first of the window */
	int64_t lambda_milli; /* of the window */
	int64_t g_milli;
};

/* One service's.  Zeroed and `first` set, it is ready. */
struct surge {
	int64_t first;                  /* minute that the service begins in */
	int64_t now;                    /* minute of the newest path */
	int64_t out;                    /* minutes that were of findings */
	uint32_t minute[SURGE_MINUTES]; /* by minute modulo */
	uint32_t slot[SURGE_SLOTS + 2]; /* of the base, by ten minutes modulo */
	struct scan_mark marks[SURGE_MARKS]; /* the newest, by n_marks modulo */
	uint32_t n_marks;
	bool started;
	bool based; /* what follows is of this minute */
	uint64_t base;
};

/* A new path that is missing; OUT: of a finding that is open, no base. */
enum surge_use { SURGE_BASE, SURGE_OUT };
void surge_add(struct surge *s, const struct scan_mark *m, enum surge_use use);

/* A finding begins with what is in the window; its time is over. */
void surge_open(struct surge *s);
void surge_close(struct surge *s, int64_t since_ns, int64_t until_ns);

/* The newest n were one client's, who has a name by now. */
void surge_take_back(struct surge *s, uint32_t n);

/* Looks at what is up to now. */
bool surge_alarm(struct surge *s, const struct gates *gates,
    struct surge_alarm *alarm);

/* In the last ten minutes. */
uint32_t surge_recent(const struct surge *s);

/* G in thousandths of nats, λ in thousandths; 0 for k ≤ λ. */
int64_t surge_g(uint64_t k, int64_t lambda_milli);

#endif
