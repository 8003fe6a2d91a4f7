/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of groups.  Reading takes any JSON of GetGroups' shape and keeps
 * the members it knows; writing makes that shape again, in the order of the
 * list, so that a file changes by the group that was changed.
 */
#include "query/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/hash.h"
#include "core/json.h"
#include "core/mem.h"
#include "query/query.h"

static const char arn_head[] = "arn:aws:xray:local:000000000000:group/";

bool
query_group_is_default(struct str name_or_arn)
{
	return str_eq(name_or_arn, STR("Default")) ||
	       (str_starts(name_or_arn, STR("arn:")) &&
		   str_ends(name_or_arn, STR(":group/Default")));
}

const struct query_group *
query_groups_by_name(const struct query_groups *g, struct str name)
{
	for (size_t i = 0; i < g->n; i++)
		if (str_eq(g->v[i].name, name))
			return &g->v[i];
	return NULL;
}

const struct query_group *
query_groups_by_arn(const struct query_groups *g, struct str arn)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].arn.n && str_eq(g->v[i].arn, arn))
			return &g->v[i];
	return NULL;
}

static bool
is_group_name(struct str name)
{
	if (name.n < 1 || name.n > QUERY_GROUP_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return true;
}

/* A place at the end of the list. */
static struct query_group *
append(struct query_groups *g)
{
	g->v = xgrow(g->v, g->n + 1, &g->cap, sizeof(*g->v));
	g->v[g->n] = (struct query_group){ .insights = false };
	return &g->v[g->n++];
}

static int
read_group(struct query_groups *g, const struct json_val *v, struct err *err)
{
	struct str name = json_str(json_get(v, STR("GroupName")));
	const struct json_val *insights =
	    json_get(v, STR("InsightsConfiguration"));

	if (query_group_is_default(name))
		return 0;
	if (!is_group_name(name))
		return err_set(err,
		    "group %zu: GroupName must be 1 to %d "
		    "letters, digits, - and _",
		    g->n + 1, QUERY_GROUP_NAME_MAX);
	if (query_groups_by_name(g, name))
		return err_set(err, "the group %.*s is there twice",
		    STR_ARG(name));
	if (g->n == QUERY_GROUPS_MAX)
		return err_set(err, "more than %d groups", QUERY_GROUPS_MAX);
	struct query_group *to = append(g);

	to->name = arena_dup(&g->arena, name);
	to->arn = arena_dup(&g->arena, json_str(json_get(v, STR("GroupARN"))));
	to->expression = arena_dup(&g->arena,
	    json_str(json_get(v, STR("FilterExpression"))));
	json_bool(json_get(insights, STR("InsightsEnabled")), &to->insights);
	json_bool(json_get(insights, STR("NotificationsEnabled")),
	    &to->notifications);
	return 0;
}

static int
read_json(struct query_groups *g, struct str text, struct err *err)
{
	struct json j = { 0 };
	struct json_bad bad = { 0 };
	struct json_iter it;
	int rc = 0;

	if (json_parse(&j, text, &bad) < 0) {
		json_fini(&j);
		return err_set(err, "byte %zu: %s", bad.offset, bad.what);
	}
	const struct json_val *list = json_get(json_root(&j), STR("Groups"));

	if (json_type(list) != JSON_ARRAY)
		rc = err_set(err, "expected {\"Groups\": [...]}, as GetGroups "
				  "answers");
	json_iter_init(&it, list);
	for (struct json_val *v = json_iter_next(&it); v && rc == 0;
	     v = json_iter_next(&it))
		rc = read_group(g, v, err);
	json_fini(&j);
	return rc;
}

static int
read_all(int fd, struct buf *b, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, "not a regular file");
	for (;;) {
		char *to = buf_room(b, 64 * 1024);
		ssize_t n = read(fd, to, 64 * 1024);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, "%s", strerror(errno));
		if (n == 0)
			return 0;
		b->n += (size_t)n;
		if (b->n > QUERY_GROUPS_BYTES_MAX)
			return err_set(err, "longer than %d bytes",
			    QUERY_GROUPS_BYTES_MAX);
	}
}

int
query_groups_read(struct query_groups *g, const char *path, struct err *err)
{
	struct buf b = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, "groups: %s: %s", path, strerror(errno));
	rc = read_all(fd, &b, err);
	close(fd);
	if (rc == 0)
		rc = read_json(g, buf_view(&b), err);
	buf_fini(&b);
	if (rc < 0)
		err_prefix(err, "groups: %s: ", path);
	return rc;
}

static void
put_groups(struct buf *b, const struct query_groups *g)
{
	buf_cat(b, "{\"Groups\":[");
	for (size_t i = 0; i < g->n; i++) {
		const struct query_group *v = &g->v[i];

		json_item(b);
		buf_cat(b, "\n{");
		json_member_str(b, "GroupName", v->name);
		json_member_str(b, "GroupARN", v->arn);
		json_member_str(b, "FilterExpression", v->expression);
		json_key(b, "InsightsConfiguration");
		buf_char(b, '{');
		json_member_bool(b, "InsightsEnabled", v->insights);
		json_member_bool(b, "NotificationsEnabled", v->notifications);
		buf_cat(b, "}}");
	}
	buf_cat(b, "\n]}\n");
}

static int
write_all(int fd, struct str s, struct err *err)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, "%s", strerror(errno));
		s = str_from(s, (size_t)n);
	}
	return fsync(fd) < 0 ? err_set(err, "%s", strerror(errno)) : 0;
}

/* The rename is durable once the folder is synced; failing that is no loss. */
static void
sync_folder(const char *path)
{
	struct buf b = { 0 };
	struct str s = str_of(path);
	size_t slash = str_find_last(s, '/');

	if (slash == SIZE_MAX)
		buf_char(&b, '.');
	else
		buf_str(&b, str_sub(s, 0, slash + 1));
	int fd = open(buf_cstr(&b), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	buf_fini(&b);
}

/* Writes the new file beside the old one, which has the mode. */
static int
write_beside(char *name, struct str text, mode_t mode, struct err *err)
{
	int fd = mkostemp(name, O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_set(err, "%s", strerror(errno));
	rc = write_all(fd, text, err);
	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = err_set(err, "%s", strerror(errno));
	if (close(fd) < 0 && rc == 0)
		rc = err_set(err, "%s", strerror(errno));
	if (rc < 0)
		unlink(name);
	return rc;
}

int
query_groups_write(const struct query_groups *g, const char *path,
    struct err *err)
{
	struct stat st = { .st_mode = S_IFREG | 0644 };
	struct buf text = { 0 }, name = { 0 };
	int rc;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err,
		    "groups: %s: not a regular file; not replaced", path);
	put_groups(&text, g);
	buf_printf(&name, "%s.XXXXXX", path);
	buf_char(&name, '\0');
	rc = write_beside(name.p, buf_view(&text), st.st_mode & 0777, err);
	if (rc == 0 && rename(name.p, path) < 0) {
		rc = err_set(err, "%s", strerror(errno));
		unlink(name.p);
	}
	if (rc == 0)
		sync_folder(path);
	else
		err_prefix(err, "groups: %s: ", path);
	buf_fini(&name);
	buf_fini(&text);
	return rc;
}

void
query_groups_fini(struct query_groups *g)
{
	free(g->v);
	arena_fini(&g->arena);
	*g = (struct query_groups){ .n = 0 };
}

/* Whether the expression is one, with the groups that there are. */
static int
check_expression(const struct query_groups *g, struct str name,
    struct str expression, struct err *err)
{
	struct query_error bad;
	struct buf b = { 0 };
	struct query *q = query_parse(expression, g, &bad);

	if (!q) {
		query_error_message(&b, expression, &bad);
		err_set(err, "group %.*s: %s", STR_ARG(name), buf_cstr(&b));
		buf_fini(&b);
		return -1;
	}
	query_free(q);
	return 0;
}

/* After a change all others must still be expressions. */
static int
check_all(const struct query_groups *g, struct err *err)
{
	for (size_t i = 0; i < g->n; i++)
		if (check_expression(g, g->v[i].name, g->v[i].expression, err) <
		    0)
			return -1;
	return 0;
}

int
query_groups_add(struct query_groups *g, struct str name, struct str expression,
    struct err *err)
{
	char id[HASH_ID_SIZE];
	struct buf arn = { 0 };

	if (query_group_is_default(name))
		return err_set(err, "Default is a reserved group name");
	if (!is_group_name(name))
		return err_set(err,
		    "Invalid group name: 1 to %d letters, "
		    "digits, - and _",
		    QUERY_GROUP_NAME_MAX);
	if (str_trim(expression).n == 0)
		return err_set(err, "Filter Expression is empty");
	if (check_expression(g, name, expression, err) < 0)
		return -1;
	for (size_t i = 0; i < g->n; i++) {
		struct query_group *v = &g->v[i];
		struct str old = v->expression;

		if (!str_eq(v->name, name))
			continue;
		v->expression = arena_dup(&g->arena, expression);
		if (check_all(g, err) == 0)
			return 0;
		v->expression = old;
		return -1;
	}
	if (g->n == QUERY_GROUPS_MAX)
		return err_set(err,
		    "The maximum number of groups has been reached");
	struct query_group *v = append(g);

	hash_id(id, &name, 1);
	buf_printf(&arn, "%s%.*s/", arn_head, STR_ARG(name));
	buf_put(&arn, id, sizeof(id));
	v->name = arena_dup(&g->arena, name);
	v->arn = arena_dup(&g->arena, buf_view(&arn));
	v->expression = arena_dup(&g->arena, expression);
	buf_fini(&arn);
	return 0;
}

int
query_groups_remove(struct query_groups *g, struct str name, struct err *err)
{
	size_t at = 0;

	if (query_group_is_default(name))
		return err_set(err, "The Default group cannot be deleted");
	while (at < g->n && !str_eq(g->v[at].name, name))
		at++;
	if (at == g->n)
		return err_set(err, "Group not found");
	struct query_group gone = g->v[at];

	memmove(&g->v[at], &g->v[at + 1], (g->n - at - 1) * sizeof(g->v[0]));
	g->n--;
	if (check_all(g, err) == 0)
		return 0;
	memmove(&g->v[at + 1], &g->v[at], (g->n - at) * sizeof(g->v[0]));
	g->v[at] = gone;
	g->n++;
	return err_prefix(err, "another group refers to %.*s: ", STR_ARG(name));
}
