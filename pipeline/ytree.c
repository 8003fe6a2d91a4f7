/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From libyaml's events to a tree.  Nothing here calls itself: the open lists
 * and maps are a stack of fixed depth, and whatever is beyond a limit ends the
 * reading at once.
 */
#include "pipeline/ytree.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/buf.h"
#include "core/mem.h"

enum {
	FILE_BYTES = 1024 * 1024,
	LEVELS = 16,
	NODES = 65536,
	TEXT_BYTES = 4096,
};

/* A list or map that is open. */
struct level {
	struct ynode *node;
	struct ynode **end; /* where the next one is hung */
	bool at_key;
};

struct reading {
	struct ytree *tree;
	struct str text;
	struct level levels[LEVELS];
	int depth;
	size_t n_nodes;
	bool one; /* document was begun */
	bool end; /* of all */
};

static int
bad_at(const struct ytree *t, size_t line, size_t column, struct err *err,
    const char *words)
{
	return err_set(err, "%s:%zu:%zu: %s", t->file, line, column, words);
}

int
ytree_bad(const struct ytree *t, const struct ynode *at, struct err *err,
    const char *fmt, ...)
{
	struct buf words = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&words, fmt, ap);
	va_end(ap);
	bad_at(t, at->line, at->column, err, buf_cstr(&words));
	buf_fini(&words);
	return -1;
}

static int
bad_event(const struct reading *r, const yaml_event_t *e, struct err *err,
    const char *words)
{
	return bad_at(r->tree, e->start_mark.line + 1, e->start_mark.column + 1,
	    err, words);
}

static struct ynode *
node_new(struct reading *r, const yaml_event_t *e, enum ynode_kind kind)
{
	struct ynode *node = arena_alloc(&r->tree->arena, sizeof *node);

	*node = (struct ynode){
		.kind = kind,
		.line = (uint32_t)e->start_mark.line + 1,
		.column = (uint32_t)e->start_mark.column + 1,
	};
	return node;
}

/* Hangs the node where it belongs. */
static int
node_add(struct reading *r, struct ynode *node, struct err *err)
{
	struct level *l = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;

	if (++r->n_nodes > NODES)
		return ytree_bad(r->tree, node, err,
		    "more than %d keys and values", NODES);
	if (!l) {
		r->tree->root = node;
		return 0;
	}
	if (l->at_key && node->kind != YNODE_TEXT)
		return ytree_bad(r->tree, node, err,
		    "a key is expected, which is a word");
	if (l->node->kind == YNODE_MAP)
		l->at_key = !l->at_key;
	*l->end = node;
	l->end = &node->next;
	return 0;
}

static int
open_level(struct reading *r, struct ynode *node, struct err *err)
{
	if (node_add(r, node, err) != 0)
		return -1;
	if (r->depth == LEVELS)
		return ytree_bad(r->tree, node, err,
		    "more than %d lists and maps in one another", LEVELS);
	r->levels[r->depth++] = (struct level){ .node = node,
		.end = &node->first,
		.at_key = node->kind == YNODE_MAP };
	return 0;
}

/* The environment's text for what stands between the braces; NULL: none. */
static const char *
look_up(struct str name, struct str *otherwise)
{
	struct buf b = { 0 };
	size_t dash = str_find_str(name, STR(":-"));
	const char *v;

	*otherwise = (struct str){ NULL, 0 };
	if (dash != SIZE_MAX) {
		*otherwise = str_from(name, dash + 2);
		name = str_sub(name, 0, dash);
	}
	buf_str(&b, name);
	v = getenv(buf_cstr(&b));
	buf_fini(&b);
	return v && (*v || dash == SIZE_MAX) ? v : NULL;
}

/* One ${…} at the head of *rest. */
static int
expand_one(const struct ytree *t, const struct ynode *at, struct str *rest,
    struct buf *out, struct err *err)
{
	struct str name = str_from(*rest, 2);
	size_t end = str_find(name, '}');
	struct str otherwise;
	const char *v;

	if (end == SIZE_MAX)
		return ytree_bad(t, at, err, "'${' without '}'");
	*rest = str_from(name, end + 1);
	name = str_sub(name, 0, end);
	v = look_up(name, &otherwise);
	if (v)
		buf_cat(out, v);
	else if (str_find_str(name, STR(":-")) != SIZE_MAX)
		buf_str(out, otherwise);
	else
		return ytree_bad(t, at, err,
		    "the environment has no %.*s, expected it or "
		    "${%.*s:-text}",
		    STR_ARG(str_sub(name, 0, 60)),
		    STR_ARG(str_sub(name, 0, 60)));
	return 0;
}

/* The value with the environment's texts in it. */
static int
expand(const struct ytree *t, const struct ynode *at, struct str text,
    struct buf *out, struct err *err)
{
	while (text.n > 0) {
		if (str_starts(text, STR("${"))) {
			if (expand_one(t, at, &text, out, err) != 0)
				return -1;
			continue;
		}
		if (str_starts(text, STR("$${")))
			text = str_from(text, 1);
		buf_char(out, text.p[0]);
		text = str_from(text, 1);
		if (out->n > TEXT_BYTES)
			break;
	}
	return 0;
}

/* The text of a node, checked. */
static int
set_text(struct reading *r, struct ynode *node, struct str text,
    struct err *err)
{
	if (text.n > TEXT_BYTES)
		return ytree_bad(r->tree, node, err,
		    "a text of more than %d bytes", TEXT_BYTES);
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 127)
			return ytree_bad(r->tree, node, err,
			    "a text with a control character");
	node->text = arena_dup(&r->tree->arena, text);
	return 0;
}

static int
take_text(struct reading *r, const yaml_event_t *e, struct err *err)
{
	const struct level *l = r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
	struct ynode *node = node_new(r, e, YNODE_TEXT);
	struct str text = { (const char *)e->data.scalar.value,
		e->data.scalar.length };
	struct buf whole = { 0 };
	int rc;

	if (l && l->at_key)
		rc = set_text(r, node, text, err);
	else {
		rc = expand(r->tree, node, text, &whole, err);
		if (rc == 0)
			rc = set_text(r, node, buf_view(&whole), err);
	}
	buf_fini(&whole);
	return rc == 0 ? node_add(r, node, err) : -1;
}

/* What an event has that is not taken; NULL: nothing. */
static const char *
refused(const yaml_event_t *e)
{
	static const char anchor[] = "an anchor ('&'), which is not taken here";
	static const char tag[] = "a tag ('!'), which is not taken here";

	switch (e->type) {
	case YAML_ALIAS_EVENT:
		return "an alias ('*'), which is not taken here; a text that "
		       "begins with '*' is written in quotes";
	case YAML_SCALAR_EVENT:
		return e->data.scalar.anchor ? anchor
		       : e->data.scalar.tag  ? tag
					     : NULL;
	case YAML_SEQUENCE_START_EVENT:
		return e->data.sequence_start.anchor ? anchor
		       : e->data.sequence_start.tag  ? tag
						     : NULL;
	case YAML_MAPPING_START_EVENT:
		return e->data.mapping_start.anchor ? anchor
		       : e->data.mapping_start.tag  ? tag
						    : NULL;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		break;
	}
	return NULL;
}

static int
take(struct reading *r, const yaml_event_t *e, struct err *err)
{
	const char *why = refused(e);

	if (why)
		return bad_event(r, e, err, why);
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->one)
			return bad_event(r, e, err,
			    "a second document, where one is expected");
		r->one = true;
		break;
	case YAML_SCALAR_EVENT:
		return take_text(r, e, err);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(r, node_new(r, e, YNODE_LIST), err);
	case YAML_MAPPING_START_EVENT:
		return open_level(r, node_new(r, e, YNODE_MAP), err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		assert(r->depth > 0);
		r->depth--;
		break;
	case YAML_STREAM_END_EVENT:
		r->end = true;
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_ALIAS_EVENT:
		break;
	}
	return 0;
}

/* Where the byte is; libyaml tells no more of what it cannot decode. */
static int
bad_byte(const struct reading *r, size_t at, const char *words, struct err *err)
{
	size_t line = 1;
	size_t column = 1;

	for (size_t i = 0; i < at && i < r->text.n; i++) {
		if (r->text.p[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)r->text.p[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return bad_at(r->tree, line, column, err, words);
}

static int
bad_yaml(const struct reading *r, const yaml_parser_t *p, struct err *err)
{
	const char *problem = p->problem ? p->problem : "it ends too early";
	struct buf words = { 0 };

	if (p->error == YAML_READER_ERROR) {
		buf_printf(&words, "this is no text in UTF-8: %s", problem);
		bad_byte(r, p->problem_offset, buf_cstr(&words), err);
	} else {
		buf_printf(&words, "this is no YAML: %s%s%s",
		    p->context ? p->context : "", p->context ? ", " : "",
		    problem);
		bad_at(r->tree, p->problem_mark.line + 1,
		    p->problem_mark.column + 1, err, buf_cstr(&words));
	}
	buf_fini(&words);
	return -1;
}

int
ytree_parse(struct ytree *t, const char *file, struct str text, struct err *err)
{
	struct reading r = { .tree = t, .text = text };
	yaml_parser_t parser;
	int rc = 0;

	t->file = file;
	if (!yaml_parser_initialize(&parser))
		return err_set(err, "%s: out of memory", file);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser,
	    (const unsigned char *)(text.n ? text.p : ""), text.n);
	while (rc == 0 && !r.end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			rc = bad_yaml(&r, &parser, err);
			break;
		}
		rc = take(&r, &event, err);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return rc;
}

/* All of a file that is not too long. */
static int
read_file(const char *path, struct buf *text, struct err *err)
{
	FILE *f = fopen(path, "rbe");
	size_t got = 1;
	int rc = 0;

	if (!f)
		return err_set(err, "%s: cannot be opened: %s", path,
		    strerror(errno));
	while (got > 0 && text->n <= FILE_BYTES) {
		got = fread(buf_room(text, 65536), 1, 65536, f);
		text->n += got;
	}
	if (ferror(f))
		rc = err_set(err, "%s: cannot be read: %s", path,
		    strerror(errno));
	else if (text->n > FILE_BYTES)
		rc = err_set(err, "%s: more than 1 MiB", path);
	fclose(f);
	return rc;
}

int
ytree_read(struct ytree *t, const char *path, struct err *err)
{
	struct buf text = { 0 };
	int rc;

	t->file = path;
	rc = read_file(path, &text, err);
	if (rc == 0)
		rc = ytree_parse(t, path, buf_view(&text), err);
	buf_fini(&text);
	return rc;
}

void
ytree_fini(struct ytree *t)
{
	arena_fini(&t->arena);
	*t = (struct ytree){ 0 };
}
