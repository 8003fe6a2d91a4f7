/* SPDX-License-Identifier: Apache-2.0 */
/* See the header; what is asked over HTTP is in aws_fetch.c. */
#include "sinks/aws_credentials.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/aws_fetch.h"
#include "sinks/aws_profile.h"

enum { FILE_MAX = 1024 * 1024 };

#define AHEAD_NS (300 * NS_PER_SEC)

struct aws_chain {
	const char *ca_file;
	struct aws_credentials now;
	bool have;
	struct buf region, note;
	bool noted;
};

static const char *
from_environment(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static int64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

static void
wipe(char **s)
{
	if (*s)
		explicit_bzero(*s, strlen(*s));
	free(*s);
	*s = NULL;
}

void
aws_credentials_fini(struct aws_credentials *c)
{
	wipe(&c->key_id);
	wipe(&c->secret);
	wipe(&c->token);
	*c = (struct aws_credentials){ 0 };
}

struct aws_chain *
aws_chain_new(const char *ca_file)
{
	struct aws_chain *c = xcalloc(1, sizeof *c);

	c->ca_file = ca_file;
	return c;
}

void
aws_chain_free(struct aws_chain *c)
{
	if (!c)
		return;
	aws_credentials_fini(&c->now);
	buf_fini(&c->region);
	buf_fini(&c->note);
	free(c);
}

static char *
text(struct str s)
{
	return s.n > 0 ? strndup(s.p, s.n) : NULL;
}

/* 1: here they are; 0: not configured here; -1 with err. */
static int
of_environment(struct aws_chain *c, struct aws_credentials *out,
    struct err *err)
{
	const char *id = from_environment("AWS_ACCESS_KEY_ID");
	const char *secret = from_environment("AWS_SECRET_ACCESS_KEY");

	(void)c;
	if (!id && !secret)
		return 0;
	if (!id || !secret)
		return err_set(err, "%s is set and %s is not",
		    id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
		    id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
	out->key_id = text(str_of(id));
	out->secret = text(str_of(secret));
	out->token = text(str_of(from_environment("AWS_SESSION_TOKEN")));
	out->from = "the environment";
	return 1;
}

/* Where a file of the AWS tools is; false: nobody has a home. */
static bool
file_path(struct buf *path, const char *variable, const char *name)
{
	const char *given = from_environment(variable);
	const char *home = from_environment("HOME");

	if (given)
		buf_cat(path, given);
	else if (home)
		buf_printf(path, "%s/.aws/%s", home, name);
	return path->n > 0;
}

/* A whole file; 0: there is none. */
static int
read_file(const char *path, struct buf *content, struct stat *st,
    struct err *err)
{
	FILE *f = fopen(path, "re");
	int rc = 1;

	*st = (struct stat){ 0 };
	if (!f && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!f)
		return err_set(err, "%s: cannot be opened: %s", path,
		    strerror(errno));
	while (!feof(f) && !ferror(f) && content->n <= FILE_MAX)
		content->n += fread(buf_room(content, 4096), 1, 4096, f);
	if (ferror(f) || fstat(fileno(f), st) != 0)
		rc = err_set(err, "%s: cannot be read", path);
	else if (content->n > FILE_MAX)
		rc = err_set(err, "%s: more than 1 MiB", path);
	fclose(f);
	return rc;
}

static const char *
profile_name(void)
{
	const char *name = from_environment("AWS_PROFILE");

	return name ? name : "default";
}

static void
note_readable(struct aws_chain *c, const char *path, const struct stat *st)
{
	if ((st->st_mode & 077) == 0 || c->note.n > 0)
		return;
	buf_printf(&c->note,
	    "%s can be read by others, as its mode is %04o: chmod 600 it", path,
	    (unsigned)(st->st_mode & 07777));
}

/* Ways to credentials that a profile may name and that we do not go. */
static int
refuse_other_ways(struct str content, enum aws_file file, struct str profile,
    const char *path, struct err *err)
{
	static const char *const keys[] = { "role_arn", "credential_process",
		"sso_session", "sso_start_url" };
	struct str value;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (aws_profile_get(content, file, profile, keys[i], &value))
			return err_set(err,
			    "%s: profile '%.*s' has %s, which is not "
			    "supported: give keys, or export them with 'aws "
			    "configure export-credentials --format env'",
			    path, STR_ARG(profile), keys[i]);
	return 0;
}

static int
of_content(struct aws_chain *c, struct aws_credentials *out, enum aws_file file,
    const char *path, struct str content, struct err *err)
{
	struct str profile = str_of(profile_name());
	struct str id = { NULL, 0 }, secret = { NULL, 0 }, token = { NULL, 0 };
	struct str region;

	if (c->region.n == 0 &&
	    aws_profile_get(content, file, profile, "region", &region))
		buf_str(&c->region, region);
	aws_profile_get(content, file, profile, "aws_access_key_id", &id);
	aws_profile_get(content, file, profile, "aws_secret_access_key",
	    &secret);
	if (id.n == 0 && secret.n == 0)
		return refuse_other_ways(content, file, profile, path, err);
	if (id.n == 0 || secret.n == 0)
		return err_set(err, "%s: profile '%.*s' has no %s", path,
		    STR_ARG(profile),
		    id.n > 0 ? "aws_secret_access_key" : "aws_access_key_id");
	aws_profile_get(content, file, profile, "aws_session_token", &token);
	out->key_id = text(id);
	out->secret = text(secret);
	out->token = text(token);
	out->from = "a profile";
	return 1;
}

static int
of_file(struct aws_chain *c, struct aws_credentials *out, enum aws_file file,
    bool *has, struct err *err)
{
	bool keys = file == AWS_FILE_CREDENTIALS;
	struct buf path = { 0 }, content = { 0 };
	struct stat st;
	int rc = 0;

	if (file_path(&path,
		keys ? "AWS_SHARED_CREDENTIALS_FILE" : "AWS_CONFIG_FILE",
		keys ? "credentials" : "config"))
		rc = read_file(buf_cstr(&path), &content, &st, err);
	if (rc > 0) {
		*has |= aws_profile_has(buf_view(&content), file,
		    str_of(profile_name()));
		rc = of_content(c, out, file, buf_cstr(&path),
		    buf_view(&content), err);
		if (rc > 0)
			note_readable(c, buf_cstr(&path), &st);
	}
	if (content.p)
		explicit_bzero(content.p, content.cap);
	buf_fini(&content);
	buf_fini(&path);
	return rc;
}

static int
of_profile(struct aws_chain *c, struct aws_credentials *out, struct err *err)
{
	bool has = false;
	int rc = of_file(c, out, AWS_FILE_CREDENTIALS, &has, err);

	if (rc == 0)
		rc = of_file(c, out, AWS_FILE_CONFIG, &has, err);
	if (rc == 0 && from_environment("AWS_PROFILE") && !has)
		return err_set(err,
		    "AWS_PROFILE is '%s', and no file of the AWS tools has "
		    "such a profile",
		    profile_name());
	return rc;
}

static int
of_web_identity(struct aws_chain *c, struct aws_credentials *out,
    struct err *err)
{
	const char *file = from_environment("AWS_WEB_IDENTITY_TOKEN_FILE");
	struct buf token = { 0 };
	struct stat st;
	int rc;

	if (!file)
		return 0;
	rc = read_file(file, &token, &st, err);
	if (rc == 0)
		rc = err_set(err,
		    "%s: there is no such file, and "
		    "AWS_WEB_IDENTITY_TOKEN_FILE names it",
		    file);
	if (rc > 0)
		rc = aws_fetch_web_identity(out, c->ca_file,
		    aws_chain_region(c), str_trim(buf_view(&token)), err);
	if (token.p)
		explicit_bzero(token.p, token.cap);
	buf_fini(&token);
	return rc;
}

/* What is sent along: of a file, which may change, or of the environment. */
static int
container_token(struct buf *token, struct err *err)
{
	const char *file =
	    from_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *given =
	    from_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	struct stat st;
	int rc = 1;

	if (file)
		rc = read_file(file, token, &st, err);
	else if (given)
		buf_cat(token, given);
	if (rc == 0)
		return err_set(err, "%s: there is no such file", file);
	return rc < 0 ? -1 : 0;
}

static int
of_container(struct aws_chain *c, struct aws_credentials *out, struct err *err)
{
	const char *relative =
	    from_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full =
	    from_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	struct buf url = { 0 }, token = { 0 };
	int rc;

	if (!relative && !full)
		return 0;
	if (relative)
		buf_printf(&url, "http://169.254.170.2%s", relative);
	else
		buf_cat(&url, full);
	rc = container_token(&token, err);
	if (rc == 0)
		rc = aws_fetch_container(out, c->ca_file, buf_cstr(&url),
		    str_trim(buf_view(&token)), err);
	if (token.p)
		explicit_bzero(token.p, token.cap);
	buf_fini(&token);
	buf_fini(&url);
	return rc;
}

static int
of_instance(struct aws_chain *c, struct aws_credentials *out, struct err *err)
{
	const char *off = from_environment("AWS_EC2_METADATA_DISABLED");
	const char *endpoint =
	    from_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");

	(void)c;
	if (off && str_eq_nocase(str_of(off), STR("true")))
		return 0;
	return aws_fetch_instance(out,
	    endpoint ? endpoint : "http://169.254.169.254", err);
}

static int
look(struct aws_chain *c, struct aws_credentials *out, struct err *err)
{
	static int (*const places[])(struct aws_chain *,
	    struct aws_credentials *, struct err *) = { of_environment,
		of_profile, of_web_identity, of_container, of_instance };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof places / sizeof places[0]; i++)
		rc = places[i](c, out, err);
	if (rc == 0)
		rc = err_set(err, "there are none in the environment, in a "
				  "profile, of a container or an instance");
	return rc;
}

static bool
is_good(const struct aws_credentials *c, int64_t now_ns)
{
	return c->expires_ns == WHEN_NONE || now_ns < c->expires_ns;
}

const struct aws_credentials *
aws_chain_get(struct aws_chain *c, bool fresh, struct err *err)
{
	struct aws_credentials next = { .expires_ns = WHEN_NONE };
	int64_t now_ns = clock_ns();

	if (c->have && !fresh && is_good(&c->now, now_ns + AHEAD_NS))
		return &c->now;
	if (look(c, &next, err) > 0) {
		aws_credentials_fini(&c->now);
		c->now = next;
		c->have = true;
		return &c->now;
	}
	aws_credentials_fini(&next);
	if (c->have && !fresh && is_good(&c->now, now_ns))
		return &c->now;
	err_prefix(err, "AWS credentials: ");
	return NULL;
}

const char *
aws_chain_region(struct aws_chain *c)
{
	const char *region = from_environment("AWS_REGION");

	if (!region)
		region = from_environment("AWS_DEFAULT_REGION");
	if (!region && c->region.n > 0)
		region = buf_cstr(&c->region);
	return region;
}

const char *
aws_chain_note(struct aws_chain *c)
{
	if (c->noted || c->note.n == 0)
		return NULL;
	c->noted = true;
	return buf_cstr(&c->note);
}
