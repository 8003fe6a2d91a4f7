/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the tree of texts to settings.  A map is checked as a whole first, its
 * keys being known and each given once; then what is needed is taken from it,
 * so that the order of keys does not matter.
 */
#include "pipeline/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "analyzers/analyzer.h"
#include "analyzers/judge.h"
#include "core/buf.h"
#include "core/mem.h"
#include "core/opt.h"

enum {
	SERVICES_MAX = 1024,
	ROUTES_MAX = 1000,
	SETTINGS_MAX = 4096,
	KEYS_MAX = 16, /* of any map */
	WORD = 60,     /* of the file's texts so much is shown */
};

const struct config_key config_keys[] = {
	{ CONFIG_FILE, "slow", "SPAN",
	    "A request of any service is slow above it." },
	{ CONFIG_FILE, "thresholds", "RULE: {THRESHOLD: VALUE, ...}",
	    "Thresholds for every service." },
	{ CONFIG_FILE, "probes", "map",
	    "How health checks are known, beside what is known anyway." },
	{ CONFIG_FILE, "alerts", "map",
	    "Where alerts go, how they look and when they are due." },
	{ CONFIG_FILE, "services", "list",
	    "Services, each with a name and what is different for it." },
	{ CONFIG_PROBES, "paths", "[PATH, ...]",
	    "Health checks ask for these, and not for the usual paths." },
	{ CONFIG_PROBES, "agents", "[PREFIX, ...]",
	    "Health checks have a user agent that begins so." },
	{ CONFIG_SERVICE, "name", "NAME",
	    "The service's name as the report shows it, or a pattern." },
	{ CONFIG_SERVICE, "from", "[GROUP, ...]",
	    "What is called so: log groups, streams or paths, or the names in "
	    "segments; each may be a pattern. Not where the name is one." },
	{ CONFIG_SERVICE, "slow", "SPAN",
	    "A request of this service is slow above it." },
	{ CONFIG_SERVICE, "thresholds", "RULE: {THRESHOLD: VALUE, ...}",
	    "Thresholds for this service." },
	{ CONFIG_SERVICE, "routes", "list",
	    "Routes of it, and what is different for them." },
	{ CONFIG_ROUTE, "route", "ROUTE",
	    "The route as the report shows it, or a pattern." },
	{ CONFIG_ROUTE, "method", "METHOD",
	    "Only requests of this method; without it, of any." },
	{ CONFIG_ROUTE, "slow", "SPAN",
	    "A request of this route is slow above it." },
	{ CONFIG_ROUTE, "thresholds", "RULE: {THRESHOLD: VALUE, ...}",
	    "Thresholds for this route." },
	{ CONFIG_FILE, NULL, NULL, NULL },
};

/* What a threshold is for. */
struct scope {
	struct str service, route;
	enum method method;
};

static const char *
kind_words(const struct ynode *n)
{
	switch (n->kind) {
	case YNODE_LIST:
		return "a list";
	case YNODE_MAP:
		return "a map";
	case YNODE_TEXT:
		break;
	}
	return n->text.n > 0 ? "a text" : "nothing";
}

static int
expect(const struct config *c, const struct ynode *n, enum ynode_kind kind,
    const char *words, struct err *err)
{
	if (n->kind == kind && (kind != YNODE_TEXT || n->text.n > 0))
		return 0;
	return ytree_bad(&c->tree, n, err, "found %s, expected %s",
	    kind_words(n), words);
}

/* A key that is none of those: which is near, and which there are. */
static int
unknown(const struct config *c, const struct ynode *key,
    const char *const *names, size_t n, struct err *err)
{
	int near = opt_nearest(key->text, names, n);
	struct buf all = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s%s",
		    i == 0       ? ""
		    : i + 1 == n ? " or "
				 : ", ",
		    names[i]);
	if (near >= 0)
		ytree_bad(&c->tree, key, err,
		    "'%.*s' is not known here; did you mean '%s'? Expected %s",
		    STR_ARG(str_sub(key->text, 0, WORD)), names[near],
		    buf_cstr(&all));
	else
		ytree_bad(&c->tree, key, err,
		    "'%.*s' is not known here, expected %s",
		    STR_ARG(str_sub(key->text, 0, WORD)), buf_cstr(&all));
	buf_fini(&all);
	return -1;
}

static int
twice(const struct config *c, const struct ynode *again,
    const struct ynode *first, struct err *err)
{
	return ytree_bad(&c->tree, again, err,
	    "'%.*s' is given twice, first in line %u",
	    STR_ARG(str_sub(again->text, 0, WORD)), first->line);
}

static bool
is_one_of(struct str name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(name, str_of(names[i])))
			return true;
	return false;
}

/* A map of keys that are known, each once. */
static int
check_map(const struct config *c, const struct ynode *map,
    const char *const *names, size_t n, struct err *err)
{
	if (expect(c, map, YNODE_MAP, "a map, 'key: value'", err) != 0)
		return -1;
	for (const struct ynode *k = map->first; k; k = k->next->next) {
		if (!is_one_of(k->text, names, n))
			return unknown(c, k, names, n, err);
		for (const struct ynode *o = map->first; o != k;
		     o = o->next->next)
			if (str_eq(o->text, k->text))
				return twice(c, k, o, err);
	}
	return 0;
}

/* By the table of keys. */
static int
check_keys(const struct config *c, const struct ynode *map, enum config_map in,
    struct err *err)
{
	const char *names[KEYS_MAX];
	size_t n = 0;

	for (const struct opt *o = config_alerts_rows;
	     in == CONFIG_ALERTS && o->name; o++)
		names[n++] = o->name;
	for (const struct config_key *k = config_keys; k->name; k++) {
		if (k->in != in)
			continue;
		assert(n < KEYS_MAX);
		names[n++] = k->name;
	}
	return check_map(c, map, names, n, err);
}

/* A map's value; NULL: it is not there. */
static const struct ynode *
member(const struct ynode *map, const char *name)
{
	for (const struct ynode *k = map->first; k; k = k->next->next)
		if (str_eq(k->text, str_of(name)))
			return k->next;
	return NULL;
}

static bool
is_pattern(struct str s)
{
	return str_find(s, '*') != SIZE_MAX || str_find(s, '?') != SIZE_MAX;
}

/* One threshold of the scope. */
static int
take_value(struct config *c, const struct scope *scope, int rule,
    enum threshold what, const struct ynode *value, struct err *err)
{
	struct setting s = { .service = scope->service,
		.route = scope->route,
		.method = scope->method,
		.rule = rule,
		.what = what,
		.line = value->line };
	struct err why = { "" };

	if (expect(c, value, YNODE_TEXT, threshold_words(what), err) != 0)
		return -1;
	if (threshold_parse(what, value->text, &s.value, &why) != 0)
		return ytree_bad(&c->tree, value, err, "%s: %s",
		    threshold_infos[what].name, why.text);
	if (c->thresholds.n == SETTINGS_MAX)
		return ytree_bad(&c->tree, value, err,
		    "more than %d thresholds", SETTINGS_MAX);
	thresholds_add(&c->thresholds, &s);
	return 0;
}

/* Whether the rule judges such a thing at all. */
static int
check_scope(const struct config *c, const struct scope *scope,
    const struct ynode *key, int r, struct err *err)
{
	const struct rule_info *info = &judge_rules()[r];

	if (scope->route.n > 0 && !info->rule->count)
		return ytree_bad(&c->tree, key, err,
		    "%s judges a service as a whole, and no route of it",
		    info->name);
	if (scope->method != METHOD_NONE && info->rule->any_method)
		return ytree_bad(&c->tree, key, err,
		    "%s judges all methods of a route together, and none of "
		    "them by itself",
		    info->name);
	return 0;
}

/* RULE: { THRESHOLD: VALUE, ... } */
static int
take_rule(struct config *c, const struct scope *scope, const struct ynode *key,
    int r, struct err *err)
{
	const char *rule = judge_rules()[r].name;
	const char *names[THRESHOLDS];
	enum threshold what[THRESHOLDS];
	size_t n = 0;

	if (check_scope(c, scope, key, r, err) != 0)
		return -1;
	for (int t = 0; t < THRESHOLDS; t++) {
		/* One limit for all rules: it stands beside `thresholds`. */
		if (t == THRESHOLD_SLOW ||
		    !threshold_has(rule, (enum threshold)t))
			continue;
		what[n] = (enum threshold)t;
		names[n++] = threshold_infos[t].name;
	}
	if (check_map(c, key->next, names, n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct ynode *value = member(key->next, names[i]);

		if (value && take_value(c, scope, r, what[i], value, err) != 0)
			return -1;
	}
	return 0;
}

/* `slow` and `thresholds` of a map. */
static int
take_thresholds(struct config *c, const struct scope *scope,
    const struct ynode *map, struct err *err)
{
	const struct ynode *slow = member(map, "slow");
	const struct ynode *rules = member(map, "thresholds");
	const char *names[RULES];

	if (slow && take_value(c, scope, SETTING_ALL_RULES, THRESHOLD_SLOW,
			slow, err) != 0)
		return -1;
	if (!rules)
		return 0;
	for (int r = 0; r < RULES; r++)
		names[r] = judge_rules()[r].name;
	if (check_map(c, rules, names, RULES, err) != 0)
		return -1;
	for (const struct ynode *k = rules->first; k; k = k->next->next)
		for (int r = 0; r < RULES; r++)
			if (str_eq(k->text, str_of(names[r])) &&
			    take_rule(c, scope, k, r, err) != 0)
				return -1;
	return 0;
}

/* [TEXT, ...] */
static int
take_texts(const struct config *c, const struct ynode *list,
    struct config_texts *texts, struct err *err)
{
	if (!list)
		return 0;
	if (expect(c, list, YNODE_LIST, "a list, [text, ...]", err) != 0)
		return -1;
	for (const struct ynode *n = list->first; n; n = n->next) {
		if (expect(c, n, YNODE_TEXT, "a text", err) != 0)
			return -1;
		texts->v = xgrow(texts->v, texts->n + 1, &texts->cap,
		    sizeof *texts->v);
		texts->v[texts->n++] = n->text;
	}
	return 0;
}

static int
take_probes(struct config *c, const struct ynode *map, struct err *err)
{
	if (!map)
		return 0;
	if (check_keys(c, map, CONFIG_PROBES, err) != 0 ||
	    take_texts(c, member(map, "paths"), &c->paths, err) != 0)
		return -1;
	return take_texts(c, member(map, "agents"), &c->agents, err);
}

/* Of an alert's key, whose row says what is a value. */
static int
take_alert(struct config *c, const struct opt *row, const struct ynode *value,
    struct err *err)
{
	struct err why = { "" };
	char *text;

	if (expect(c, value, YNODE_TEXT, row->arg, err) != 0)
		return -1;
	text = arena_alloc(&c->tree.arena, value->text.n + 1);
	memcpy(text, value->text.p, value->text.n);
	text[value->text.n] = '\0';
	if (opt_set(row, &c->alerts, text, &why) == 0)
		return 0;
	/* A row of options says it with their dashes. */
	return ytree_bad(&c->tree, value, err, "%s", why.text + strlen("--"));
}

static int
take_alerts(struct config *c, const struct ynode *map, struct err *err)
{
	opt_defaults(config_alerts_rows, &c->alerts);
	if (!map)
		return 0;
	if (check_keys(c, map, CONFIG_ALERTS, err) != 0)
		return -1;
	for (const struct opt *row = config_alerts_rows; row->name; row++) {
		const struct ynode *value = member(map, row->name);

		if (value && take_alert(c, row, value, err) != 0)
			return -1;
	}
	return 0;
}

static int
take_method(const struct config *c, const struct ynode *n, enum method *m,
    struct err *err)
{
	if (!n)
		return 0;
	for (int i = METHOD_GET; i < METHOD_OTHER; i++) {
		if (n->kind != YNODE_TEXT ||
		    !str_eq(n->text, str_of(method_name((enum method)i))))
			continue;
		*m = (enum method)i;
		return 0;
	}
	return ytree_bad(&c->tree, n, err,
	    "found %s%s%.*s, expected GET, HEAD, POST, PUT, DELETE, PATCH or "
	    "OPTIONS",
	    kind_words(n), n->text.n > 0 ? ": " : "",
	    STR_ARG(str_sub(n->text, 0, WORD)));
}

/* The value that an item is known by. */
static const struct ynode *
take_name(const struct config *c, const struct ynode *item, const char *key,
    struct err *err)
{
	const struct ynode *n = member(item, key);

	if (!n) {
		ytree_bad(&c->tree, item, err, "'%s' is missing", key);
		return NULL;
	}
	return expect(c, n, YNODE_TEXT, "a name or a pattern", err) == 0 ? n
									 : NULL;
}

static int
take_route(struct config *c, struct scope scope, const struct ynode *item,
    struct err *err)
{
	const struct ynode *route;

	if (check_keys(c, item, CONFIG_ROUTE, err) != 0)
		return -1;
	route = take_name(c, item, "route", err);
	if (!route)
		return -1;
	if (!strchr("/*?", route->text.p[0]) &&
	    !str_eq(route->text, STR("other")))
		return ytree_bad(&c->tree, route, err,
		    "'%.*s' is no route, expected one such as /mysfits/{id} or "
		    "a pattern such as '/mysfits/*'",
		    STR_ARG(str_sub(route->text, 0, WORD)));
	scope.route = route->text;
	if (take_method(c, member(item, "method"), &scope.method, err) != 0)
		return -1;
	return take_thresholds(c, &scope, item, err);
}

/* The same text of the same key in an item before; NULL: there is none. */
static const struct ynode *
named_before(const struct ynode *list, const struct ynode *item,
    const char *key, const char *also)
{
	const struct ynode *name = member(item, key);
	const struct ynode *more = also ? member(item, also) : NULL;

	for (const struct ynode *o = list->first; o != item; o = o->next) {
		const struct ynode *other = also ? member(o, also) : NULL;

		if (str_eq(member(o, key)->text, name->text) &&
		    !more == !other &&
		    (!more || str_eq(more->text, other->text)))
			return member(o, key);
	}
	return NULL;
}

static int
take_routes(struct config *c, const struct scope *scope,
    const struct ynode *list, struct err *err)
{
	size_t n = 0;

	if (!list)
		return 0;
	if (expect(c, list, YNODE_LIST, "a list of routes, '- route: ...'",
		err) != 0)
		return -1;
	for (const struct ynode *i = list->first; i; i = i->next) {
		const struct ynode *before;

		if (++n > ROUTES_MAX)
			return ytree_bad(&c->tree, i, err,
			    "more than %d routes", ROUTES_MAX);
		if (take_route(c, *scope, i, err) != 0)
			return -1;
		before = named_before(list, i, "route", "method");
		if (before)
			return twice(c, member(i, "route"), before, err);
	}
	return 0;
}

static int
take_from(struct config *c, const struct ynode *name, const struct ynode *from,
    struct err *err)
{
	struct config_texts texts = { 0 };
	int rc;

	if (!from)
		return 0;
	if (is_pattern(name->text))
		return ytree_bad(&c->tree, from, err,
		    "'from' gives a name, and '%.*s' is a pattern",
		    STR_ARG(str_sub(name->text, 0, WORD)));
	rc = take_texts(c, from, &texts, err);
	for (size_t i = 0; i < texts.n && rc == 0; i++) {
		c->names = xgrow(c->names, c->n_names + 1, &c->cap_names,
		    sizeof *c->names);
		c->names[c->n_names++] = (struct service_name){ texts.v[i],
			name->text, c->tree.file, name->line };
	}
	free(texts.v);
	return rc;
}

static int
take_service(struct config *c, const struct ynode *item, struct err *err)
{
	const struct ynode *name;
	struct scope scope = { 0 };

	if (check_keys(c, item, CONFIG_SERVICE, err) != 0)
		return -1;
	name = take_name(c, item, "name", err);
	if (!name)
		return -1;
	scope.service = name->text;
	if (take_from(c, name, member(item, "from"), err) != 0 ||
	    take_thresholds(c, &scope, item, err) != 0)
		return -1;
	return take_routes(c, &scope, member(item, "routes"), err);
}

static int
take_services(struct config *c, const struct ynode *list, struct err *err)
{
	if (!list)
		return 0;
	if (expect(c, list, YNODE_LIST, "a list of services, '- name: ...'",
		err) != 0)
		return -1;
	for (const struct ynode *i = list->first; i; i = i->next) {
		const struct ynode *before;

		if (++c->n_services > SERVICES_MAX)
			return ytree_bad(&c->tree, i, err,
			    "more than %d services", SERVICES_MAX);
		if (take_service(c, i, err) != 0)
			return -1;
		before = named_before(list, i, "name", NULL);
		if (before)
			return twice(c, member(i, "name"), before, err);
	}
	return 0;
}

static int
by_group(const void *a, const void *b)
{
	const struct service_name *x = a;
	const struct service_name *y = b;

	return str_glob_cmp(x->group, y->group);
}

/* Which of two names a group gets must not depend on their order. */
static int
settle_names(struct config *c, struct err *err)
{
	if (c->n_names > 0)
		qsort(c->names, c->n_names, sizeof *c->names, by_group);
	for (size_t i = 1; i < c->n_names; i++) {
		const struct service_name *x = &c->names[i - 1];
		const struct service_name *y = &c->names[i];

		if (str_eq(x->group, y->group))
			return err_set(err,
			    "%s:%u: 'from' has '%.*s' twice, also in line %u",
			    c->tree.file, x->line > y->line ? x->line : y->line,
			    STR_ARG(str_sub(x->group, 0, WORD)),
			    x->line > y->line ? y->line : x->line);
	}
	return 0;
}

static int
take_file(struct config *c, struct err *err)
{
	const struct ynode *root = c->tree.root;
	const struct scope every = { 0 };

	c->thresholds.file = c->tree.file;
	if (take_alerts(c, NULL, err) != 0)
		return -1;
	if (!root || (root->kind == YNODE_TEXT && root->text.n == 0))
		return 0;
	if (check_keys(c, root, CONFIG_FILE, err) != 0 ||
	    take_thresholds(c, &every, root, err) != 0 ||
	    take_probes(c, member(root, "probes"), err) != 0 ||
	    take_alerts(c, member(root, "alerts"), err) != 0 ||
	    take_services(c, member(root, "services"), err) != 0)
		return -1;
	return settle_names(c, err);
}

int
config_read(struct config *c, const char *path, struct err *err)
{
	if (ytree_read(&c->tree, path, err) != 0)
		return -1;
	return take_file(c, err);
}

int
config_parse(struct config *c, const char *file, struct str text,
    struct err *err)
{
	if (ytree_parse(&c->tree, file, text, err) != 0)
		return -1;
	return take_file(c, err);
}

void
config_fini(struct config *c)
{
	thresholds_fini(&c->thresholds);
	free(c->paths.v);
	free(c->agents.v);
	free(c->names);
	ytree_fini(&c->tree);
	*c = (struct config){ 0 };
}
