/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telltale setup: what a server has to know before documents come.
 */
#include <stddef.h>
#include <string.h>

#include "cli/indexing.h"
#include "cli/options.h"
#include "core/buf.h"
#include "sinks/elastic_setup.h"

struct flags {
	struct indexing_flags es;
	bool help, print, remove;
};

static const struct opt opts[] = {
	{ .group = "Where it goes",
	    OPTION_ES,
	    .help = "The Elasticsearch or OpenSearch at URL, as for 'telltale "
		    "replay'." },
	{ OPTION_ES_CA },
	{ .group = "What is done",
	    .name = "print",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, print),
	    .help = "Print the request instead, as a console takes it; no "
		    "server is needed." },
	{
	    .name = "remove",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct flags, remove),
	    .help = "Take the template away again. Indices stay.",
	},
	{ OPTION_HELP },
	{ .name = NULL },
};

static int
print(void)
{
	const struct template_form *f = &template_forms[0];
	struct buf out = { 0 };
	int status;

	buf_printf(&out, "PUT %s\n", elastic_template_path(f));
	elastic_template(&out, f);
	buf_char(&out, '\n');
	status = command_print(&out);
	buf_fini(&out);
	return status;
}

static int
run_setup(const struct flags *f)
{
	struct buf words = { 0 };
	struct err err = { "" };
	struct elastic_options options;
	int status = STATUS_UNAVAILABLE;

	indexing_options(&options, &f->es);
	if (elastic_setup(&options, f->remove ? SETUP_REMOVE : SETUP_PUT,
		&words, &err) == 0)
		status = command_print(&words);
	else
		command_say("%s", err.text);
	buf_fini(&words);
	return status;
}

static int
run(int argc, char **argv)
{
	struct flags f;
	struct err err = { "" };
	int n;
	int status;

	opt_defaults(opts, &f);
	if (opt_parse(opts, &f, argc, argv, &n, &err) < 0) {
		status = command_usage(&command_setup, &err);
	} else if (f.help) {
		status = command_help_print(&command_setup);
	} else if (n != 1 || strcmp(argv[0], "elasticsearch") != 0) {
		err_set(&err, "what is to be set up? 'elasticsearch' is known");
		status = command_usage(&command_setup, &err);
	} else if (!f.print && f.es.urls.n == 0) {
		err_set(&err, "--es URL or --print is expected");
		status = command_usage(&command_setup, &err);
	} else {
		status = f.print ? print() : run_setup(&f);
	}
	opt_fini(opts, &f);
	return status;
}

static const char *const about[] = {
	"Puts the index template of telltale-* indices: the type of every "
	"field of docs/fields.md. What is not in it is kept in the documents "
	"and not indexed. Doing it again changes nothing; indices that are "
	"there keep what they have.",
	NULL,
};

static const struct command_example examples[] = {
	{ "setup elasticsearch --es http://127.0.0.1:9200",
	    "Before the first 'telltale replay --es'." },
	{ "setup elasticsearch --print", "What would be sent." },
	{ NULL, NULL },
};

const struct command command_setup = {
	.name = "setup",
	.synopsis = "[options] elasticsearch",
	.help = "Put the index template into Elasticsearch.",
	.about = about,
	.examples = examples,
	.opts = opts,
	.run = run,
};
