/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands that write to Elasticsearch share: the options, the first
 * words with the server, and what is said at the end.
 *
 * Secrets come from the environment alone: TELLTALE_ES_USER and
 * TELLTALE_ES_PASSWORD, or TELLTALE_ES_API_KEY; of an address on the command
 * line everybody on the machine can read.
 */
#ifndef CLI_INDEXING_H
#define CLI_INDEXING_H

#include "cli/command.h"
#include "core/opt.h"
#include "sinks/elastic.h"

#define OPTION_ES                                                              \
	.name = "es", .type = OPT_LIST,                                        \
	.offset = offsetof(struct flags, es.urls), .arg = "URL"

#define OPTION_ES_CA                                                           \
	.name = "es-ca", .type = OPT_TEXT,                                     \
	.offset = offsetof(struct flags, es.ca_file), .arg = "FILE",           \
	.help = "Trust the authorities in FILE (PEM) for https."

#define OPTION_ES_WAIT                                                         \
	.name = "es-wait", .type = OPT_SPAN,                                   \
	.offset = offsetof(struct flags, es.wait_ns), .arg = "SPAN",           \
	.preset = "5m", .min = 1000000,                                        \
	.help = "Give up when the server acknowledges nothing for SPAN."

#define OPTION_ES_BULK                                                         \
	.name = "es-bulk", .type = OPT_SIZE,                                   \
	.offset = offsetof(struct flags, es.bulk_bytes), .arg = "SIZE",        \
	.preset = "2M", .min = 1, .max = 64 * 1024 * 1024,                     \
	.help =                                                                \
	    "Put documents of SIZE into a request, or one; less where the "    \
	    "server refuses so much."

/* Of who has more than the redrive's file to send. */
#define OPTION_ES_REFUSED                                                      \
	.name = "es-refused", .type = OPT_TEXT,                                \
	.offset = offsetof(struct flags, es_refused), .arg = "FILE",           \
	.help = "Append to FILE what the server refuses for good, with the "   \
		"reason; 'telltale redrive' sends it again."

struct indexing_flags {
	struct opt_list urls;
	const char *ca_file;
	int64_t wait_ns;
	size_t bulk_bytes;
};

/* What the options and the environment say; `refused` and `stop` are not set.
 */
void indexing_options(struct elastic_options *o,
    const struct indexing_flags *f);

/*
 * A server that has said who it is; waits for one that cannot be reached, and
 * says so.  NULL, with *status and said: there is none, or an option is wrong.
 * `refused`: a file; NULL.
 */
struct elastic *indexing_open(const struct command *c,
    const struct indexing_flags *f, const char *refused, int *status);

/*
 * What became of the documents, where it did not go well: STATUS_UNAVAILABLE,
 * STATUS_DATA, or `status` as it is.
 */
int indexing_status(const struct elastic *e, const char *refused, int status);

#endif
