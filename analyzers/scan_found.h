/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What scan.c has found, until it is written as findings: counts and hashes
 * first, the texts behind the hashes when they come by.
 */
#ifndef ANALYZERS_SCAN_FOUND_H
#define ANALYZERS_SCAN_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzers/scan.h"
#include "analyzers/surge.h"

/* A finding that is being made. */
struct found {
	enum finding_test test;
	bool open;
	uint32_t service;
	uint64_t client; /* 0: a surge */
	int64_t onset_ns, end_ns, detected_ns;
	uint64_t failed, misses;
	uint64_t paths, answered; /* of hours that were counted */
	int64_t hour;             /* the last of them */
	uint64_t window_failed, window_total;
	uint64_t before; /* of a surge: new paths in before_ns */
	int64_t before_ns, lambda_milli;
	int64_t g_milli, window_ns;
	struct scan_mark marks[FINDING_PATHS];
	int n_marks;
	size_t at; /* in the findings; SIZE_MAX: not asked for */
};

struct wanted;

/* Zeroed, it is empty. */
struct founds {
	struct found *v;
	size_t n, cap;
	struct wanted *wanted; /* texts, by hash */
	size_t n_wanted, cap_wanted;
};

/* An open one with the number, from 1; valid until the next. */
struct found *founds_new(struct founds *all, uint32_t *number);
void founds_fini(struct founds *all);

/* The first FINDING_PATHS marks are kept, each path once. */
void found_mark(struct found *f, const struct scan_mark *m);

/*
 * Different paths in a bitmap of 64, in thousandths: 64 ln(64/unset), at most
 * the requests; these alone when the bitmap is full.
 */
uint64_t found_paths_milli(uint64_t bitmap, uint64_t requests);

/* Findings without texts and ids; then their texts; then the ids. */
void founds_write(struct founds *all, const struct scan_service *services,
    const struct judge_settings *settings, int64_t last_ns,
    struct findings *out);
void founds_lines(const struct founds *all, uint64_t *last);
void founds_text(struct founds *all, uint64_t hash, struct str text,
    struct findings *out);
void founds_finish(struct founds *all, struct findings *out);

#endif
