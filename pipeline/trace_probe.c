/* SPDX-License-Identifier: Apache-2.0 */
/* A trace's root request, judged like the request of a log. */
#include "pipeline/trace_probe.h"

#include "core/when.h"

struct str
trace_path(struct str url)
{
	size_t scheme = str_find_str(url, STR("://"));
	size_t end = 0;

	if (scheme != SIZE_MAX) {
		size_t slash;

		url = str_from(url, scheme + 3);
		slash = str_find(url, '/');
		if (slash == SIZE_MAX)
			return STR("/");
		url = str_from(url, slash);
	}
	while (end < url.n && url.p[end] != '?' && url.p[end] != '#')
		end++;
	return str_sub(url, 0, end);
}

bool
trace_is_probe(const struct probe_settings *settings, const struct trace *t)
{
	const struct span *root;
	struct request r = { .end_ns = WHEN_NONE, .duration_ns = -1 };

	if (t->root == SPAN_NONE)
		return false;
	root = &t->spans[t->root];
	if (!root->http)
		return false;
	r.method_text = root->http->method;
	r.method = method_of(r.method_text);
	r.url = root->http->url;
	r.path = trace_path(r.url);
	r.agent = root->http->agent;
	r.status = root->http->status > 0 && root->http->status < 1000
		       ? (int)root->http->status
		       : 0;
	if (root->flags & SPAN_FORWARDED)
		r.forwarded = root->http->client_ip;
	else
		r.peer = root->http->client_ip;
	return probe_judge(settings, &r).class == CLASS_PROBE;
}
