/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/elastic_template.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "sinks/documents.h"

enum {
	PRIORITY = 501, /* above those that Elasticsearch brings along */
	/* Lucene refuses a document for a term of more than 32,766 bytes; of
	 * that many characters none is longer, and what is shorter is found. */
	KEYWORD_MAX = 8191,
	NESTED_MAX = 1000000, /* objects of a document: those of a trace */
};

const char *
elastic_template_path(const struct template_form *f)
{
	return f->legacy ? "_template/telltale" : "_index_template/telltale";
}

static int
by_name(const void *a, const void *b)
{
	const struct document_field *const *x = a;
	const struct document_field *const *y = b;

	return strcmp((*x)->field, (*y)->field);
}

static void
put_type(struct buf *out, const char *type, const struct template_form *f)
{
	int64_t longest = 0;

	/* Neither searched nor sorted by: it is in the document. */
	if (strcmp(type, "keyword, not indexed") == 0) {
		buf_cat(out, "{\"type\":\"keyword\",\"index\":false,"
			     "\"doc_values\":false}");
		return;
	}
	if (strcmp(type, "wildcard") == 0 && !f->wildcard)
		type = "keyword";
	if (strcmp(type, "keyword") == 0)
		longest = KEYWORD_MAX;
	buf_char(out, '{');
	json_member_str(out, "type", str_of(type));
	if (longest > 0)
		json_member_i64(out, "ignore_above", longest);
	buf_char(out, '}');
}

/* The length of the first name of a dotted path. */
static size_t
name_length(const char *path)
{
	return strcspn(path, ".");
}

static void
put_name(struct buf *out, const char *name, size_t n)
{
	json_item(out);
	json_put_str(out, (struct str){ name, n });
	buf_char(out, ':');
}

/*
 * Fields that have the first `from` bytes in common, in order of their names,
 * as one object's properties.  Depth is that of the table's names.
 */
static void
put_properties(struct buf *out, const struct document_field *const *v, size_t n,
    size_t from, const struct template_form *f)
{
	buf_cat(out, "\"properties\":{");
	for (size_t i = 0, same; i < n; i += same) {
		const char *name = v[i]->field + from;
		size_t length = name_length(name);
		size_t own;

		for (same = 1; i + same < n; same++) {
			const char *next = v[i + same]->field + from;

			if (name_length(next) != length ||
			    memcmp(next, name, length) != 0)
				break;
		}
		put_name(out, name, length);
		if (name[length] == '\0' && same == 1) {
			put_type(out, v[i]->type, f);
			continue;
		}
		buf_char(out, '{');
		/* Its own row is the first. */
		own = name[length] == '\0';
		if (own) {
			json_member_str(out, "type", str_of(v[i]->type));
			buf_char(out, ',');
		}
		put_properties(out, v + i + own, same - own, from + length + 1,
		    f);
		buf_char(out, '}');
	}
	buf_char(out, '}');
}

static void
put_mappings(struct buf *out, const struct template_form *f)
{
	const struct document_field *all = documents_fields();
	const struct document_field **v;
	size_t n = 0;

	while (all[n].field)
		n++;
	v = xcalloc(n, sizeof *v);
	for (size_t i = 0; i < n; i++)
		v[i] = &all[i];
	qsort(v, n, sizeof *v, by_name);
	buf_cat(out, "\"mappings\":{");
	if (f->typed)
		buf_cat(out, "\"doc\":{");
	buf_cat(out, "\"dynamic\":false,\"date_detection\":false,"
		     "\"numeric_detection\":false,");
	put_properties(out, v, n, 0, f);
	buf_cat(out, f->typed ? "}}" : "}");
	free(v);
}

static void
put_settings(struct buf *out)
{
	buf_cat(out, "\"settings\":{\"index\":{\"number_of_shards\":1,"
		     "\"mapping\":{\"nested_objects\":{\"limit\":");
	buf_i64(out, NESTED_MAX);
	buf_cat(out, "}}}}");
}

void
elastic_template(struct buf *out, const struct template_form *f)
{
	buf_cat(out, "{\"index_patterns\":[\"telltale-*\"],");
	buf_cat(out, f->legacy ? "\"order\":" : "\"priority\":");
	buf_i64(out, PRIORITY);
	buf_cat(out, f->legacy ? "," : ",\"template\":{");
	put_settings(out);
	buf_char(out, ',');
	put_mappings(out, f);
	buf_cat(out, f->legacy ? "}" : "}}");
}
