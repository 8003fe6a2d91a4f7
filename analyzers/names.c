/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readable names.
 *
 * Words are what stands between - and _.  A filler is a word that says what
 * kind of thing this is (service, cntr, log) and not which; a setting says
 * where it runs (prod, core, ecs).  Fillers go from both ends as long as a word
 * remains, and what stands before an inner filler belongs to something larger:
 * in mythicalmysfits-service-monolith-service the monolith is meant.
 */
#include "analyzers/names.h"

#include <stdbool.h>
#include <stdint.h>

enum { WORDS_MAX = 32, TASK_ID = 32, UUID = 36 };

struct words {
	struct str v[WORDS_MAX];
	size_t n;
	bool set; /* a setting was left out */
};

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static bool
all_hex(struct str s, size_t least)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_hex(s.p[i]))
			return false;
	return s.n >= least;
}

static bool
all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static bool
is_uuid(struct str s)
{
	if (s.n != UUID)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool joint = i == 8 || i == 13 || i == 18 || i == 23;

		if (joint ? s.p[i] != '-' : !is_hex(s.p[i]))
			return false;
	}
	return true;
}

static bool
is_one_of(struct str s, const char *const *list)
{
	for (; *list; list++)
		if (str_eq_nocase(s, str_of(*list)))
			return true;
	return false;
}

/* What kind of thing it is. */
static bool
is_filler(struct str s)
{
	static const char *const fillers[] = { "service", "services", "svc",
		"cntr", "container", "containers", "task", "taskdef", "log",
		"logs", "loggroup", "group", "access", "error", "errors", "out",
		"stdout", "stderr", "ssl", "host", "other", "vhost", "var",
		"tmp", "export", "exports", "exportedlogs", "s3", "archive",
		"archives", "backup", "cloudwatch", "aws", "instance",
		"application", "dataplane", "performance", "app", "main",
		"default", "json", "ndjson", "txt", "gz", "zst", "csv",
		"messages", "filter", "events", "", ".", "..", NULL };

	return all_digits(s) || is_one_of(s, fillers);
}

/* Where it runs, or who drives its log. */
static bool
is_setting(struct str s)
{
	static const char *const settings[] = { "awslogs", "ecs", "docker",
		"core", "prod", "production", "dev", "development", "test",
		"staging", "stage", "qa", "demo", "my", NULL };

	return is_one_of(s, settings);
}

/* The suffix that CloudFormation gives: 1V9KQ3Z0XJ7TD. */
static bool
is_random(struct str s)
{
	bool digit = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digit = true;
		else if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	}
	return digit && s.n >= 8;
}

static void
words_split(struct words *w, struct str s)
{
	size_t from = 0;

	w->n = 0;
	for (size_t i = 0; i <= s.n && w->n < WORDS_MAX; i++) {
		if (i < s.n && s.p[i] != '-' && s.p[i] != '_')
			continue;
		w->v[w->n++] = str_sub(s, from, i - from);
		from = i + 1;
	}
}

/*
 * The words without fillers and random suffixes at the ends, and without what
 * stands before an inner filler.  Nothing when there are only fillers.
 */
static struct words
words_core(struct str s)
{
	struct words w;
	struct words core = { 0 };
	size_t from = 0;

	words_split(&w, s);
	while (w.n > 0 && (is_filler(w.v[w.n - 1]) ||
			      (w.n > 1 && is_random(w.v[w.n - 1]))))
		w.n--;
	for (size_t i = 0; i < w.n; i++)
		if (is_filler(w.v[i]))
			from = i + 1;
	while (from + 1 < w.n && is_setting(w.v[from])) {
		core.set = true;
		from++;
	}
	for (size_t i = from; i < w.n; i++)
		core.v[core.n++] = w.v[i];
	return core;
}

/* Joins the words as they stood, from the given one on; false: none. */
static bool
put_words(struct buf *out, const struct words *w, size_t from)
{
	if (from >= w->n)
		return false;

	const char *p = w->v[from].p;
	const struct str *last = &w->v[w->n - 1];

	buf_put(out, p, (size_t)(last->p + last->n - p));
	return true;
}

/* The part behind the last slash; *rest is what stands before it. */
static struct str
last_part(struct str *rest)
{
	size_t slash = str_find_last(*rest, '/');
	struct str part = *rest;

	if (slash == SIZE_MAX) {
		*rest = (struct str){ 0 };
		return part;
	}
	part = str_from(*rest, slash + 1);
	*rest = str_sub(*rest, 0, slash);
	return part;
}

/* The alphabet of Kubernetes' random suffixes: no vowels, no 0, 1, 3. */
static bool
is_pod_hash(struct str s, size_t least, size_t most)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_find(STR("bcdfghjklmnpqrstvwxz2456789"), s.p[i]) ==
		    SIZE_MAX)
			return false;
	return s.n >= least && s.n <= most;
}

/* A pod's name without -<replica set>-<pod>, -<pod> or -<ordinal>. */
static struct str
pod_workload(struct str pod)
{
	size_t dash = str_find_last(pod, '-');

	if (dash == SIZE_MAX || dash == 0)
		return pod;

	struct str tail = str_from(pod, dash + 1);
	struct str head = str_sub(pod, 0, dash);

	if (all_digits(tail))
		return head;
	if (!is_pod_hash(tail, 5, 5))
		return pod;
	dash = str_find_last(head, '-');
	if (dash != SIZE_MAX && dash > 0 &&
	    is_pod_hash(str_from(head, dash + 1), 6, 10))
		return str_sub(head, 0, dash);
	return head;
}

struct pod {
	struct str workload, namespace, container;
};

/*
 * [<host>-application.var.log.containers.|…/]<pod>_<namespace>_<container>-
 * <64 hex>.log, also with the id cut off already.
 */
static bool
pod_of(struct str s, struct pod *pod)
{
	struct str mark = STR("log.containers.");
	size_t at = str_find_str(s, mark);

	if (at != SIZE_MAX)
		s = str_from(s, at + mark.n);
	else if (str_find_str(s, STR("/containers/")) != SIZE_MAX)
		s = last_part(&s);
	else
		return false;
	if (str_ends(s, STR(".log")))
		s.n -= 4;

	size_t dash = str_find_last(s, '-');
	struct str name;

	if (dash != SIZE_MAX && all_hex(str_from(s, dash + 1), TASK_ID))
		s.n = dash;
	if (!str_cut(&s, '_', &name) || !str_cut(&s, '_', &pod->namespace))
		return false;
	pod->workload = pod_workload(name);
	pod->container = s;
	return s.n > 0;
}

/*
 * [<version>]<32 hex> of Lambda, as an export task writes it also with the
 * date before it: YYYY-MM-DD-[$LATEST]<32 hex>.
 */
static bool
is_lambda_id(struct str s)
{
	size_t from = str_find(s, '[');
	size_t to = str_find(s, ']');
	struct str date = str_sub(s, 0, from);

	if (from == SIZE_MAX || to == SIZE_MAX || to < from)
		return false;
	for (size_t i = 0; i < date.n; i++)
		if (date.p[i] != '-' && !all_digits(str_sub(date, i, 1)))
			return false;
	return from == 0 || all_hex(str_from(s, to + 1), TASK_ID);
}

/* ip-10-0-3-17[.ec2.internal]: the host name that EC2 gives. */
static bool
is_ec2_host(struct str s)
{
	struct str host, part;

	if (!str_starts(s, STR("ip-")))
		return false;
	if (!str_cut(&s, '.', &host))
		host = s;
	host = str_from(host, 3);
	for (int i = 0; i < 3; i++)
		if (!str_cut(&host, '-', &part) || !all_digits(part))
			return false;
	return all_digits(host);
}

/* An id as a whole component of a stream. */
static bool
is_stream_id(struct str s)
{
	return all_hex(s, TASK_ID) || is_uuid(s) || all_digits(s) ||
	       is_lambda_id(s) || is_ec2_host(s) ||
	       (str_starts(s, STR("i-")) && all_hex(str_from(s, 2), 8));
}

/* A component without an id at its end. */
static struct str
component_stem(struct str s)
{
	size_t dash = str_find_last(s, '-');

	if (is_stream_id(s))
		return (struct str){ 0 };
	if (s.n > UUID && s.p[s.n - UUID - 1] == '-' &&
	    is_uuid(str_from(s, s.n - UUID)))
		return str_sub(s, 0, s.n - UUID - 1);
	if (dash != SIZE_MAX && all_hex(str_from(s, dash + 1), TASK_ID))
		return str_sub(s, 0, dash);

	struct str workload = pod_workload(s);

	/* Without more context only a replica set's two suffixes count. */
	return s.n - workload.n >= 12 ? workload : s;
}

void
name_stem(struct buf *out, struct str stream)
{
	struct pod pod;
	size_t before = out->n;

	if (pod_of(stream, &pod)) {
		buf_cat(out, "log.containers.");
		buf_str(out, pod.workload);
		buf_char(out, '_');
		buf_str(out, pod.namespace);
		buf_char(out, '_');
		buf_str(out, pod.container);
		return;
	}
	while (stream.n > 0) {
		struct str part;

		if (!str_cut(&stream, '/', &part)) {
			part = stream;
			stream.n = 0;
		}
		part = component_stem(part);
		if (part.n == 0)
			continue;
		if (out->n > before)
			buf_char(out, '/');
		buf_str(out, part);
	}
}

struct sources {
	struct str group, stem, path;
};

/* Kubernetes: the container's name, from stream or path. */
static bool
by_pod(struct buf *out, const struct sources *s)
{
	struct pod pod;

	if (!pod_of(s->stem, &pod) && !pod_of(s->path, &pod))
		return false;
	buf_str(out, is_filler(pod.container) ? pod.workload : pod.container);
	return true;
}

/* /aws/<service>/<name>[/…]: Lambda, CodeBuild, Elastic Beanstalk. */
static bool
by_aws_group(struct buf *out, const struct sources *s)
{
	struct str rest = str_from(s->group, sizeof("/aws/") - 1);
	struct str service, name;

	if (!str_starts(s->group, STR("/aws/")) ||
	    !str_cut(&rest, '/', &service))
		return false;
	if (!str_cut(&rest, '/', &name))
		name = rest;
	if (is_filler(name)) {
		if (!str_cut(&rest, '/', &name))
			name = rest;
	}
	buf_str(out, name);
	return name.n > 0;
}

/* <prefix>/<container>/<task id> of ECS: the container. */
static bool
by_container(struct buf *out, const struct sources *s)
{
	struct str rest = s->stem;
	struct str container = last_part(&rest);
	struct words w = words_core(container);

	return rest.n > 0 && put_words(out, &w, 0);
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The last word of CamelCase, in lower case, fillers left out. */
static bool
put_camel(struct buf *out, struct str s)
{
	while (s.n > 0) {
		size_t from = s.n - 1;
		bool run = is_upper(s.p[from]); /* ECS is one word */

		while (from > 0 && is_upper(s.p[run ? from - 1 : from]) == run)
			from--;

		struct str word = str_from(s, from);

		s = str_sub(s, 0, from);
		if (is_filler(word) || is_setting(word))
			continue;
		for (size_t i = 0; i < word.n; i++)
			buf_char(out,
			    (char)(word.p[i] >= 'A' && word.p[i] <= 'Z'
				       ? word.p[i] + 32
				       : word.p[i]));
		return true;
	}
	return false;
}

/* [<stack>-]<Name>LogGroup[-<random>] of CloudFormation. */
static bool
by_stack_group(struct buf *out, const struct sources *s)
{
	size_t at = str_find_str(s->group, STR("LogGroup"));
	struct str name = str_sub(s->group, 0, at);
	size_t dash = str_find_last(name, '-');

	if (at == SIZE_MAX)
		return false;
	return put_camel(out,
	    dash == SIZE_MAX ? name : str_from(name, dash + 1));
}

/*
 * Any other group, or an export's prefix: its last part; of two words the
 * second, the first being the environment's or the stack's.
 */
static bool
by_group(struct buf *out, const struct sources *s)
{
	struct str rest = s->group;

	if (str_find_str(s->group, STR("LogGroup")) != SIZE_MAX)
		return false;
	while (rest.n > 0) {
		struct str part = last_part(&rest);
		struct words w = words_core(part);
		bool setting = w.n == 1 && is_setting(w.v[0]);

		if (!setting && put_words(out, &w, w.n == 2 && !w.set))
			return true;
	}
	return false;
}

/* A stream without slashes, as an export writes it: awslogs-shop-web-<id>. */
static bool
by_stream(struct buf *out, const struct sources *s)
{
	struct words w = words_core(s->stem);

	return put_words(out, &w, 0);
}

/* A file's name without what log rotation and packing added. */
static struct str
file_stem(struct str s)
{
	for (;;) {
		size_t dot = str_find_last(s, '.');

		if (dot == SIZE_MAX || dot == 0 ||
		    !is_filler(str_from(s, dot + 1)))
			return s;
		s.n = dot;
	}
}

/* Of a name that is in use as it is: without fillers, if a word is left. */
static void
put_name(struct buf *out, struct str name)
{
	struct words w = words_core(name);

	if (!put_words(out, &w, 0))
		buf_str(out, name);
}

/*
 * What load balancers store, a file every five minutes and node: the balancer.
 *
 *	<account>_elasticloadbalancing_<region>_app.<name>.<id>_<end>_<ip>_…
 *	<account>_elasticloadbalancing_<region>_<name>_<end>_<ip>_…
 *
 * docs.aws.amazon.com/elasticloadbalancing/latest/application/
 * load-balancer-access-logs.html, …/classic/access-log-collection.html
 */
static bool
by_balancer(struct buf *out, const struct sources *s)
{
	struct str rest = s->path;
	struct str part = last_part(&rest);
	struct str account, what, region, name, kind, id;

	if (!str_cut(&part, '_', &account) || !str_cut(&part, '_', &what) ||
	    !str_cut(&part, '_', &region) || !str_cut(&part, '_', &name) ||
	    !all_digits(account) || !str_eq(what, STR("elasticloadbalancing")))
		return false;
	id = name;
	if (str_cut(&id, '.', &kind) && !str_cut(&id, '.', &name))
		return false;
	put_name(out, name);
	return true;
}

/*
 * CloudFront's files, several an hour: the distribution's id.
 *
 *	<distribution>.YYYY-MM-DD-HH.<unique>.gz
 *
 * docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/
 * AccessLogs.html
 */
static bool
by_distribution(struct buf *out, const struct sources *s)
{
	struct str rest = s->path;
	struct str part = last_part(&rest);
	struct str name, hour;

	if (!str_cut(&part, '.', &name) || !str_cut(&part, '.', &hour) ||
	    name.n == 0 || hour.n != 13 || hour.p[4] != '-' ||
	    hour.p[7] != '-' || hour.p[10] != '-')
		return false;
	put_name(out, name);
	return true;
}

/* What a shell calls its <(...), and any descriptor: there is no name in it. */
static bool
by_descriptor(struct buf *out, const struct sources *s)
{
	static const struct str folders[] = { { "/dev/fd/", 8 },
		{ "/proc/self/fd/", 14 } };

	if (str_eq(s->path, STR("-")) || str_eq(s->path, STR("/dev/stdin"))) {
		buf_cat(out, "stdin");
		return true;
	}
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		struct str number = str_from(s->path, folders[i].n);

		if (!str_starts(s->path, folders[i]) || !all_digits(number))
			continue;
		buf_cat(out, str_eq(number, STR("0")) ? "stdin" : "fd");
		if (!str_eq(number, STR("0")))
			buf_str(out, number);
		return true;
	}
	return false;
}

/* The file's name, or that of the nearest directory that says something. */
static bool
by_path(struct buf *out, const struct sources *s)
{
	struct str rest = s->path;

	while (rest.n > 0) {
		struct str part = file_stem(last_part(&rest));
		struct words w = words_core(part);

		if (!is_stream_id(part) && put_words(out, &w, 0))
			return true;
	}
	return false;
}

/* What is there, as it is, when no rule finds anything in it. */
static bool
by_anything(struct buf *out, const struct sources *s)
{
	struct str group = s->group;
	struct str path = s->path;
	struct str name = last_part(&group);

	if (name.n == 0)
		name = s->stem;
	if (name.n == 0)
		name = file_stem(last_part(&path));
	buf_str(out, name.n ? name : STR("unknown"));
	return true;
}

/* The first that finds something. */
static bool (*const rules[])(struct buf *, const struct sources *) = {
	by_pod,
	by_aws_group,
	by_container,
	by_stack_group,
	by_group,
	by_stream,
	by_balancer,
	by_distribution,
	by_descriptor,
	by_path,
	by_anything,
};

void
name_readable(struct buf *out, struct str group, struct str stream,
    struct str path)
{
	struct buf stem = { 0 };
	struct sources s = { .group = group, .path = path };

	name_stem(&stem, stream);
	s.stem = buf_view(&stem);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i](out, &s))
			break;
	buf_fini(&stem);
}
