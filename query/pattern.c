/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rootcause.json: a list of root causes in the shape that GetTraceSummaries
 * prints, of which members may be left out.
 *
 * What is there must be equal; lists must be of equal length and order.  A
 * member that is null counts as left out.  A member that root causes do not
 * have is an error, because a typing error would otherwise match everything.
 */
#include <stdio.h>

#include "core/json.h"
#include "query/tree.h"

/* Sets the sentence; the place is the list as a whole. */
static bool
bad_pattern(struct query_error *bad, struct str member, const char *what)
{
	snprintf(bad->text, sizeof(bad->text), "in rootcause.json, %.*s %s",
	    STR_ARG(str_sub(member, 0, 40)), what);
	return false;
}

static bool
take_text(struct arena *arena, const struct json_val *v, struct str *text,
    bool *has)
{
	*has = json_type(v) == JSON_STRING;
	*text = arena_dup(arena, json_str(v));
	return *has;
}

static bool
take_bool(const struct json_val *v, enum tristate *t)
{
	bool yes;

	if (!json_bool(v, &yes))
		return false;
	*t = yes ? TRI_TRUE : TRI_FALSE;
	return true;
}

static const char a_string[] = "must be a string",
		  a_boolean[] = "must be true or false",
		  a_list[] = "must be a list of at most 100 objects",
		  not_a_member[] = "is not a member of root causes";

static bool
exception_parse(struct arena *arena, const struct json_val *v,
    struct exception_pattern *x, struct query_error *bad)
{
	struct json_iter it;

	*x = (struct exception_pattern){ .has_name = false };
	json_iter_init(&it, v);
	for (struct json_val *m = json_iter_next(&it); m;
	     m = json_iter_next(&it)) {
		bool fine;

		if (json_type(m) == JSON_NULL)
			continue;
		if (str_eq(it.key, STR("Name")))
			fine = take_text(arena, m, &x->name, &x->has_name);
		else if (str_eq(it.key, STR("Message")))
			fine =
			    take_text(arena, m, &x->message, &x->has_message);
		else
			return bad_pattern(bad, it.key, not_a_member);
		if (!fine)
			return bad_pattern(bad, it.key, a_string);
	}
	return true;
}

/* Whether it is a list of nothing but objects, and not too many. */
static bool
is_object_list(const struct json_val *v)
{
	struct json_iter it;

	if (json_type(v) != JSON_ARRAY || json_size(v) > PATTERN_LIST_MAX)
		return false;
	json_iter_init(&it, v);
	for (struct json_val *m = json_iter_next(&it); m;
	     m = json_iter_next(&it))
		if (json_type(m) != JSON_OBJECT)
			return false;
	return true;
}

static bool
exceptions_parse(struct arena *arena, const struct json_val *v,
    struct entity_pattern *e, struct query_error *bad)
{
	struct exception_pattern *list;
	struct json_iter it;
	size_t n = json_size(v);

	if (!is_object_list(v))
		return bad_pattern(bad, STR("Exceptions"), a_list);
	list = arena_alloc(arena, (n + 1) * sizeof(*list));
	json_iter_init(&it, v);
	for (size_t i = 0; i < n; i++) {
		const struct json_val *m = json_iter_next(&it);

		if (!m || !exception_parse(arena, m, &list[i], bad))
			return false;
	}
	e->exceptions = list;
	e->n_exceptions = n;
	e->has_exceptions = true;
	return true;
}

static bool
coverage_parse(const struct json_val *v, struct entity_pattern *e,
    struct query_error *bad)
{
	struct str raw = json_raw(v);

	if (json_type(v) != JSON_NUMBER || raw.n > QUERY_NUMBER_MAX)
		return bad_pattern(bad, STR("Coverage"), "must be a number");
	e->has_coverage = true;
	e->coverage = number_range(raw, 9, OP_EQ);
	return true;
}

static bool
entity_parse(struct arena *arena, const struct json_val *v,
    struct entity_pattern *e, struct query_error *bad)
{
	struct json_iter it;

	*e = (struct entity_pattern){ .remote = TRI_ANY };
	json_iter_init(&it, v);
	for (struct json_val *m = json_iter_next(&it); m;
	     m = json_iter_next(&it)) {
		bool fine = true;

		if (json_type(m) == JSON_NULL)
			continue;
		if (str_eq(it.key, STR("Name"))) {
			if (!take_text(arena, m, &e->name, &e->has_name))
				return bad_pattern(bad, it.key, a_string);
		} else if (str_eq(it.key, STR("Remote"))) {
			if (!take_bool(m, &e->remote))
				return bad_pattern(bad, it.key, a_boolean);
		} else if (str_eq(it.key, STR("Coverage"))) {
			fine = coverage_parse(m, e, bad);
		} else if (str_eq(it.key, STR("Exceptions"))) {
			fine = exceptions_parse(arena, m, e, bad);
		} else {
			return bad_pattern(bad, it.key, not_a_member);
		}
		if (!fine)
			return false;
	}
	return true;
}

static bool
entities_parse(struct arena *arena, const struct json_val *v,
    struct service_pattern *s, struct query_error *bad)
{
	struct entity_pattern *list;
	struct json_iter it;
	size_t n = json_size(v);

	if (!is_object_list(v))
		return bad_pattern(bad, STR("EntityPath"), a_list);
	list = arena_alloc(arena, (n + 1) * sizeof(*list));
	json_iter_init(&it, v);
	for (size_t i = 0; i < n; i++) {
		const struct json_val *m = json_iter_next(&it);

		if (!m || !entity_parse(arena, m, &list[i], bad))
			return false;
	}
	s->entities = list;
	s->n_entities = n;
	s->has_entities = true;
	return true;
}

/* A node has one name here, so its list of names is that one. */
static bool
names_parse(struct arena *arena, const struct json_val *v,
    struct service_pattern *s, struct query_error *bad)
{
	struct json_iter it;

	if (json_type(v) != JSON_ARRAY)
		return bad_pattern(bad, STR("Names"),
		    "must be a list of strings");
	json_iter_init(&it, v);
	for (struct json_val *m = json_iter_next(&it); m;
	     m = json_iter_next(&it))
		if (!take_text(arena, m, &s->names, &s->has_names))
			return bad_pattern(bad, STR("Names"),
			    "must be a list of strings");
	s->never = json_size(v) != 1;
	return true;
}

static bool
service_member(struct arena *arena, struct str key, const struct json_val *m,
    struct service_pattern *s, struct query_error *bad)
{
	struct {
		struct str key;
		struct str *text;
		bool *has;
	} texts[] = {
		{ STR("Name"), &s->name, &s->has_name },
		{ STR("Type"), &s->type, &s->has_type },
		{ STR("AccountId"), &s->account, &s->has_account },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!str_eq(key, texts[i].key))
			continue;
		return take_text(arena, m, texts[i].text, texts[i].has) ||
		       bad_pattern(bad, key, a_string);
	}
	if (str_eq(key, STR("Inferred")))
		return take_bool(m, &s->inferred) ||
		       bad_pattern(bad, key, a_boolean);
	if (str_eq(key, STR("Names")))
		return names_parse(arena, m, s, bad);
	if (str_eq(key, STR("EntityPath")))
		return entities_parse(arena, m, s, bad);
	return bad_pattern(bad, key, not_a_member);
}

static bool
service_parse(struct arena *arena, const struct json_val *v,
    struct service_pattern *s, struct query_error *bad)
{
	struct json_iter it;

	*s = (struct service_pattern){ .inferred = TRI_ANY };
	json_iter_init(&it, v);
	for (struct json_val *m = json_iter_next(&it); m;
	     m = json_iter_next(&it))
		if (json_type(m) != JSON_NULL &&
		    !service_member(arena, it.key, m, s, bad))
			return false;
	return true;
}

static bool
services_parse(struct arena *arena, const struct json_val *v,
    struct cause_pattern *c, struct query_error *bad)
{
	struct service_pattern *list;
	struct json_iter it;
	size_t n = json_size(v);

	if (!is_object_list(v))
		return bad_pattern(bad, STR("Services"), a_list);
	list = arena_alloc(arena, (n + 1) * sizeof(*list));
	json_iter_init(&it, v);
	for (size_t i = 0; i < n; i++) {
		const struct json_val *m = json_iter_next(&it);

		if (!m || !service_parse(arena, m, &list[i], bad))
			return false;
	}
	c->services = list;
	c->n_services = n;
	c->has_services = true;
	return true;
}

static bool
cause_parse(struct arena *arena, const struct json_val *v,
    struct cause_pattern *c, struct query_error *bad)
{
	struct json_iter it;

	*c = (struct cause_pattern){ .client_impacting = TRI_ANY };
	json_iter_init(&it, v);
	for (struct json_val *m = json_iter_next(&it); m;
	     m = json_iter_next(&it)) {
		if (json_type(m) == JSON_NULL)
			continue;
		if (str_eq(it.key, STR("Services"))) {
			if (!services_parse(arena, m, c, bad))
				return false;
		} else if (str_eq(it.key, STR("ClientImpacting"))) {
			if (!take_bool(m, &c->client_impacting))
				return bad_pattern(bad, it.key, a_boolean);
		} else {
			return bad_pattern(bad, it.key, not_a_member);
		}
	}
	return true;
}

static struct cause_pattern *
causes_parse(struct arena *arena, const struct json_val *root, size_t *n,
    struct query_error *bad)
{
	struct cause_pattern *list;
	struct json_iter it;

	if (!is_object_list(root)) {
		snprintf(bad->text, sizeof(bad->text),
		    "the list must hold root causes, at most %d: "
		    "#[{ \"Services\": … }]",
		    PATTERN_LIST_MAX);
		return NULL;
	}
	*n = json_size(root);
	list = arena_alloc(arena, (*n + 1) * sizeof(*list));
	json_iter_init(&it, root);
	for (size_t i = 0; i < *n; i++) {
		const struct json_val *m = json_iter_next(&it);

		if (!m || !cause_parse(arena, m, &list[i], bad))
			return NULL;
	}
	return list;
}

const struct cause_pattern *
pattern_parse(struct str text, struct arena *arena, size_t *n,
    struct str *canonical, struct query_error *bad)
{
	struct json j = { 0 };
	struct json_bad wrong = { 0 };
	struct buf b = { 0 };
	struct cause_pattern *list = NULL;

	bad->offset = 0;
	bad->length = text.n;
	if (json_parse(&j, text, &wrong) == 0) {
		list = causes_parse(arena, json_root(&j), n, bad);
		json_put_val(&b, json_root(&j));
		*canonical = arena_dup(arena, buf_view(&b));
	} else {
		bad->offset = wrong.offset;
		bad->length = wrong.offset < text.n;
		snprintf(bad->text, sizeof(bad->text),
		    "the list is not JSON: %s", wrong.what);
	}
	buf_fini(&b);
	json_fini(&j);
	return list;
}

static bool
text_fits(bool has, struct str want, struct str is)
{
	return !has || (is.n && str_eq(want, is));
}

static bool
bool_fits(enum tristate want, bool is)
{
	return want == TRI_ANY || (want == TRI_TRUE) == is;
}

static bool
entity_fits(const struct entity_pattern *want, const struct view_entity *is)
{
	if (!text_fits(want->has_name, want->name, is->name) ||
	    !bool_fits(want->remote, is->remote))
		return false;
	if (want->has_coverage && (is->coverage < want->coverage.lo ||
				      is->coverage > want->coverage.hi))
		return false;
	if (!want->has_exceptions)
		return true;
	if (want->n_exceptions != is->n_exceptions)
		return false;
	for (size_t i = 0; i < is->n_exceptions; i++) {
		const struct exception_pattern *x = &want->exceptions[i];
		const struct view_exception *y = &is->exceptions[i];

		if (!text_fits(x->has_name, x->name, y->name) ||
		    !text_fits(x->has_message, x->message, y->message))
			return false;
	}
	return true;
}

static bool
service_fits(const struct service_pattern *want,
    const struct view_cause_service *is)
{
	if (want->never || !text_fits(want->has_name, want->name, is->name) ||
	    !text_fits(want->has_names, want->names, is->name) ||
	    !text_fits(want->has_type, want->type, is->type) ||
	    !text_fits(want->has_account, want->account, is->account) ||
	    !bool_fits(want->inferred, is->inferred))
		return false;
	if (!want->has_entities)
		return true;
	if (want->n_entities != is->n_entities)
		return false;
	for (size_t i = 0; i < is->n_entities; i++)
		if (!entity_fits(&want->entities[i], &is->entities[i]))
			return false;
	return true;
}

static bool
cause_fits(const struct cause_pattern *want, const struct view_cause *is)
{
	if (!bool_fits(want->client_impacting, is->client_impacting))
		return false;
	if (!want->has_services)
		return true;
	if (want->n_services != is->n_services)
		return false;
	for (size_t i = 0; i < is->n_services; i++)
		if (!service_fits(&want->services[i], &is->services[i]))
			return false;
	return true;
}

/* Some root cause of whatever kind fits the pattern. */
static bool
some_cause_fits(const struct cause_pattern *want, const struct trace_view *t)
{
	for (size_t kind = 0; kind < VIEW_CAUSES; kind++)
		for (size_t i = 0; i < t->causes[kind].n; i++)
			if (cause_fits(want, &t->causes[kind].v[i]))
				return true;
	return false;
}

bool
pattern_match(const struct node *n, const struct trace_view *t)
{
	for (size_t i = 0; i < n->n_patterns; i++)
		if (some_cause_fits(&n->patterns[i], t))
			return true;
	return false;
}
