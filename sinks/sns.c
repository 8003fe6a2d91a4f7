/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials are asked for when the first message is published: a run
 * that has nothing to say needs none.
 */
#include "sinks/sns.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sinks/backoff.h"
#include "core/http.h"
#include "core/mem.h"
#include "core/when.h"
#include "sinks/aws_arn.h"
#include "sinks/aws_credentials.h"
#include "sinks/aws_query.h"

enum {
	TOTAL_MS = 30 * 1000,
	LOOK_MS = 200, /* a stop is seen so soon */
	REPLY_MAX = 64 * 1024,
	WORDS = 200, /* of a server's are told */
};

/* How wrong our clock may be: SNS allows 15 minutes. */
#define SKEW_NS (240 * NS_PER_SEC)

struct sns {
	struct sns_options options;
	struct aws_arn arn;
	struct buf url, region, form;
	struct http *http;
	struct aws_chain *chain;
	struct backoff backoff;
	bool waited;     /* and said so */
	bool refreshed;  /* for the present message */
	bool skewed;     /* likewise */
	int64_t skew_ns; /* SNS's clock is so far ahead */
	uint64_t again;
};

/* What an answer says of one attempt. */
enum went {
	WENT_WELL,
	WENT_LATER,   /* try again */
	WENT_STALE,   /* the credentials do not do, or the time is wrong */
	WENT_REFUSED, /* this message */
	WENT_NO,      /* any message */
};

static void
set_url(struct sns *s)
{
	const char *given = s->options.endpoint;

	if (!given)
		given = getenv("AWS_ENDPOINT_URL_SNS");
	if (!given || !*given)
		given = getenv("AWS_ENDPOINT_URL");
	if (given && *given)
		buf_cat(&s->url, given);
	else
		buf_printf(&s->url, "https://sns.%.*s.%s/",
		    STR_ARG(s->arn.region), aws_domain(s->arn.region));
}

static int
check_url(const struct sns *s, struct err *err)
{
	struct str url = buf_view(&s->url);

	if (str_starts(url, STR("http://")) || str_starts(url, STR("https://")))
		return 0;
	return err_set(err,
	    "'%.*s' is no endpoint of SNS, expected http://… or https://…",
	    STR_ARG(url));
}

struct sns *
sns_open(const struct sns_options *options, struct err *err)
{
	struct sns *s = xcalloc(1, sizeof *s);
	const struct http_options http = { .ca_file = options->ca_file,
		.total_ms = TOTAL_MS,
		.reply_max = REPLY_MAX,
		.connections = 1 };

	s->options = *options;
	s->chain = aws_chain_new(options->ca_file);
	if (!aws_arn_parse(str_of(options->topic), &s->arn) ||
	    !str_eq(s->arn.service, STR("sns"))) {
		err_set(err,
		    "'%s' is no topic, expected "
		    "arn:aws:sns:REGION:ACCOUNT:NAME",
		    options->topic);
	} else {
		set_url(s);
		buf_cstr(&s->url);
		buf_str(&s->region, s->arn.region);
		s->http = http_open(&http, err);
	}
	if (s->http && check_url(s, err) == 0)
		return s;
	sns_close(s);
	return NULL;
}

struct str
sns_region(const struct sns *s)
{
	return s->arn.region;
}

struct str
sns_account(const struct sns *s)
{
	return s->arn.account;
}

uint64_t
sns_again(const struct sns *s)
{
	return s->again;
}

const char *
sns_note(struct sns *s)
{
	return aws_chain_note(s->chain);
}

static bool
is_fifo(const struct sns *s)
{
	return str_ends(s->arn.resource, STR(".fifo"));
}

static void
put_attributes(struct buf *form, const struct alert_message *m)
{
	struct buf name = { 0 };

	for (size_t i = 0; i < m->n_attributes; i++) {
		const struct alert_attribute *a = &m->attributes[i];
		const struct {
			const char *name;
			struct str value;
		} parts[] = {
			{ "Name", str_of(a->name) },
			{ "Value.DataType",
			    a->number ? STR("Number") : STR("String") },
			{ "Value.StringValue", buf_view(&a->value) },
		};

		for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
			buf_reset(&name);
			buf_printf(&name, "MessageAttributes.entry.%zu.%s",
			    i + 1, parts[k].name);
			aws_query_put(form, buf_cstr(&name), parts[k].value);
		}
	}
	buf_fini(&name);
}

static void
put_form(struct sns *s, const struct alert_message *m)
{
	struct str id = { m->id, sizeof m->id };
	struct buf text = { 0 };

	buf_reset(&s->form);
	aws_query_put(&s->form, "Action", STR("Publish"));
	aws_query_put(&s->form, "Version", STR("2010-03-31"));
	aws_query_put(&s->form, "TopicArn", str_of(s->options.topic));
	aws_query_put(&s->form, "Subject", buf_view(&m->subject));
	if (alert_message_text(m, &text))
		aws_query_put(&s->form, "MessageStructure", STR("json"));
	aws_query_put(&s->form, "Message", buf_view(&text));
	put_attributes(&s->form, m);
	if (is_fifo(s)) {
		aws_query_put(&s->form, "MessageGroupId",
		    (struct str){ m->group, sizeof m->group });
		aws_query_put(&s->form, "MessageDeduplicationId", id);
	}
	buf_fini(&text);
}

static int64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static bool
is_one_of(struct str code, const char *const *codes)
{
	for (size_t i = 0; codes[i]; i++)
		if (str_eq(code, str_of(codes[i])))
			return true;
	return false;
}

/* By AWS's words, and where there are none by the status. */
static enum went
went(long status, struct str code)
{
	static const char *const later[] = { "Throttling",
		"ThrottlingException", "ThrottledException", "Throttled",
		"RequestThrottled", "RequestThrottledException",
		"RequestLimitExceeded", "TooManyRequestsException",
		"InternalError", "InternalFailure", "ServiceUnavailable",
		"KMSThrottling", NULL };
	static const char *const stale[] = { "ExpiredToken",
		"ExpiredTokenException", "InvalidClientTokenId",
		"UnrecognizedClientException", "SignatureDoesNotMatch",
		"RequestExpired", "RequestTimeTooSkewed", "InvalidSecurity",
		"IncompleteSignature", NULL };
	static const char *const refused[] = { "InvalidParameter",
		"InvalidParameterValue", "ParameterValueInvalid",
		"ValidationError", "MessageTooLong", "Validation", NULL };

	if (status == 429 || status >= 500 || is_one_of(code, later))
		return WENT_LATER;
	if (is_one_of(code, stale))
		return WENT_STALE;
	if (is_one_of(code, refused) || status == 413)
		return WENT_REFUSED;
	return WENT_NO;
}

/* A server's words, as long as a line. */
static void
put_words(struct buf *out, struct str words)
{
	words = str_head(words, WORDS);
	for (size_t i = 0; i < words.n; i++)
		buf_char(out,
		    (unsigned char)words.p[i] < ' ' ? ' ' : words.p[i]);
}

static enum went
read_error(const struct sns *s, const struct http_reply *r, struct err *err)
{
	struct buf code = { 0 }, message = { 0 }, words = { 0 };
	enum went end;

	if (!aws_query_text(r->body, "Code", &code))
		buf_reset(&code);
	if (!aws_query_text(r->body, "Message", &message))
		buf_reset(&message);
	put_words(&words, buf_view(&code));
	if (message.n > 0) {
		buf_cat(&words, ": ");
		put_words(&words, buf_view(&message));
	}
	err_set(err, "%s: SNS answered %ld%s%s", s->options.topic, r->status,
	    words.n > 0 ? ", " : "", buf_cstr(&words));
	end = went(r->status, buf_view(&code));
	buf_fini(&words);
	buf_fini(&message);
	buf_fini(&code);
	return end;
}

/* An answer that is none: it may have been accepted. */
static enum went
read_reply(const struct sns *s, const struct http_reply *r, struct buf *receipt,
    struct err *err)
{
	if (r->end != HTTP_REPLIED) {
		err_set(err, "%s: %s: %s", s->options.topic, s->url.p,
		    r->words);
		return WENT_LATER;
	}
	if (r->status != 200)
		return read_error(s, r, err);
	buf_reset(receipt);
	if (aws_query_text(r->body, "MessageId", receipt) && receipt->n > 0)
		return WENT_WELL;
	err_set(err, "%s: the answer has no MessageId", s->options.topic);
	return WENT_LATER;
}

/* By the answer's Date: how far our clock is from SNS's, where that is much. */
static void
look_at_clock(struct sns *s, const struct http_call *call)
{
	const char *date = http_header(call, "Date");
	struct tm tm = { 0 };
	int64_t off;

	if (s->skewed || !date ||
	    !strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return;
	off = (int64_t)timegm(&tm) * NS_PER_SEC - clock_ns();
	if (off > SKEW_NS + s->skew_ns || off < s->skew_ns - SKEW_NS) {
		s->skew_ns = off;
		s->skewed = true;
	}
}

static bool
is_stopped(const struct sns *s)
{
	return s->options.stop && *s->options.stop;
}

/* NULL with err: it is not to be sent, or nobody waits for its end. */
static struct http_call *
ask(struct sns *s, const struct http_request *r, struct err *err)
{
	struct http_call *call = NULL;

	if (!http_start(s->http, r, err))
		return NULL;
	while (!call && !is_stopped(s))
		call = http_wait(s->http, LOOK_MS);
	if (!call)
		err_set(err, "%s: interrupted", s->options.topic);
	return call;
}

static enum went
attempt(struct sns *s, bool fresh, struct buf *receipt, int64_t *asked_s,
    struct err *err)
{
	const struct aws_credentials *who = aws_chain_get(s->chain, fresh, err);
	const char *headers[] = { AWS_QUERY_TYPE, NULL, NULL };
	struct http_signature signature = { .service = "sns" };
	struct http_request r = { .method = "POST",
		.url = buf_cstr(&s->url),
		.headers = headers,
		.body = buf_view(&s->form),
		.signature = &signature };
	struct buf date = { 0 };
	struct http_call *call;
	enum went end = WENT_NO;

	if (!who)
		return WENT_NO;
	aws_query_date(&date, clock_ns() + s->skew_ns);
	headers[1] = buf_cstr(&date);
	signature.region = buf_cstr(&s->region);
	signature.key_id = who->key_id;
	signature.secret = who->secret;
	signature.token = who->token;
	call = ask(s, &r, err);
	if (call) {
		*asked_s = http_reply(call)->retry_after_s;
		end = read_reply(s, http_reply(call), receipt, err);
		if (end == WENT_STALE)
			look_at_clock(s, call);
	}
	http_call_free(call);
	buf_fini(&date);
	return end;
}

/* Whether it is worth another attempt at once, with other credentials or at
 * another time. */
static bool
is_mended(struct sns *s, bool was_skewed, bool *fresh)
{
	if (s->skewed && !was_skewed)
		return true;
	*fresh = !s->refreshed;
	s->refreshed = true;
	return *fresh;
}

static void
say_waiting(struct sns *s, unsigned tries, const struct err *why)
{
	if (s->waited || tries == 0 || !s->options.waiting)
		return;
	s->waited = true;
	s->options.waiting(why, s->options.wait_ms);
}

enum sns_end
sns_publish(struct sns *s, const struct alert_message *m, struct buf *receipt,
    struct err *err)
{
	const int64_t end_ms = backoff_clock_ms() + s->options.wait_ms;
	int64_t asked_s = -1;
	bool fresh = false;

	put_form(s, m);
	s->refreshed = s->skewed = false;
	for (unsigned tries = 0;; tries++) {
		bool was_skewed = s->skewed;
		enum went end = attempt(s, fresh, receipt, &asked_s, err);

		fresh = false;
		switch (end) {
		case WENT_WELL:
			return SNS_PUBLISHED;
		case WENT_REFUSED:
			return SNS_REFUSED;
		case WENT_NO:
			return SNS_FAILED;
		case WENT_STALE:
			if (!is_mended(s, was_skewed, &fresh))
				return SNS_FAILED;
			break;
		case WENT_LATER:
			say_waiting(s, tries, err);
			backoff_sleep(backoff_ms(&s->backoff, tries, asked_s),
			    s->options.stop);
			break;
		}
		if (is_stopped(s) || backoff_clock_ms() >= end_ms)
			return SNS_FAILED;
		s->again++;
	}
}

void
sns_close(struct sns *s)
{
	if (!s)
		return;
	aws_chain_free(s->chain);
	http_close(s->http);
	buf_fini(&s->url);
	buf_fini(&s->region);
	buf_fini(&s->form);
	free(s);
}
