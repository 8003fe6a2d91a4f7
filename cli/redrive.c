/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale redrive: sends again what a server has refused for good, after the
 * reason is gone.  What is refused again stays in the file, and the rest leaves
 * it: the new file takes the old one's name when every document has had its
 * answer, and else everything stays as it was, for sending twice is storing
 * once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/indexing.h"
#include "cli/options.h"
#include "cli/reading.h"
#include "core/buf.h"

struct flags {
	struct indexing_flags es;
	bool help;
};

static const struct opt opts[] = {
	{ .group = "Where it goes",
	    OPTION_ES,
	    .help = "The Elasticsearch or OpenSearch that refused them, as for "
		    "'telltale replay'." },
	{ OPTION_ES_CA },
	{ OPTION_ES_WAIT },
	{ OPTION_ES_BULK },
	{ OPTION_HELP },
	{ .name = NULL },
};

/* Sends every line.  -1 with err; 1: a line is no document. */
static int
send_lines(struct elastic *e, FILE *from, const char *path, struct err *err)
{
	char *line = NULL;
	size_t cap = 0;
	uint64_t number = 0;
	int rc = 0;

	while (rc == 0) {
		ssize_t n = getline(&line, &cap, from);

		if (n < 0)
			break;
		number++;
		if (n > 0 && line[n - 1] == '\n')
			n--;
		rc = elastic_put_line(e, (struct str){ line, (size_t)n }, err);
	}
	free(line);
	if (rc == 1)
		err_set(err,
		    "%s:%" PRIu64 ": this is no document: {\"_index\":…,"
		    "\"_id\":…,\"_source\":{…}} is expected",
		    path, number);
	if (rc == 0 && ferror(from))
		rc = err_set(err, "%s: cannot be read: %s", path,
		    strerror(errno));
	return rc == 0 ? elastic_finish(e, err) : rc;
}

/* `left` is complete, and takes the name. */
static int
replace(const char *path, const char *left, struct err *err)
{
	return rename(left, path) == 0
		   ? 0
		   : err_set(err, "%s: cannot be replaced: %s", path,
			 strerror(errno));
}

static void
say_done(const struct elastic *e, const char *path)
{
	const struct elastic_counts *n = elastic_counts(e);
	struct buf out = { 0 };

	buf_printf(&out,
	    "%s: %" PRIu64 " documents of %s sent: %" PRIu64 " stored, %" PRIu64
	    " there already, %" PRIu64 " refused again\n",
	    elastic_server(e), n->made, path, n->stored, n->there, n->refused);
	command_print(&out);
	buf_fini(&out);
}

static int
redrive(const struct flags *f, FILE *from, const char *path, const char *left)
{
	struct err err = { "" };
	int status = STATUS_OK;
	struct elastic *e =
	    indexing_open(&command_redrive, &f->es, left, &status);
	int rc;

	if (!e)
		return status;
	rc = send_lines(e, from, path, &err);
	if (rc == 0)
		rc = replace(path, left, &err);
	status = reading_stopped();
	if (rc != 0 && status == STATUS_OK) {
		command_say("%s", err.text);
		status = rc > 0                             ? STATUS_DATA
			 : elastic_counts(e)->in_flight > 0 ? STATUS_UNAVAILABLE
							    : STATUS_IO;
	} else if (rc == 0) {
		say_done(e, path);
		status = indexing_status(e, path, status);
	}
	elastic_close(e);
	return status;
}

static int
run_file(const struct flags *f, const char *path)
{
	FILE *from = fopen(path, "re");
	struct buf left = { 0 };
	int status = STATUS_NOINPUT, fd = -1;

	buf_printf(&left, "%s.tmp", path);
	if (from)
		fd = open(buf_cstr(&left),
		    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    0666);
	if (!from) {
		command_say("%s: cannot be opened: %s", path, strerror(errno));
	} else if (fd < 0) {
		command_say("%s: cannot write: %s", buf_cstr(&left),
		    strerror(errno));
		status = STATUS_IO;
	} else {
		close(fd);
		status = redrive(f, from, path, buf_cstr(&left));
		/* Gone already, where it has taken the name. */
		unlink(buf_cstr(&left));
	}
	if (from)
		fclose(from);
	buf_fini(&left);
	return status;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	int n;
	int status = STATUS_OK;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0)
		status = command_usage(&command_redrive, &err);
	else if (f.help)
		status = command_help_print(&command_redrive);
	else if (n != 1 || f.es.urls.n == 0) {
		err_set(&err, "--es URL and one FILE are expected");
		status = command_usage(&command_redrive, &err);
	} else
		status = run_file(&f, argv[0]);
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"FILE is what 'telltale replay --es-refused FILE' has written: a "
	"document a line, with the reason. What is stored now leaves it, what "
	"is refused again stays.",
	NULL,
};

static const struct command_example examples[] = {
	{ "redrive --es http://127.0.0.1:9200 refused.ndjson",
	    "After a mapping was mended." },
	{ NULL, NULL },
};

const struct command command_redrive = {
	.name = "redrive",
	.synopsis = "--es URL FILE",
	.help = "Send documents again that Elasticsearch has refused.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
