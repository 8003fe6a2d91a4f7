/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of filter groups: written, read again, refused when it is no such
 * file, and what the AWS command line prints of groups.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "query/group.h"
#include "query/query.h"

static char folder[] = "/tmp/telltale-groups-XXXXXX";

static const char *
in_folder(struct buf *b, const char *name)
{
	buf_reset(b);
	buf_printf(b, "%s/%s", folder, name);
	return buf_cstr(b);
}

static void
write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	cr_assert(f);
	fputs(text, f);
	fclose(f);
}

Test(query_group, file_holds_what_was_added)
{
	struct query_groups g = { 0 }, again = { 0 };
	struct err err = { .text = "" };
	struct buf path = { 0 };

	cr_assert(mkdtemp(folder));
	in_folder(&path, "groups.json");
	cr_expect(query_groups_read(&g, path.p, &err) == 0 && g.n == 0);
	cr_assert(query_groups_add(&g, STR("slow"),
		      STR("responsetime > 5 AND user = \"a\\\"b\""), &err) == 0,
	    "%s", err.text);
	cr_assert(query_groups_add(&g, STR("Both"),
		      STR("group.name = \"slow\" AND fault"), &err) == 0);
	cr_assert(query_groups_write(&g, path.p, &err) == 0, "%s", err.text);
	cr_assert(query_groups_read(&again, path.p, &err) == 0, "%s", err.text);
	cr_assert(again.n == 2);
	for (size_t i = 0; i < 2; i++) {
		cr_expect(str_eq(g.v[i].name, again.v[i].name));
		cr_expect(str_eq(g.v[i].arn, again.v[i].arn));
		cr_expect(str_eq(g.v[i].expression, again.v[i].expression));
	}
	cr_expect(query_groups_by_arn(&again, g.v[1].arn) == &again.v[1]);
	unlink(path.p);
	cr_expect(rmdir(folder) == 0, "a temporary file was left");
	query_groups_fini(&g);
	query_groups_fini(&again);
	buf_fini(&path);
}

Test(query_group, refuses_what_is_no_group_file_and_leaves_it)
{
	static const struct {
		const char *name, *text, *why;
	} rows[] = {
		{ "not json", "{", "groups: " },
		{ "no list", "{}", "expected {\"Groups\"" },
		{ "no name", "{\"Groups\":[{}]}", "GroupName" },
		{ "a bad name", "{\"Groups\":[{\"GroupName\":\"a b\"}]}",
		    "GroupName" },
		{ "twice",
		    "{\"Groups\":[{\"GroupName\":\"a\"},{\"GroupName\":\"a\"}]"
		    "}",
		    "twice" },
	};
	struct buf path = { 0 };
	struct err err;

	cr_assert(mkdtemp(folder));
	in_folder(&path, "groups.json");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query_groups g = { 0 };

		write_text(path.p, rows[i].text);
		cr_expect(query_groups_read(&g, path.p, &err) < 0, "%s",
		    rows[i].name);
		cr_expect(strstr(err.text, rows[i].why), "%s: %s", rows[i].name,
		    err.text);
		query_groups_fini(&g);
	}
	unlink(path.p);
	rmdir(folder);
	buf_fini(&path);
}

Test(query_group, replaces_nothing_but_regular_files)
{
	struct query_groups g = { 0 };
	struct err err;
	struct stat st;
	struct buf path = { 0 };

	cr_assert(mkdtemp(folder));
	in_folder(&path, "pipe");
	cr_assert(mkfifo(path.p, 0600) == 0);
	cr_expect(query_groups_write(&g, path.p, &err) < 0);
	cr_expect(query_groups_read(&g, path.p, &err) < 0);
	cr_expect(lstat(path.p, &st) == 0 && S_ISFIFO(st.st_mode));
	unlink(path.p);
	in_folder(&path, "link");
	cr_assert(symlink("/dev/null", path.p) == 0);
	cr_expect(query_groups_write(&g, path.p, &err) < 0);
	cr_expect(lstat(path.p, &st) == 0 && S_ISLNK(st.st_mode));
	unlink(path.p);
	in_folder(&path, "kept");
	write_text(path.p, "{\"Groups\":[]}");
	cr_assert(chmod(path.p, 0640) == 0);
	cr_expect(query_groups_write(&g, path.p, &err) == 0, "%s", err.text);
	cr_expect(stat(path.p, &st) == 0 && (st.st_mode & 0777) == 0640);
	unlink(path.p);
	cr_expect(rmdir(folder) == 0);
	query_groups_fini(&g);
	buf_fini(&path);
}

Test(query_group, add_and_remove_keep_all_of_them_expressions)
{
	struct query_groups g = { 0 };
	struct err err;

	cr_assert(query_groups_add(&g, STR("a"), STR("ok"), &err) == 0);
	cr_assert(query_groups_add(&g, STR("b"), STR("!group.name = \"a\""),
		      &err) == 0);
	cr_expect(query_groups_remove(&g, STR("a"), &err) < 0);
	cr_expect(strstr(err.text, "another group refers to a"), "%s",
	    err.text);
	cr_expect(query_groups_add(&g, STR("a"), STR("group.name = \"b\""),
		      &err) < 0);
	cr_expect(strstr(err.text, "refers to itself"), "%s", err.text);
	cr_expect(query_groups_add(&g, STR("c"), STR(" "), &err) < 0);
	cr_expect(query_groups_add(&g, STR("c"), STR("okay"), &err) < 0);
	cr_expect(query_groups_add(&g, STR("Default"), STR("ok"), &err) < 0);
	cr_expect(query_groups_add(&g, STR(""), STR("ok"), &err) < 0);
	cr_expect(query_groups_remove(&g, STR("Default"), &err) < 0);
	cr_expect(query_groups_remove(&g, STR("z"), &err) < 0);
	cr_expect(query_groups_remove(&g, STR("b"), &err) == 0);
	cr_expect(query_groups_remove(&g, STR("a"), &err) == 0 && g.n == 0);
	query_groups_fini(&g);
}

Test(query_group, reads_what_the_aws_cli_prints)
{
	static const char path[] =
	    "../shared/corpus/xray/awscli-get-groups.response.json";
	struct query_groups g = { 0 };
	struct err err;

	if (access(path, R_OK) < 0) {
		fprintf(stderr, "skipped: no %s\n", path);
		return;
	}
	cr_assert(query_groups_read(&g, path, &err) == 0, "%s", err.text);
	cr_expect(g.n == 2 && g.v[0].expression.n && g.v[0].arn.n);
	query_groups_fini(&g);
}
