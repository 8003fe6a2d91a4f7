/* SPDX-License-Identifier: Apache-2.0 */
/* Requests against a child that answers each connection with given bytes. */
#include "core/http.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
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
	cr_expect_eq(http_calls(h), 0);
	http_close(h);
}
