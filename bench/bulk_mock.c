/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of the rows about _bulk: an Elasticsearch that stores nothing
 * and checks everything.  Every line of a body is parsed; a document is created
 * once, and is a conflict afterwards; each has its item in the answer, which is
 * as short as the filter_path of the question allows.  One thread, connections
 * are kept alive.
 *
 *	bulk_mock [-d MS] [-r FILE]
 *
 *	-d  every answer to _bulk comes that much later: a slow server
 *	-r  keeps the bodies, each behind its length, for bulk_loop
 *
 * Prints its port; GET /_count says how many documents there are.  Ends with
 * SIGTERM, prints what came, and fails if any of it was wrong.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

enum {
	CONNECTIONS = 64,
	PIECE = 256 * 1024,
	POOL = 4 * 1024 * 1024, /* of one line's parsing */
	ITEM = 512,             /* of an answer, most */
};

struct bytes {
	char *p;
	size_t n, cap;
};

struct connection {
	int fd;
	struct bytes in, out;
	size_t sent;
	int64_t due_ms; /* of what is in `out` */
};

static struct connection connections[CONNECTIONS];
static int delay_ms;
static FILE *record;
static void *pool;
static uint64_t *ids; /* hashes, 0: free */
static size_t n_ids, cap_ids;
static uint64_t documents, without_id, requests, bad, body_bytes;
static volatile sig_atomic_t ended;

static void
end(int number)
{
	(void)number;
	ended = 1;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void *
must(void *p)
{
	if (!p) {
		fprintf(stderr, "bulk_mock: out of memory\n");
		exit(2);
	}
	return p;
}

static void
room(struct bytes *b, size_t more)
{
	if (b->cap - b->n >= more)
		return;
	b->cap = 2 * b->cap + more;
	b->p = must(realloc(b->p, b->cap));
}

static void
put(struct bytes *b, const char *format, ...)
{
	va_list args;

	room(b, ITEM);
	va_start(args, format);
	b->n += (size_t)vsnprintf(b->p + b->n, ITEM, format, args);
	va_end(args);
}

static uint64_t
hash(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i <= n; i++)
		h = (h ^ (unsigned char)(i < n ? p[i] : 0)) *
		    UINT64_C(0x100000001b3);
	return h;
}

/* Whether it is new. */
static bool
add_id(uint64_t h)
{
	size_t at;

	if (2 * n_ids >= cap_ids) {
		uint64_t *old = ids;
		size_t cap = cap_ids;

		cap_ids = cap ? 2 * cap : 1 << 16;
		ids = must(calloc(cap_ids, sizeof *ids));
		n_ids = 0;
		for (size_t i = 0; i < cap; i++)
			if (old[i])
				add_id(old[i]);
		free(old);
	}
	h += h == 0;
	at = (h ^ h >> 32) & (cap_ids - 1);
	while (ids[at] && ids[at] != h)
		at = (at + 1) & (cap_ids - 1);
	if (ids[at])
		return false;
	ids[at] = h;
	n_ids++;
	return true;
}

static yyjson_doc *
parse(char *line, size_t n)
{
	yyjson_alc alc;

	yyjson_alc_pool_init(&alc, pool, POOL);
	return yyjson_read_opts(line, n, 0, &alc, NULL);
}

/* The status of a pair of lines; the action's name goes to *name. */
static int
judge(char *action, size_t n, char *source, size_t m, const char **name)
{
	yyjson_doc *doc = parse(source, m);
	yyjson_val *root = yyjson_doc_get_root(doc), *of, *index, *id;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	bool object = yyjson_is_obj(root);

	*name = "create";
	doc = parse(action, n);
	root = yyjson_doc_get_root(doc);
	of = yyjson_obj_get(root, "create");
	if (!of) {
		*name = "index";
		of = yyjson_obj_get(root, "index");
	}
	index = yyjson_obj_get(of, "_index");
	id = yyjson_obj_get(of, "_id");
	if (!object || !yyjson_is_str(index) || yyjson_obj_size(root) != 1)
		return 400;
	if (!id) {
		documents++;
		without_id++;
		return 201;
	}
	h = hash(h, yyjson_get_str(index), yyjson_get_len(index));
	h = hash(h, yyjson_get_str(id), yyjson_get_len(id));
	if (add_id(h)) {
		documents++;
		return 201;
	}
	return strcmp(*name, "index") == 0 ? 200 : 409;
}

static void
put_item(struct bytes *out, const char *name, int status, bool brief)
{
	put(out,
	    brief ? "{\"%s\":{"
		  : "{\"%s\":{\"_index\":\"bench\","
		    "\"_version\":1,\"result\":\"created\",\"_shards\":{"
		    "\"total\":1,"
		    "\"successful\":1,\"failed\":0},\"_seq_no\":1,"
		    "\"_primary_term\":1,",
	    name);
	if (status == 400)
		put(out, "\"error\":{\"type\":\"mapper_parsing_exception\","
			 "\"reason\":\"no such pair\"},");
	if (status == 409)
		put(out, "\"error\":{\"type\":"
			 "\"version_conflict_engine_exception\","
			 "\"reason\":\"it exists\"},");
	put(out, "\"status\":%d}},", status);
}

/* The answer to a body, into `items`; whether all is well. */
static bool
bulk(char *p, size_t n, bool brief, struct bytes *items)
{
	char *last = p + n;
	bool well = true;

	items->n = 0;
	while (p < last) {
		if (*p == '\n') { /* between two pairs: nothing */
			p++;
			continue;
		}
		char *nl = memchr(p, '\n', (size_t)(last - p));
		char *source = nl ? nl + 1 : last;
		char *nl2 = memchr(source, '\n', (size_t)(last - source));
		const char *name = "index";
		int status = 400;

		if (nl2)
			status = judge(p, (size_t)(nl - p), source,
			    (size_t)(nl2 - source), &name);
		bad += status == 400;
		well &= status < 300;
		put_item(items, name, status, brief);
		p = nl2 ? nl2 + 1 : last;
	}
	items->n -= items->n > 0; /* the last comma */
	return well;
}

static void
answer(struct connection *c, const char *head, const char *tail,
    const struct bytes *items)
{
	size_t n = items ? items->n : 0;

	put(&c->out,
	    "HTTP/1.1 200 OK\r\n"
	    "X-elastic-product: Elasticsearch\r\n"
	    "content-type: application/json\r\n"
	    "content-length: %zu\r\n\r\n%s",
	    strlen(head) + n + strlen(tail), head);
	if (n > 0) {
		room(&c->out, n);
		memcpy(c->out.p + c->out.n, items->p, n);
		c->out.n += n;
	}
	put(&c->out, "%s", tail);
}

/* Of a head that ends with an empty line. */
static size_t
content_length(const char *head)
{
	static const char name[] = "\r\nContent-Length:";
	const char *at = strcasestr(head, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static void
respond(struct connection *c, const char *head, char *body, size_t n)
{
	static struct bytes items;
	char text[64];
	bool brief;

	c->due_ms = 0;
	if (strncmp(head, "POST /_bulk", 11) == 0) {
		brief = memmem(head, strcspn(head, "\r"), "filter_path", 11);
		requests++;
		body_bytes += n;
		if (record) {
			fprintf(record, "%zu\n", n);
			fwrite(body, 1, n, record);
		}
		answer(c,
		    bulk(body, n, brief, &items)
			? "{\"errors\":false,\"items\":["
			: "{\"errors\":true,\"items\":[",
		    "]}", &items);
		c->due_ms = now_ms() + delay_ms;
	} else if (strncmp(head, "GET /_count ", 12) == 0) {
		snprintf(text, sizeof text, "{\"count\":%" PRIu64 "}",
		    documents);
		answer(c, text, "\n", NULL);
	} else {
		answer(c,
		    "{\"name\":\"bench\",\"cluster_name\":\"bench\","
		    "\"version\":{\"number\":\"8.19.0\","
		    "\"build_flavor\":\"default\"},"
		    "\"tagline\":\"You Know, for Search\"}",
		    "\n", NULL);
	}
}

/* Answers a request that is there as a whole. */
static void
request(struct connection *c)
{
	char *stop =
	    c->in.n > 0 ? memmem(c->in.p, c->in.n, "\r\n\r\n", 4) : NULL;
	size_t head, n;

	if (!stop)
		return;
	stop[3] = '\0';
	head = (size_t)(stop + 4 - c->in.p);
	n = content_length(c->in.p);
	if (c->in.n - head < n) {
		stop[3] = '\n';
		room(&c->in, head + n - c->in.n);
		return;
	}
	respond(c, c->in.p, c->in.p + head, n);
	c->in.n -= head + n;
	memmove(c->in.p, c->in.p + head + n, c->in.n);
}

static void
hang_up(struct connection *c)
{
	close(c->fd);
	free(c->in.p);
	free(c->out.p);
	*c = (struct connection){ .fd = -1 };
}

static void
receive(struct connection *c)
{
	ssize_t n;

	room(&c->in, PIECE);
	n = recv(c->fd, c->in.p + c->in.n, c->in.cap - c->in.n, 0);
	if (n <= 0) {
		hang_up(c);
		return;
	}
	c->in.n += (size_t)n;
	request(c);
}

static void
transmit(struct connection *c)
{
	ssize_t n = send(c->fd, c->out.p + c->sent, c->out.n - c->sent,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		hang_up(c);
		return;
	}
	c->sent += n > 0 ? (size_t)n : 0;
	if (c->sent < c->out.n)
		return;
	c->sent = c->out.n = 0;
	request(c);
}

static void
welcome(int listener)
{
	int fd = accept(listener, NULL, NULL), on = 1;

	for (size_t i = 0; fd >= 0 && i < CONNECTIONS; i++)
		if (connections[i].fd < 0) {
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
			    sizeof on);
			connections[i].fd = fd;
			return;
		}
	if (fd >= 0)
		close(fd);
}

/* What each waits for; the time until an answer is due, -1: none is. */
static int
prepare(struct pollfd *polls, int64_t now)
{
	int64_t wait = -1;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		const struct connection *c = &connections[i];
		int64_t left = c->due_ms - now;

		polls[i] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
		if (c->out.n > 0 && left > 0) {
			polls[i].fd = -1;
			if (wait < 0 || left < wait)
				wait = left;
		} else if (c->out.n > 0) {
			polls[i].events = POLLOUT;
		}
	}
	return (int)wait;
}

static void
serve(int listener, const sigset_t *unblocked)
{
	struct pollfd polls[CONNECTIONS + 1];

	while (!ended) {
		int wait = prepare(polls, now_ms());
		struct timespec t = { wait / 1000, wait % 1000 * 1000000L };

		polls[CONNECTIONS] = (struct pollfd){ listener, POLLIN, 0 };
		if (ppoll(polls, CONNECTIONS + 1, wait < 0 ? NULL : &t,
			unblocked) <= 0)
			continue;
		for (size_t i = 0; i < CONNECTIONS; i++) {
			if (polls[i].revents == 0)
				continue;
			if (connections[i].out.n > 0)
				transmit(&connections[i]);
			else
				receive(&connections[i]);
		}
		if (polls[CONNECTIONS].revents)
			welcome(listener);
	}
}

static int
listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) != 0 ||
	    listen(fd, CONNECTIONS) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
		perror("bulk_mock");
		exit(2);
	}
	printf("%d\n", ntohs(a.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = end };
	sigset_t term, unblocked;

	for (int o = getopt(argc, argv, "d:r:"); o != -1;
	     o = getopt(argc, argv, "d:r:")) {
		if (o == 'd')
			delay_ms = (int)strtol(optarg, NULL, 10);
		if (o == 'r')
			record = fopen(optarg, "wb");
		if (o == '?' || (o == 'r' && !record))
			return 2;
	}
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &unblocked);
	sigaction(SIGTERM, &action, NULL);
	pool = must(malloc(POOL));
	for (size_t i = 0; i < CONNECTIONS; i++)
		connections[i].fd = -1;
	serve(listen_somewhere(), &unblocked);
	printf("{\"documents\":%" PRIu64 ",\"ids\":%zu,\"without_id\":%" PRIu64
	       ",\"requests\":%" PRIu64 ",\"bytes\":%" PRIu64
	       ",\"bad\":%" PRIu64 "}\n",
	    documents, n_ids, without_id, requests, body_bytes, bad);
	if (record && fclose(record) != 0)
		return 2;
	return bad > 0;
}
