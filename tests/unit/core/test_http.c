/* SPDX-License-Identifier: Apache-2.0 */
/* Requests against a child that answers each connection with given bytes. */
#include "core/http.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

/* Reads a request's head, or some bytes of it, answers, and hangs up. */
static _Noreturn void
serve(int listener, const char *answer)
{
	char request[4096];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0 || read(fd, request, sizeof request) <= 0 ||
		    write(fd, answer, strlen(answer)) < 0)
			_exit(1);
		close(fd);
	}
}

/* A child that answers so; its address goes to `url`. */
static pid_t
server(char url[64], const char *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, n), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	snprintf(url, 64, "http://127.0.0.1:%d/x", ntohs(at.sin_port));
	pid = fork();
	if (pid == 0)
		serve(fd, answer);
	close(fd);
	return pid;
}

static const struct {
	const char *name;
	const char *answer;
	enum http_end end;
	long status;
	const char *body;
	int64_t retry_after_s;
} cases[] = {
	{ "fine", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	    HTTP_REPLIED, 200, "ok", -1 },
	{ "later",
	    "HTTP/1.1 429 X\r\nRetry-After: 7\r\n"
	    "Content-Length: 0\r\n\r\n",
	    HTTP_REPLIED, 429, "", 7 },
	{ "no redirect",
	    "HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\n"
	    "Content-Length: 0\r\n\r\n",
	    HTTP_REPLIED, 302, "", -1 },
	{ "cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", HTTP_UNKNOWN,
	    0, "ok", -1 },
	{ "hung up", "", HTTP_UNKNOWN, 0, "", -1 },
	{ "too long", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789",
	    HTTP_TOO_LONG, 200, "", -1 },
};

Test(http, tells_what_the_server_may_have_seen)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct http_options o = { .reply_max = 8,
			.proxy = HTTP_PROXY_NONE };
		char url[64];
		pid_t pid = server(url, cases[i].answer);
		struct http_request r = { .method = "POST",
			.url = url,
			.body = STR("{}"),
			.tag = i };
		struct err err = { 0 };
		struct http *h = http_open(&o, &err);
		struct http_call *call = http_do(h, &r, &err);
		const struct http_reply *reply;

		cr_assert(call, "%s: %s", cases[i].name, err.text);
		reply = http_reply(call);
		cr_expect_eq(reply->end, cases[i].end, "%s: %d", cases[i].name,
		    (int)reply->end);
		cr_expect_eq(reply->status, cases[i].status, "%s",
		    cases[i].name);
		cr_expect(str_eq(reply->body, str_of(cases[i].body)), "%s",
		    cases[i].name);
		cr_expect_eq(reply->retry_after_s, cases[i].retry_after_s, "%s",
		    cases[i].name);
		cr_expect_eq(reply->words[0] == '\0',
		    cases[i].end == HTTP_REPLIED, "%s", cases[i].name);
		cr_expect_eq(reply->tag, i);
		http_call_free(call);
		http_close(h);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

Test(http, nobody_there_has_seen_nothing)
{
	const struct http_options o = { .proxy = HTTP_PROXY_NONE };
	struct err err = { 0 };
	struct http *h = http_open(&o, &err);
	struct http_request r = { .method = "GET",
		.url = "http://127.0.0.1:1/" };
	struct http_call *call = http_do(h, &r, &err);

	cr_assert(call);
	cr_expect_eq(http_reply(call)->end, HTTP_UNREACHED);
	http_call_free(call);
	http_close(h);
}

Test(http, refuses_what_would_be_another_header)
{
	static const char *const split[] = { "X: a\r\nY: b", NULL };
	static const char *const good[] = { "X: a", NULL };
	const struct http_options o = { 0 };
	struct err err = { 0 };
	struct http *h = http_open(&o, &err);
	struct http_request r = { .method = "GET",
		.url = "http://127.0.0.1:1/",
		.headers = split };

	cr_expect_null(http_start(h, &r, &err));
	cr_expect_neq(err.text[0], '\0');
	r.headers = good;
	r.url = "file:///etc/passwd";
	cr_expect_null(http_start(h, &r, &err));
	http_close(h);
}

/* Answers with the value of the request's Authorization. */
static _Noreturn void
echo(int listener)
{
	for (;;) {
		char request[4096], answer[4096];
		int fd = accept(listener, NULL, NULL);
		ssize_t n = read(fd, request, sizeof request - 1);
		char *value = NULL;

		if (n > 0) {
			request[n] = '\0';
			value = strstr(request, "Authorization: ");
		}
		if (!value)
			_exit(1);
		value += strlen("Authorization: ");
		value[strcspn(value, "\r")] = '\0';
		n = snprintf(answer, sizeof answer,
		    "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
		    strlen(value), value);
		if (write(fd, answer, (size_t)n) != n)
			_exit(1);
		close(fd);
	}
}

static const char form[] = "Content-Type: application/x-www-form-urlencoded";
static const char form_utf8[] =
    "Content-Type: application/x-www-form-urlencoded; charset=utf8";
static const char token[] =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKW"
    "HGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4"
    "IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE"
    "8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj"
    "c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

/* Of AWS's Signature Version 4 test suite, by the names that they have there:
 * of those without a body and a type, the ones that we could send. */
static const struct {
	const char *name, *method, *type, *body, *token, *names, *signature;
} vectors[] = {
	{ "get-vanilla", "GET", NULL, NULL, NULL, "host;x-amz-date",
	    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf3"
	    "1" },
	{ "post-vanilla", "POST", NULL, NULL, NULL, "host;x-amz-date",
	    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6"
	    "b" },
	{ "post-x-www-form-urlencoded", "POST", form, "Param1=value1", NULL,
	    "content-type;host;x-amz-date",
	    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473"
	    "a" },
	{ "post-x-www-form-urlencoded-parameters", "POST", form_utf8,
	    "Param1=value1", NULL, "content-type;host;x-amz-date",
	    "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6f"
	    "e" },
	{ "post-sts-header-before", "POST", NULL, NULL, token,
	    "host;x-amz-date;x-amz-security-token",
	    "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ea"
	    "d" },
};

Test(http, signs_as_the_public_vectors_do)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char proxy[64];
	pid_t pid;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, n), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	pid = fork();
	if (pid == 0)
		echo(fd);
	close(fd);
	/* The vectors' host is asked by way of the child. */
	snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d",
	    ntohs(at.sin_port));
	setenv("http_proxy", proxy, 1);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct http_options o = { .total_ms = 10000 };
		const struct http_signature who = { .service = "service",
			.region = "us-east-1",
			.key_id = "AKIDEXAMPLE",
			.secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
			.token = vectors[i].token };
		const char *headers[] = { "X-Amz-Date: 20150830T123600Z",
			vectors[i].type, NULL };
		struct http_request r = { .method = vectors[i].method,
			.url = "http://example.amazonaws.com/",
			.headers = headers,
			.body = str_of(vectors[i].body),
			.signature = &who };
		struct err err = { "" };
		struct http *h = http_open(&o, &err);
		struct http_call *call = http_do(h, &r, &err);
		char want[512];

		cr_assert(call, "%s: %s", vectors[i].name, err.text);
		snprintf(want, sizeof want,
		    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1"
		    "/service/aws4_request, SignedHeaders=%s, Signature=%s",
		    vectors[i].names, vectors[i].signature);
		cr_expect(str_eq(http_reply(call)->body, str_of(want)),
		    "%s: %.*s", vectors[i].name,
		    STR_ARG(http_reply(call)->body));
		http_call_free(call);
		http_close(h);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
