/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and members of X-Ray's API, without floating point. */
#include "sinks/xray_api_parts.h"

#include "core/json.h"
#include "core/when.h"

void
api_seconds(struct buf *b, int64_t ns)
{
	/* INT64_MIN has no positive counterpart of its own type. */
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	if (ns < 0)
		buf_char(b, '-');
	buf_printf(b, "%llu.%09llu",
	    (unsigned long long)(u / (uint64_t)NS_PER_SEC),
	    (unsigned long long)(u % (uint64_t)NS_PER_SEC));
	while (b->p[b->n - 1] == '0' && b->p[b->n - 2] != '.')
		b->n--;
}

void
api_milliseconds(struct buf *b, int64_t ns)
{
	int64_t half = ns < INT64_MAX - NS_PER_MS ? NS_PER_MS / 2 : 0;

	api_seconds(b, (ns + half) / NS_PER_MS * NS_PER_MS);
}

void
api_text(struct buf *b, const char *key, struct str s)
{
	if (s.n > 0)
		json_member_str(b, key, s);
}

void
api_time(struct buf *b, const char *key, int64_t ns)
{
	if (ns == WHEN_NONE)
		return;
	json_key(b, key);
	api_seconds(b, ns);
}

void
api_duration(struct buf *b, const char *key, int64_t ns)
{
	if (ns < 0)
		return;
	json_key(b, key);
	api_milliseconds(b, ns);
}

void
api_count(struct buf *b, const char *key, uint64_t n)
{
	json_key(b, key);
	buf_u64(b, n > INT64_MAX ? INT64_MAX : n); /* a long of the model's */
}

void
api_open(struct buf *b, const char *key, char bracket)
{
	json_key(b, key);
	buf_char(b, bracket);
}

void
api_service(struct buf *b, struct str name, struct str account, struct str type)
{
	json_member_str(b, "Name", name);
	api_open(b, "Names", '[');
	json_put_str(b, name);
	buf_char(b, ']');
	api_text(b, "AccountId", account);
	api_text(b, "Type", type);
}
