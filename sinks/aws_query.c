/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/aws_query.h"

#include <ctype.h>
#include <string.h>

#include "core/when.h"

enum { TEXT_MAX = 64 * 1024 };

void
aws_query_put(struct buf *form, const char *name, struct str value)
{
	static const char hex[] = "0123456789ABCDEF";

	if (form->n > 0)
		buf_char(form, '&');
	buf_cat(form, name);
	buf_char(form, '=');
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (isalnum(c) || (c && strchr("-._~", c))) {
			buf_char(form, (char)c);
			continue;
		}
		buf_char(form, '%');
		buf_char(form, hex[c >> 4]);
		buf_char(form, hex[c & 15]);
	}
}

/* What stands behind an '&', to its ';'.  False: it is nothing known. */
static bool
put_entity(struct buf *out, struct str *rest)
{
	static const struct {
		const char *name;
		char is;
	} entities[] = {
		{ "lt", '<' },
		{ "gt", '>' },
		{ "amp", '&' },
		{ "quot", '"' },
		{ "apos", '\'' },
	};
	struct str name;

	if (!str_cut(rest, ';', &name))
		return false;
	for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
		if (str_eq(name, str_of(entities[i].name))) {
			buf_char(out, entities[i].is);
			return true;
		}
	return false;
}

bool
aws_query_text(struct str xml, const char *element, struct buf *out)
{
	struct buf tag = { 0 };
	struct str inside = { NULL, 0 };
	size_t at;
	bool good = true;

	buf_printf(&tag, "<%s>", element);
	at = str_find_str(xml, buf_view(&tag));
	if (at != SIZE_MAX) {
		xml = str_from(xml, at + tag.n);
		buf_reset(&tag);
		buf_printf(&tag, "</%s>", element);
		at = str_find(xml, '<');
		good = at != SIZE_MAX && at <= TEXT_MAX &&
		       str_starts(str_from(xml, at), buf_view(&tag));
		inside = str_sub(xml, 0, at);
	} else {
		good = false;
	}
	buf_fini(&tag);
	while (good && inside.n > 0) {
		char c = inside.p[0];

		inside = str_from(inside, 1);
		if (c == '&')
			good = put_entity(out, &inside);
		else
			buf_char(out, c);
	}
	return good;
}

void
aws_query_date(struct buf *header, int64_t ns)
{
	struct buf when = { 0 };

	when_put(&when, ns, 0);
	buf_cat(header, "X-Amz-Date: ");
	for (size_t i = 0; i < when.n; i++)
		if (when.p[i] != '-' && when.p[i] != ':')
			buf_char(header, when.p[i]);
	buf_fini(&when);
}
