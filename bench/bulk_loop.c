/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick for _bulk: the bare loop that nobody can do without who posts
 * documents.  Bodies that bulk_mock has kept go out one after the other, over
 * one connection that is kept alive; answers are read as a whole, and must say
 * that nothing went wrong.
 *
 *	bulk_loop PORT BODIES
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPLY_MAX = 8 * 1024 * 1024 };

static char reply[REPLY_MAX];

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
send_all(int fd, const char *p, size_t n, int flags)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, flags);

		if (sent < 0)
			fail("send");
		p += sent;
		n -= (size_t)sent;
	}
}

/* Returns where the body of the answer begins. */
static const char *
receive(int fd)
{
	static const char name[] = "content-length: ";
	const char *body = NULL, *length;
	size_t have = 0, want = 0;

	while (!body || have < want) {
		ssize_t n = recv(fd, reply + have, REPLY_MAX - 1 - have, 0);

		if (n <= 0)
			fail("recv");
		have += (size_t)n;
		reply[have] = '\0';
		if (body)
			continue;
		body = strstr(reply, "\r\n\r\n");
		length = strstr(reply, name);
		if (!body || !length)
			continue;
		body += 4;
		want = (size_t)(body - reply) +
		       strtoull(length + strlen(name), NULL, 10);
	}
	return body;
}

static size_t
count(const char *p, const char *of)
{
	size_t n = 0;

	for (p = strstr(p, of); p; p = strstr(p + 1, of))
		n++;
	return n;
}

static void
post(int fd, const char *body, size_t n)
{
	static const char ok[] = "{\"errors\":false,";
	char head[256];
	int m = snprintf(head, sizeof head,
	    "POST /_bulk?filter_path=errors,items.*.status HTTP/1.1\r\n"
	    "Host: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    n);

	send_all(fd, head, (size_t)m, MSG_MORE);
	send_all(fd, body, n, 0);
	body = receive(fd);
	if (strncmp(reply, "HTTP/1.1 200", 12) != 0 ||
	    strncmp(body, ok, strlen(ok)) != 0) {
		fprintf(stderr, "bulk_loop: refused: %.100s\n", body);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int file = argc == 3 ? open(argv[2], O_RDONLY) : -1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t items = 0;
	const char *p, *last;
	struct stat s;

	if (file < 0 || fstat(file, &s) != 0)
		return 2;
	a.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
		fail("connect");
	p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, file, 0);
	if (p == MAP_FAILED)
		fail(argv[2]);
	for (last = p + s.st_size; p < last;) {
		char *body;
		size_t n = strtoull(p, &body, 10);

		post(fd, ++body, n);
		items += count(reply, "\"status\":");
		p = body + n;
	}
	printf("%zu items\n", items);
	return 0;
}
