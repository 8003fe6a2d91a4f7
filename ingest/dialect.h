/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access-line dialects: what is shared between their files, and with
 * message.c.  Nothing outside ingest/ includes this.
 *
 * A dialect is one row of the table in dialect.c, one parse function and a
 * file of cases.  Its parse function cuts a line into the views of a struct
 * scan, and nothing more; dialect_finish turns these views into numbers and
 * times, the same way for every dialect.  A dialect's PCRE2 pattern fills the
 * same struct scan through its named groups: the slow way, which the tests
 * hold against the hand-written one.
 *
 * Rows that begin alike are a family and share a `head`, run once for all of
 * them.  No line is accepted by two rows, so that the order in which they are
 * tried is a matter of speed only; the tests prove it on real lines.
 *
 * A parse function that fails leaves the scan as it found it.  A head that
 * fails does so too.
 */
#ifndef INGEST_DIALECT_H
#define INGEST_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/flow.h"
#include "core/json.h"
#include "core/record.h"
#include "core/regex.h"
#include "core/str.h"
#include "ingest/marks.h"
#include "ingest/scan.h"

struct w3c;

/* How a dialect writes its time. */
enum clock {
	CLOCK_NONE,
	CLOCK_CLF, /* 21/Nov/2018:02:50:46 +0000, and its relatives */
	CLOCK_ISO,
	CLOCK_CTIME, /* Mon Dec 10 08:25:29 2018 */
	CLOCK_W3C,   /* 2018-11-21<tab>02:50:46, UTC by definition */
	CLOCK_ANY,   /* try them all: JSON and users' own */
};

enum unit {
	UNIT_NONE,
	UNIT_S,
	UNIT_MS,
	UNIT_US,
	UNIT_NS,
};

enum dialect_flags {
	DIALECT_STARTS = 1 << 0,  /* the time is that of the request's start */
	DIALECT_ENCODED = 1 << 1, /* the agent is URL-encoded */
	DIALECT_ZERO = 1 << 2,    /* status 0 or 000 means that there is none */
};

/* A line being cut.  Views, raw text; "-" is still "-". */
struct scan {
	struct str line;    /* without prefix and colours */
	struct str rest;    /* of line, behind the head */
	struct request *q;  /* peer, agent, ... go right to their place */
	struct str request; /* METHOD URL VERSION, instead of the two in q */
	struct str first;   /* a host when there is a peer, else the peer */
	struct str query;   /* where it stands apart from the url */
	struct str vhost;   /* better than q->host when it is not "-" */
	struct str time;
	struct str status;
	struct str bytes;
	struct str duration[3];    /* several are summed when all are >= 0 */
	struct str more;           /* fields that the dialect does not name */
	uint8_t unit;              /* enum unit of the durations */
	bool starts;               /* as DIALECT_STARTS, decided by the line */
	const struct w3c *columns; /* the stream's #Fields, or NULL */
	struct json *json;         /* a tree to use */
	struct arena *arena;
};

struct dialect {
	const char *name, *help;
	const char *pattern;
	enum clock clock;
	unsigned flags;
	bool (*head)(struct scan *s); /* NULL: the row stands alone */
	bool (*parse)(struct scan *s);
	bool gate; /* the pattern tells only whether, parse must still cut */
};

/* The table; ends with a NULL name.  The index is stable within a build. */
const struct dialect *dialect_table(void);
enum { DIALECTS_MAX = 32 };

/* Heads and parse functions, by file. */
bool clf_head(struct scan *s);
bool clf_werkzeug(struct scan *s);
bool clf_rack(struct scan *s);
bool clf_common(struct scan *s);
bool clf_combined(struct scan *s);
bool clf_nginx(struct scan *s);
bool clf_ingress(struct scan *s);
bool clf_traefik(struct scan *s);
bool clf_extended(struct scan *s);
bool clf_finagle(struct scan *s);
bool aws_alb(struct scan *s);
bool aws_elb(struct scan *s);
bool aws_s3(struct scan *s);
bool w3c_cloudfront(struct scan *s);
bool app_koa(struct scan *s);
bool app_morgan_tiny(struct scan *s);
bool app_morgan_dev(struct scan *s);
bool app_uwsgi(struct scan *s);
bool app_haproxy(struct scan *s);
bool app_envoy(struct scan *s);
bool json_access(struct scan *s);

/* The columns that a "#Fields:" line names; NULL: it is none. */
struct w3c *w3c_new(struct str line);
void w3c_free(struct w3c *w);

/* A day that was parsed before: lines of a day share its text. */
struct day {
	char text[11];
	int64_t ns;   /* of its midnight, UTC */
	char iso[11]; /* the same of 2018-11-21T */
	int64_t iso_ns;
};

/* What a line is judged by, beside itself. */
struct finish {
	const struct event *event;
	int64_t prefix_ns; /* time of a peeled prefix; WHEN_NONE */
	bool prefix_zoned; /* ... with a zone */
	struct day *day;
	const char **bad;
};

/*
 * Numbers, times, method and path of a line that was cut.  DECODE_OK or
 * DECODE_BAD with *f->bad.
 */
enum decode dialect_finish(const struct dialect *d, struct scan *s,
    const struct finish *f, struct record *r);

/* The time of a request, into *r; false: it has none, and needs one. */
bool dialect_time(const struct dialect *d, struct scan *s,
    const struct finish *f, struct record *r);

/*
 * The event's time: the line's own when it has a zone, else the envelope's,
 * else the line's.  `fine` tells that it is better than a second.
 */
struct stamp {
	int64_t ns;
	bool zoned;
	bool fine;
};
struct stamp dialect_stamp(const struct stamp *own, const struct finish *f);

/* 21/Nov/2018[: ]02:50:46[.127][ +0000]; the day is kept. */
bool dialect_time_clf(struct str text, struct day *day, struct stamp *t);

/* 2018-11-27T08:47:55.ddd...Z of the day that was read last; false: other. */
bool dialect_time_day(struct str text, struct day *day, struct stamp *t);

/* A time in any form that JSON lines and users' dialects bring. */
bool dialect_time_any(struct str text, struct stamp *t);

/* An X-Ray id of "Root=1-...;Self=...", or the text itself when it is one. */
struct str dialect_trace(struct str text);

/* Empties what a head or a pattern has filled, the request included. */
void scan_clear(struct scan *s);

/*
 * A record without anything but its request, which scan_clear empties.  A
 * segment holds in a RECORD_SEGMENT only.
 */
void record_clear(struct record *r);

/* Small cursors of the hand-written tokenizers; false: nothing moved. */
static inline bool
scan_char(struct str *rest, char c)
{
	if (rest->n == 0 || rest->p[0] != c)
		return false;
	rest->p++;
	rest->n--;
	return true;
}

static inline bool
scan_text(struct str *rest, struct str text)
{
	if (!str_starts(*rest, text))
		return false;
	*rest = str_from(*rest, text.n);
	return true;
}

/* [0-9]+ */
bool scan_digits(struct str *rest, struct str *out);
/* [0-9]+ or a dash */
bool scan_number(struct str *rest, struct str *out);
/* [0-9]+\.[0-9]+ */
bool scan_decimal(struct str *rest, struct str *out);
/* A word without blanks and quotes, at least one byte. */
bool scan_word(struct str *rest, struct str *out);
/*
 * A quoted text.  It ends at the first quote that is not escaped by a
 * backslash and is followed by a blank or nothing, so that a quote inside an
 * agent does no harm.
 */
bool scan_quoted(struct str *rest, struct str *out);

/*
 * The quick way: the line of f->event when it is of the plainest kind, all of
 * the record at once.  False: it is not, and *r is anything.  A line without
 * marks gets some here.
 */
struct quick;
struct quick *quick_new(void);
void quick_free(struct quick *k);
bool quick_decode(struct quick *k, struct marked marked, const struct finish *f,
    struct record *r);
/*
 * The part of it for an Application Load Balancer's lines: time and request,
 * but for what all quick lines have alike.
 */
bool quick_alb(struct marked marked, const struct finish *f, struct record *r,
    struct stamp *t);
/* Whether a dialect has a quick way at all. */
bool quick_may(const struct quick *k, const char *dialect);

/* The slow way: all dialects by their patterns. */
struct slow;
struct slow *slow_new(void);
void slow_free(struct slow *w);
bool slow_match(struct slow *w, size_t dialect, struct scan *s);

/* Named groups of a compiled pattern to the places of a scan. */
struct groups;
struct groups *groups_new(const struct regex *re);
void groups_free(struct groups *g);
void groups_fill(const struct groups *g, const struct regex *re,
    struct scan *s);
/* Whether a group name is one of those that message.h lists. */
bool groups_known(struct str name);

/*
 * A decoder's own copy of the user's dialects (a regex belongs to one
 * thread).  dialect_user_match returns the row that fitted, or NULL.
 */
struct dialect_user;
struct user_run;
struct user_run *user_run_new(const struct dialect_user *u);
void user_run_free(struct user_run *w);
const struct dialect *user_run_match(struct user_run *w, struct scan *s);

/* What stood before the line proper. */
struct peel {
	struct str line;  /* what is left */
	struct str bare;  /* the same with a logger's prefix */
	struct str level; /* of a logger's prefix */
	struct str logger;
	int64_t ns; /* of a time in the prefix, or WHEN_NONE */
	bool zoned;
	bool prefixed; /* a logger's prefix stood there */
};
/* `plain` tells that there is no ESC in the message. */
void peel(struct peel *p, struct str message, bool plain, struct json *json,
    struct arena *arena);
/* Takes a level word off: "WARNING", "[error]", ...  False: none is there. */
bool peel_level(struct str *rest, struct str *level);

/* Continuation lines, per stream. */
enum { JOIN_LOGGER_MAX = 40 };
struct join {
	uint8_t state;
	uint8_t lines; /* of the text between dashes */
	bool said;     /* the record before in this stream is a log event */
	uint8_t level_n, logger_n;
	char level[10];
	char logger[JOIN_LOGGER_MAX];
};
/* A request was read.  Inside of a traceback it is another thread's. */
void join_request(struct join *j);

/*
 * Judges a line that is no request; fills r->joined and, for a record between
 * dashes, level, logger and text.  `bare` is the line with its logger's prefix.
 */
void join_log(struct join *j, struct record *r, struct str bare,
    struct arena *arena);

#endif
