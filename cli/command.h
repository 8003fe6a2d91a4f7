/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's commands: one file and one row of commands() each.
 *
 * What is said about a command comes from its struct: help, manual page and
 * completion.  stdout is for results, stderr for words; every command takes
 * --help.  A command's name, examples and options are a contract.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"

#define TELLTALE_VERSION "0.1.0"

/*
 * What the shell is told: 0, 1 for "found", else after sysexits.h; 128 and the
 * signal's number when one ended the run.
 */
enum exit_status {
	STATUS_OK = 0,
	STATUS_FOUND = 1,        /* --fail-on is met; query: nothing matches */
	STATUS_USAGE = 64,       /* a wrong option or argument */
	STATUS_DATA = 65,        /* documents were refused for good */
	STATUS_NOINPUT = 66,     /* an input could not be opened */
	STATUS_UNAVAILABLE = 69, /* a server does not answer, or says no */
	STATUS_IO = 74,          /* reading or writing failed */
	STATUS_CONFIG = 78,      /* the configuration is missing or wrong */
	STATUS_INTERRUPTED = 130,
	STATUS_PIPE = 141, /* whoever read stdout is gone */
	STATUS_TERMINATED = 143,
};

struct command_example {
	const char *line; /* without "telltale"; NULL ends them */
	const char *text; /* what it does */
};

struct command {
	const char *name;
	const char *synopsis;     /* "[options] PATH …", in ASCII */
	const char *help;         /* one sentence */
	const char *const *about; /* paragraphs; NULL ends; may be NULL */
	const struct command_example *examples;
	const struct opt *opts;
	/* argv without program and command; returns the exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct command command_replay;
extern const struct command command_query;
extern const struct command command_trace;
extern const struct command command_map;
extern const struct command command_group;
extern const struct command command_redrive;
extern const struct command command_setup;
extern const struct command command_simulate;
extern const struct command command_check_config;
extern const struct command command_components;
extern const struct command command_completion;
extern const struct command command_help;

/* All, in the order of the help; NULL ends. */
const struct command *const *commands(void);
/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

/* "telltale: words" on stderr, control characters made visible. */
void command_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and where to read more: STATUS_USAGE. */
int command_usage(const struct command *c, const struct err *err);
/* "telltale: words" of a configuration that is wrong: STATUS_CONFIG. */
int command_config(const struct err *err);
/* The command's help on stdout. */
int command_help_print(const struct command *c);

/* All of out to stdout: STATUS_OK, STATUS_PIPE without a word, STATUS_IO. */
int command_print(const struct buf *out);

/* The manual pages telltale(1) and telltale.yaml(5), in mdoc. */
void manual_print(struct buf *out);
void manual_print_config(struct buf *out);
/* Running text: a sentence ends its line, none begins as a request. */
void manual_text(struct buf *out, const char *s);
/* docs/fields.md. */
void fields_print(struct buf *out);

#endif
