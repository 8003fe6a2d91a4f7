/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/bulk.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

struct bulk *
bulk_new(void)
{
	return xcalloc(1, sizeof(struct bulk));
}

void
bulk_free(struct bulk *b)
{
	if (!b)
		return;
	buf_fini(&b->text);
	buf_fini(&b->packed);
	free(b->items);
	free(b);
}

/* Takes "key":"value" from the head of *s; false: something else is there, or
 * the value has what no index and no id of ours has. */
static bool
take(struct str *s, struct str key, struct str *value)
{
	struct str rest;
	size_t n = 0;

	if (!str_starts(*s, key))
		return false;
	rest = str_from(*s, key.n);
	while (n < rest.n && rest.p[n] != '"') {
		char c = rest.p[n++];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			(c >= '0' && c <= '9') || c == '-' || c == '_' ||
			c == '.'))
			return false;
	}
	if (n == 0 || n == rest.n)
		return false;
	*value = str_sub(rest, 0, n);
	*s = str_from(rest, n + 1);
	return true;
}

/* Whether an index is of a kind: "telltale-findings-2018.11.27". */
static bool
is_of(struct str index, struct str kind)
{
	return str_find_str(index, kind) != SIZE_MAX;
}

static int64_t
number(const struct json_val *of, struct str key)
{
	int64_t n;

	return json_i64(json_get(of, key), &n) && n > 0 ? n : 0;
}

/*
 * How much a state knows: of how many requests it is, and of as many, how many
 * it tells apart: health checks that the clock shows are known as such from
 * some minutes on only.  A trace's: of how many segments it is, and of as many,
 * how long these are: a finished one is longer than in progress.
 */
static int64_t
version(struct str source, struct json *j)
{
	enum { APART = 24 };
	const int64_t most = (INT64_C(1) << APART) - 1;
	const struct json_val *own, *state;
	struct json_bad bad;
	int64_t all, apart;

	if (json_parse(j, source, &bad) != 0)
		return 0;
	own = json_get(json_root(j), STR("telltale"));
	state = json_get(own, STR("rollup"));
	if (state) {
		apart = number(state, STR("probes"));
		all = number(state, STR("count")) + apart;
	} else if (json_get(own, STR("trace"))) {
		state = json_get(own, STR("trace"));
		apart = number(state, STR("bytes"));
		all = number(state, STR("documents"));
	} else {
		state = json_get(own, STR("finding"));
		apart = number(state, STR("count"));
		all = number(state, STR("total"));
	}
	if (all > INT64_MAX >> (APART + 1))
		all = INT64_MAX >> (APART + 1);
	return all << APART | (apart < most ? apart : most);
}

static void
put_action(struct bulk *b, struct str index, struct str id, bool typed,
    int64_t at)
{
	buf_cat(&b->text, at < 0 ? "{\"create\":{\"_index\":\""
				 : "{\"index\":{\"_index\":\"");
	buf_str(&b->text, index);
	buf_cat(&b->text, "\",\"_id\":\"");
	buf_str(&b->text, id);
	buf_cat(&b->text, typed ? "\",\"_type\":\"doc\"" : "\"");
	if (at >= 0) {
		buf_cat(&b->text, ",\"version\":");
		buf_i64(&b->text, at + 1);
		buf_cat(&b->text, ",\"version_type\":\"external_gte\"");
	}
	buf_cat(&b->text, "}}\n");
}

bool
bulk_add(struct bulk *b, struct str line, bool typed, struct json *j)
{
	struct str index, id, source, rest = line;
	struct bulk_item item = { .at = (uint32_t)b->text.n };
	size_t at;

	if (!take(&rest, STR("{\"_index\":\""), &index) ||
	    !take(&rest, STR(",\"_id\":\""), &id) || rest.n == 0 ||
	    rest.p[rest.n - 1] != '}')
		return false;
	/* What may stand between has its quotes escaped. */
	at = str_find_str(rest, STR(",\"_source\":{"));
	if (at == SIZE_MAX)
		return false;
	source = str_from(rest, at + strlen(",\"_source\":"));
	source.n--;
	if (memchr(source.p, '\n', source.n) || source.p[source.n - 1] != '}')
		return false;
	put_action(b, index, id, typed,
	    is_of(index, STR("-rollups-")) || is_of(index, STR("-findings-")) ||
		    is_of(index, STR("-traces-"))
		? version(source, j)
		: -1);
	item.source = (uint32_t)b->text.n - item.at;
	buf_str(&b->text, source);
	buf_char(&b->text, '\n');
	item.n = (uint32_t)b->text.n - item.at;
	b->items = xgrow(b->items, b->n + 1, &b->cap, sizeof *b->items);
	b->items[b->n++] = item;
	return true;
}

void
bulk_copy(struct bulk *to, const struct bulk *of, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++) {
		struct bulk_item item = of->items[i];

		item.at = (uint32_t)to->text.n;
		buf_put(&to->text, of->text.p + of->items[i].at, item.n);
		to->items =
		    xgrow(to->items, to->n + 1, &to->cap, sizeof *to->items);
		to->items[to->n++] = item;
	}
}

/* The value behind a key of an action that put_action wrote. */
static struct str
action_value(struct str action, struct str key)
{
	struct str v = str_from(action, str_find_str(action, key) + key.n);

	return str_sub(v, 0, str_find(v, '"'));
}

void
bulk_refused(struct buf *out, const struct bulk *b, size_t item,
    struct str type, struct str reason)
{
	const struct bulk_item *i = &b->items[item];
	struct str action = { b->text.p + i->at, i->source };
	struct str source = { action.p + i->source, i->n - i->source - 1 };

	buf_cat(out, "{\"_index\":\"");
	buf_str(out, action_value(action, STR("\"_index\":\"")));
	buf_cat(out, "\",\"_id\":\"");
	buf_str(out, action_value(action, STR("\"_id\":\"")));
	buf_cat(out, "\",\"_error\":{");
	json_member_str(out, "type", type);
	json_member_str(out, "reason", reason);
	buf_cat(out, "},\"_source\":");
	buf_str(out, source);
	buf_cat(out, "}\n");
}
