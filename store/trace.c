/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A trace to rows, one for each thing that a filter expression may ask for
 * (query/schema.c), and back to its documents (block.c).
 */
#include <sqlite3.h>

#include "store/db.h"

/* Of services and calls of one trace: the bits of a row's number. */
enum { PLACES = 24 };

/* What is written of one trace. */
struct writing {
	struct store *s;
	int64_t trace; /* its n */
	struct err *err;
};

static void
measures(struct row *r, const struct view_part *p)
{
	row_i64(r, p->responsetime_ns);
	row_i64(r, p->duration_ns);
	row_i64(r, p->status);
	row_text(r, p->method);
	row_text(r, p->url);
	row_text(r, p->agent);
	row_text(r, p->client);
}

static void
who(struct row *r, const struct view_part *p)
{
	row_text(r, p->user);
	row_text(r, p->zone);
	row_text(r, p->instance);
	row_text(r, p->arn);
}

static int
add_annotations(const struct writing *w, enum statement to, int64_t owner,
    struct view_annotations a)
{
	for (size_t i = 0; i < a.n; i++) {
		const struct view_annotation *v = &a.v[i];
		struct row r = row_of(w->s, to, w->err);

		if (!r.stmt)
			return -1;
		row_i64(&r, owner);
		row_string(&r, v->key);
		r.at += (int)v->kind;
		if (v->kind == VIEW_STRING)
			row_string(&r, v->text);
		else if (v->kind == VIEW_NUMBER)
			row_double(&r, v->number);
		else
			row_i64(&r, v->boolean);
		if (row_run(&r, w->err) != 0)
			return -1;
	}
	return 0;
}

/* The number of the i-th service or call of the trace. */
static int
number(struct row *r, const struct writing *w, size_t i)
{
	if (i >> PLACES)
		return err_set(w->err, "%s: a trace has too many segments",
		    w->s->path);
	row_i64(r, w->trace << PLACES | (int64_t)i);
	return 0;
}

static int
add_services(const struct writing *w, const struct trace_view *t)
{
	for (size_t i = 0; i < t->n_services; i++) {
		const struct view_part *p = &t->services[i];
		struct row r = row_of(w->s, ADD_SERVICE, w->err);

		if (!r.stmt || number(&r, w, i) != 0)
			return -1;
		row_text(&r, p->name);
		row_text(&r, p->type);
		row_text(&r, p->account);
		row_i64(&r, (p->flags & VIEW_CLIENT) != 0);
		row_i64(&r, (p->flags & VIEW_ROOT) != 0);
		row_i64(&r, (p->flags & VIEW_INFERRED) != 0);
		row_flags(&r, p->flags, VIEW_OK, VIEW_PARTIAL);
		measures(&r, p);
		who(&r, p);
		if (row_run(&r, w->err) != 0 ||
		    add_annotations(w, ADD_SERVICE_ANNOTATION, row_id(&r),
			p->annotations) != 0)
			return -1;
	}
	return 0;
}

static void
node(struct row *r, const struct view_node *n)
{
	row_text(r, n->name);
	row_text(r, n->type);
	row_text(r, n->account);
	row_i64(r, n->client);
}

static int
add_edges(const struct writing *w, const struct trace_view *t)
{
	for (size_t i = 0; i < t->n_edges; i++) {
		const struct view_edge *e = &t->edges[i];
		struct row r = row_of(w->s, ADD_EDGE, w->err);

		if (!r.stmt || number(&r, w, i) != 0)
			return -1;
		node(&r, &e->from);
		node(&r, &e->to);
		row_flags(&r, e->part.flags, VIEW_OK, VIEW_PARTIAL);
		measures(&r, &e->part);
		who(&r, &e->part);
		if (row_run(&r, w->err) != 0 ||
		    add_annotations(w, ADD_EDGE_ANNOTATION, row_id(&r),
			e->part.annotations) != 0)
			return -1;
	}
	return 0;
}

static void
place(struct row *r, size_t i, size_t n, struct str name)
{
	row_i64(r, (int64_t)i);
	row_i64(r, i == 0);
	row_i64(r, i + 1 == n);
	row_text(r, name);
}

static int
add_entity(const struct writing *w, int64_t service, size_t i,
    const struct view_cause_service *s)
{
	const struct view_entity *e = &s->entities[i];
	struct row r = row_of(w->s, ADD_CAUSE_ENTITY, w->err);
	int64_t entity;

	if (!r.stmt)
		return -1;
	row_i64(&r, service);
	place(&r, i, s->n_entities, e->name);
	row_i64(&r, e->remote);
	row_i64(&r, e->coverage);
	row_i64(&r, (int64_t)e->n_exceptions);
	if (row_run(&r, w->err) != 0)
		return -1;
	entity = row_id(&r);
	for (size_t k = 0; k < e->n_exceptions; k++) {
		r = row_of(w->s, ADD_CAUSE_EXCEPTION, w->err);
		if (!r.stmt)
			return -1;
		row_i64(&r, entity);
		place(&r, k, e->n_exceptions, e->exceptions[k].name);
		row_text(&r, e->exceptions[k].message);
		if (row_run(&r, w->err) != 0)
			return -1;
	}
	return 0;
}

static int
add_cause_service(const struct writing *w, int64_t cause, size_t i,
    const struct view_cause *c)
{
	const struct view_cause_service *s = &c->services[i];
	struct row r = row_of(w->s, ADD_CAUSE_SERVICE, w->err);
	int64_t service;

	if (!r.stmt)
		return -1;
	row_i64(&r, cause);
	place(&r, i, c->n_services, s->name);
	row_text(&r, s->type);
	row_text(&r, s->account);
	row_i64(&r, s->inferred);
	row_i64(&r, (int64_t)s->n_entities);
	if (row_run(&r, w->err) != 0)
		return -1;
	service = row_id(&r);
	for (size_t k = 0; k < s->n_entities; k++)
		if (add_entity(w, service, k, s) != 0)
			return -1;
	return 0;
}

static int
add_causes(const struct writing *w, const struct trace_view *t)
{
	static const char *const kinds[VIEW_CAUSES] = { "fault", "error",
		"responsetime" };

	for (int kind = 0; kind < VIEW_CAUSES; kind++)
		for (size_t i = 0; i < t->causes[kind].n; i++) {
			const struct view_cause *c = &t->causes[kind].v[i];
			struct row r = row_of(w->s, ADD_CAUSE, w->err);
			int64_t cause;

			if (!r.stmt)
				return -1;
			row_i64(&r, w->trace);
			row_string(&r, str_of(kinds[kind]));
			row_i64(&r, c->client_impacting);
			row_i64(&r, (int64_t)c->n_services);
			if (row_run(&r, w->err) != 0)
				return -1;
			cause = row_id(&r);
			for (size_t k = 0; k < c->n_services; k++)
				if (add_cause_service(w, cause, k, c) != 0)
					return -1;
		}
	return 0;
}

/* Messages of exceptions that caused a fault or an error, to search in. */
static int
add_messages(const struct writing *w, struct str id, const struct view_cause *c)
{
	for (size_t i = 0; i < c->n_services; i++) {
		const struct view_cause_service *s = &c->services[i];

		for (size_t k = 0; k < s->n_entities; k++) {
			const struct view_entity *e = &s->entities[k];

			for (size_t x = 0; x < e->n_exceptions; x++)
				if (e->exceptions[x].message.n > 0 &&
				    add_message(w->s, STR("exception"), id,
					e->exceptions[x].message, w->err) != 0)
					return -1;
		}
	}
	return 0;
}

static int
add_values(const struct writing *w, const struct trace_view *t)
{
	static const char *const lists[VIEW_LISTS] = { "user",
		"availabilityzone", "instance.id", "resource.arn",
		"account.id" };

	for (int l = 0; l < VIEW_LISTS; l++)
		for (size_t i = 0; i < t->lists[l].n; i++) {
			struct row r = row_of(w->s, ADD_VALUE, w->err);

			if (!r.stmt)
				return -1;
			row_i64(&r, w->trace);
			row_string(&r, str_of(lists[l]));
			row_string(&r, t->lists[l].v[i]);
			if (t->lists[l].v[i].n > 0 && row_run(&r, w->err) != 0)
				return -1;
		}
	return 0;
}

int
store_add_trace(struct store *s, const struct store_trace *t, struct err *err)
{
	struct row r = row_of(s, ADD_TRACE, err);
	struct writing w = { .s = s, .err = err };
	const struct view_causes *causes = t->view->causes;
	struct block_place place;

	if (!r.stmt ||
	    block_room(s, t->documents, t->n_documents, &place, err) != 0)
		return -1;
	row_string(&r, t->id);
	row_i64(&r, t->start_ns);
	row_flags(&r, t->view->trace.flags, VIEW_OK, VIEW_INFERRED);
	measures(&r, &t->view->trace);
	row_text(&r, t->service);
	row_text(&r, t->type);
	row_i64(&r, (int64_t)place.n);
	row_i64(&r, (int64_t)place.bytes);
	row_i64(&r, place.block);
	row_i64(&r, (int64_t)place.at);
	if (row_run(&r, err) != 0)
		return -1;
	if (sqlite3_changes(s->db) == 0)
		return 1;
	w.trace = row_id(&r);
	block_put(s, t->documents, t->n_documents);
	if (add_values(&w, t->view) != 0 ||
	    add_annotations(&w, ADD_ANNOTATION, w.trace,
		t->view->trace.annotations) != 0 ||
	    add_services(&w, t->view) != 0 || add_edges(&w, t->view) != 0 ||
	    add_causes(&w, t->view) != 0)
		return -1;
	for (int kind = 0; kind < VIEW_CAUSE_RESPONSETIME; kind++)
		for (size_t i = 0; i < causes[kind].n; i++)
			if (add_messages(&w, t->id, &causes[kind].v[i]) != 0)
				return -1;
	return 0;
}

int
store_replace_trace(struct store *s, const struct store_trace *t,
    struct err *err)
{
	struct row r = row_of(s, DELETE_TRACE, err);

	if (!r.stmt)
		return -1;
	row_string(&r, t->id);
	if (row_run(&r, err) != 0)
		return -1;
	s->deleted = true;
	return store_add_trace(s, t, err) < 0 ? -1 : 0;
}

int
store_documents(struct store *s, struct str id, struct arena *arena,
    struct store_documents *documents, struct err *err)
{
	struct row r = row_of(s, FIND_TRACE, err);
	struct block_place place = { 0 };
	int rc;

	*documents = (struct store_documents){ NULL, 0 };
	if (!r.stmt)
		return -1;
	row_string(&r, id);
	rc = sqlite3_step(r.stmt);
	if (rc == SQLITE_ROW)
		place = place_at(r.stmt, 0);
	else if (rc != SQLITE_DONE)
		db_fail(s, err);
	sqlite3_reset(r.stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? 0 : -1;
	if (block_documents(s, &place, err) != 0)
		return -1;
	documents->n = place.n;
	documents->v = arena_alloc(arena, place.n * sizeof(struct str) + 1);
	for (size_t i = 0; i < place.n; i++)
		documents->v[i] = arena_dup(arena, s->documents[i]);
	return 0;
}
