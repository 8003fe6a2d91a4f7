/* SPDX-License-Identifier: Apache-2.0 */
/* Option table, help, manual page, completion and fields agree. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/progress.h"
#include "core/when.h"

/* All that a file holds; empty when it is not there. */
static void
slurp(struct buf *b, const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 1;

	while (fd >= 0 && n > 0) {
		n = read(fd, buf_room(b, 65536), 65536);
		b->n += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		close(fd);
}

static void
expect_in_step(const char *path, const struct buf *now)
{
	struct buf file = { 0 };

	slurp(&file, path);
	cr_expect(str_eq(buf_view(&file), buf_view(now)),
	    "%s is not what the program prints: `make man` renews it", path);
	buf_fini(&file);
}

Test(command, the_manual_in_docs_is_what_the_tables_say)
{
	struct buf page = { 0 };

	manual_print(&page);
	expect_in_step("docs/telltale.1", &page);
	buf_fini(&page);
}

Test(command, the_manual_of_the_configuration_is_what_the_tables_say)
{
	struct buf page = { 0 };

	manual_print_config(&page);
	expect_in_step("docs/telltale.yaml.5", &page);
	buf_fini(&page);
}

Test(command, the_fields_in_docs_are_what_the_table_says)
{
	struct buf page = { 0 };

	fields_print(&page);
	expect_in_step("docs/fields.md", &page);
	buf_fini(&page);
}

Test(command, every_option_is_in_the_manual)
{
	struct buf page = { 0 };
	struct buf item = { 0 };

	manual_print(&page);
	for (size_t i = 0; commands()[i]; i++) {
		for (const struct opt *o = commands()[i]->opts; o->name; o++) {
			buf_reset(&item);
			buf_printf(&item, "Fl \\-%s", o->name);
			cr_expect(str_find_str(buf_view(&page),
				      buf_view(&item)) != SIZE_MAX,
			    "--%s", o->name);
		}
	}
	buf_fini(&page);
	buf_fini(&item);
}

Test(command, names_and_letters_are_taken_once)
{
	for (size_t i = 0; commands()[i]; i++) {
		const struct opt *opts = commands()[i]->opts;

		for (const struct opt *a = opts; a->name; a++) {
			size_t n = strlen(a->help);

			cr_expect(a->help[n - 1] == '.', "--%s", a->name);
			cr_expect_eq(a->type == OPT_FLAG, a->arg == NULL,
			    "--%s", a->name);
			for (const struct opt *b = opts; b < a; b++) {
				cr_expect_str_neq(a->name, b->name);
				cr_expect(a->letter == 0 ||
					      a->letter != b->letter,
				    "-%c", a->letter);
			}
		}
	}
}

Test(command, progress_names_rate_and_time_left)
{
	static const struct {
		const char *name;
		struct progress_view view;
		const char *line;
	} rows[] = {
		{ "begin", { 0, 1000000, 0, 0, 0 },
		    "reading 0 B of 1.0 MB (0 %), 0 B/s, 0  records/s" },
		{ "half", { 500000000, 1000000000, 2000000, 0, 4 * NS_PER_SEC },
		    "reading 500 MB of 1.0 GB (49 %), 125 MB/s, 500 k "
		    "records/s, 5 s left" },
		{ "stdin", { 4200, 0, 10, 0, NS_PER_SEC },
		    "reading 4.2 kB, 4.2 kB/s, 10  records/s" },
		{ "judging", { 10, 10, 10, 1, NS_PER_SEC },
		    "judging 10 B of 10 B (10 %), 10 B/s, 10  records/s" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf b = { 0 };

		progress_line(&b, &rows[i].view);
		cr_expect_str_eq(buf_cstr(&b), rows[i].line, "%s: %s",
		    rows[i].name, buf_cstr(&b));
		buf_fini(&b);
	}
}
