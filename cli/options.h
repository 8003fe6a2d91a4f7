/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options that several commands have: what a row says of them stands here
 * alone, so that they are named, limited and explained alike.
 *
 * An OPTION_… is the members of a row of an option table (core/opt.h).  The
 * command's struct is called `flags` and has a member of the option's name and
 * of its type; the row adds what the command alone can say: the heading that it
 * begins, and its help where that is missing here.
 *
 *	{ .group = "What is looked at",
 *	    OPTION_SINCE,
 *	    .help = "Leave out traces that began before TIME." },
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"
#include "core/term.h"
#include "core/when.h"
#include "pipeline/replay.h"

/* enum term_color and enum probes by name. */
extern const char *const option_colors[];
extern const char *const option_probes[];

#define OPTION_HELP                                                            \
	.name = "help", .letter = 'h', .type = OPT_FLAG,                       \
	.offset = offsetof(struct flags, help), .help = "Show this help."

#define OPTION_QUIET                                                           \
	.name = "quiet", .letter = 'q', .type = OPT_FLAG,                      \
	.offset = offsetof(struct flags, quiet), .help = "Show no progress."

#define OPTION_COLOR                                                           \
	.name = "color", .type = OPT_CHOICE,                                   \
	.offset = offsetof(struct flags, color), .arg = "WHEN",                \
	.preset = "auto", .choices = option_colors,                            \
	.help = "Colour what is printed."

#define OPTION_WIDTH                                                           \
	.name = "width", .type = OPT_INT,                                      \
	.offset = offsetof(struct flags, width), .arg = "COLUMNS",             \
	.absent = "the terminal's, else 80", .min = TERM_WIDTH_MIN,            \
	.max = TERM_WIDTH_MAX, .help = "Make the lines at most so wide."

#define OPTION_THREADS                                                         \
	.name = "threads", .letter = 'j', .type = OPT_INT,                     \
	.offset = offsetof(struct flags, threads), .arg = "N",                 \
	.absent = "one a core", .min = 0, .max = 256,                          \
	.help = "Read with N threads; the result is the same for any."

/* Without help: what the range is of differs. */
#define OPTION_SINCE                                                           \
	.name = "since", .type = OPT_TIME,                                     \
	.offset = offsetof(struct flags, since), .arg = "TIME"

#define OPTION_UNTIL                                                           \
	.name = "until", .type = OPT_TIME,                                     \
	.offset = offsetof(struct flags, until), .arg = "TIME"

#define OPTION_LAST                                                            \
	.name = "last", .type = OPT_SPAN,                                      \
	.offset = offsetof(struct flags, last), .arg = "SPAN",                 \
	.min = NS_PER_SEC

#define OPTION_PROBES                                                          \
	.name = "probes", .type = OPT_CHOICE,                                  \
	.offset = offsetof(struct flags, probes), .arg = "HOW",                \
	.preset = "fold", .choices = option_probes

/* Without help: what is asked of the file differs. */
#define OPTION_CONFIG                                                          \
	.name = "config", .letter = 'c', .type = OPT_TEXT,                     \
	.offset = offsetof(struct flags, config), .arg = "FILE"

#define OPTION_STORE                                                           \
	.name = "store", .type = OPT_TEXT,                                     \
	.offset = offsetof(struct flags, store), .arg = "FILE"

/* -1 with err: --since is not before --until. */
int options_check_range(int64_t since, int64_t until, struct err *err);

/*
 * -1 with err: traces are read from paths or from a store, and neither or both
 * were given.
 */
int options_check_traces(const char *store, size_t n_paths, struct err *err);

/* -1 with err: there is no path, and no store that stands for one. */
int options_check_paths(size_t n_paths, struct err *err);

#endif
