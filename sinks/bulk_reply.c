/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/bulk_reply.h"

#include <stdlib.h>

#include "core/mem.h"

enum bulk_class
bulk_class_of(int status)
{
	if (status >= 200 && status < 300)
		return BULK_STORED;
	switch (status) {
	case 409:
		return BULK_THERE;
	case 403: /* the index is closed for writing: a disk that is full */
	case 408:
	case 429:
		return BULK_AGAIN;
	case 400:
	case 404:
	case 413:
		return BULK_REFUSED;
	default:
		return status >= 500 && status < 600 ? BULK_AGAIN
						     : BULK_UNKNOWN;
	}
}

static void
read_error(const struct json_val *error, struct str *type, struct str *reason)
{
	*type = json_str(json_get(error, STR("type")));
	*reason = json_str(json_get(error, STR("reason")));
	if (reason->n == 0)
		*reason = json_str(error); /* as before Elasticsearch 2 */
}

/* {"create":{…}}, the action's name being the server's. */
static bool
read_item(struct bulk_verdict *v, const struct json_val *item)
{
	const struct json_val *result;
	struct json_iter it;
	int64_t status;

	if (json_type(item) != JSON_OBJECT || json_size(item) != 1)
		return false;
	json_iter_init(&it, item);
	result = json_iter_next(&it);
	if (!json_i64(json_get(result, STR("status")), &status) ||
	    status < 100 || status > 999)
		return false;
	*v = (struct bulk_verdict){ bulk_class_of((int)status), (int)status,
		{ NULL, 0 }, { NULL, 0 } };
	read_error(json_get(result, STR("error")), &v->type, &v->reason);
	return true;
}

bool
bulk_reply_read(struct bulk_reply *r, struct str body, size_t n)
{
	struct json_bad bad;
	const struct json_val *items;
	struct json_iter it;

	if (json_parse(&r->json, body, &bad) != 0)
		return false;
	items = json_get(json_root(&r->json), STR("items"));
	if (json_type(items) != JSON_ARRAY || json_size(items) != n)
		return false;
	r->v = xgrow(r->v, n, &r->cap, sizeof *r->v);
	json_iter_init(&it, items);
	for (size_t i = 0; i < n; i++)
		if (!read_item(&r->v[i], json_iter_next(&it)))
			return false;
	return true;
}

void
bulk_reply_error(struct bulk_reply *r, struct str body, struct str *type,
    struct str *reason)
{
	struct json_bad bad;

	*type = *reason = (struct str){ NULL, 0 };
	if (json_parse(&r->json, body, &bad) == 0)
		read_error(json_get(json_root(&r->json), STR("error")), type,
		    reason);
}

void
bulk_reply_fini(struct bulk_reply *r)
{
	json_fini(&r->json);
	free(r->v);
	*r = (struct bulk_reply){ 0 };
}
