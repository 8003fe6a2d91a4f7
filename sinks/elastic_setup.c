/* SPDX-License-Identifier: Apache-2.0 */
/* See the header. */
#include "sinks/elastic_setup.h"

#include <stdio.h>

#include "core/http.h"
#include "sinks/bulk_reply.h"
#include "sinks/elastic_server.h"

const struct template_form template_forms[TEMPLATE_FORMS] = {
	{ .wildcard = true },
	{ .wildcard = false },
	{ .legacy = true },
	{ .legacy = true, .typed = true },
};

struct setup {
	struct http *http;
	struct elastic_hosts hosts;
	struct bulk_reply reply; /* reads what is said of an error */
	struct buf path, body;
	long status;
	char said[256];
};

/* One request of the template's path; -1 with err: no answer at all. */
static int
request(struct setup *s, const char *method, const struct template_form *f,
    struct err *err)
{
	struct elastic_request r;
	const char *host;
	const struct http_reply *reply;
	struct http_call *call;
	struct str type, reason;

	buf_reset(&s->path);
	buf_printf(&s->path, "/%s", elastic_template_path(f));
	elastic_request_init(&r, &s->hosts, method, buf_cstr(&s->path),
	    "Content-Type: application/json");
	if (s->body.n > 0)
		r.http.body = buf_view(&s->body);
	host = r.host->url;
	call = http_do(s->http, &r.http, err);
	elastic_request_fini(&r);
	if (!call)
		return -1;
	reply = http_reply(call);
	s->status = reply->status;
	bulk_reply_error(&s->reply, reply->body, &type, &reason);
	snprintf(s->said, sizeof s->said, "%.*s",
	    STR_ARG(str_sub(reason, 0, 200)));
	if (reply->end != HTTP_REPLIED)
		err_set(err, "%s: %s", host, reply->words);
	int rc = reply->end == HTTP_REPLIED ? 0 : -1;
	http_call_free(call);
	return rc;
}

static int
refused(const struct setup *s, struct err *err)
{
	return err_set(err, "%s: the template is refused (status %ld)%s%s",
	    s->hosts.words, s->status, s->said[0] ? ": " : "", s->said);
}

/*
 * The first form that is taken; what is not known to a server is a 4xx.
 *
 * OpenSearch has the type wildcard, but finds no text with a backslash in it
 * there and takes '?' and '*' of a prefix for patterns
 * (opensearch-project/OpenSearch#15555, #19719): it gets keyword.
 */
static int
put(struct setup *s, struct buf *words, struct err *err)
{
	for (size_t i = 0; i < TEMPLATE_FORMS; i++) {
		const struct template_form *f = &template_forms[i];

		if (f->wildcard && s->hosts.opensearch)
			continue;
		buf_reset(&s->body);
		elastic_template(&s->body, f);
		if (request(s, "PUT", f, err) != 0)
			return -1;
		if (s->status >= 200 && s->status < 300) {
			buf_printf(words, "%s: %s is set%s\n", s->hosts.words,
			    elastic_template_path(f),
			    f->wildcard ? "" : ", with keyword for wildcard");
			return 0;
		}
		if (s->status < 400 || s->status >= 500 || s->status == 401 ||
		    s->status == 403 || s->status == 429)
			break;
	}
	return refused(s, err);
}

/* Both kinds; that there is none is as well. */
static int
take_away(struct setup *s, struct buf *words, struct err *err)
{
	static const struct template_form kinds[] = { { .wildcard = true },
		{ .legacy = true } };
	bool was = false;

	for (size_t i = 0; i < 2; i++) {
		if (request(s, "DELETE", &kinds[i], err) != 0)
			return -1;
		if (s->status == 401 || s->status == 403 || s->status >= 500)
			return refused(s, err);
		was |= s->status >= 200 && s->status < 300;
	}
	buf_printf(words, "%s: the template %s\n", s->hosts.words,
	    was ? "is removed; the indices stay" : "was not there");
	return 0;
}

int
elastic_setup(const struct elastic_options *options, enum setup_what what,
    struct buf *words, struct err *err)
{
	const struct http_options http = { .ca_file = options->ca_file };
	struct setup s = { .http = http_open(&http, err) };
	int rc = -1;

	if (s.http && elastic_hosts_set(&s.hosts, options, err) == 0 &&
	    elastic_hosts_ask(&s.hosts, s.http, err) == 0)
		rc = what == SETUP_PUT ? put(&s, words, err)
				       : take_away(&s, words, err);
	http_close(s.http);
	elastic_hosts_fini(&s.hosts);
	bulk_reply_fini(&s.reply);
	buf_fini(&s.path);
	buf_fini(&s.body);
	return rc;
}
