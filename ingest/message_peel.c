/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands before a line: colours, the marks of whoever carried the line,
 * and the prefix of a logger.
 *
 * Carriers, in any nesting up to PEEL_MAX layers:
 *
 *	web-1  | line                                docker compose
 *	2018-11-27T08:47:55.123Z stdout F line       CRI, kubectl --timestamps
 *	2018-11-27T08:47:55.123Z line
 *	[pod/web-7d4/app] line                       kubectl --prefix
 *	<134>Feb 28 02:43:10 host tag[12]: line      syslog
 *	{"log": "line\n", "stream": "stdout", ...}   Docker, FireLens
 *
 * Loggers, after them:
 *
 *	INFO:module:line                             logging.basicConfig
 *	[2026-11-21 02:50:46,123] WARNING in app: line    Flask 1
 *	[2026-11-21 02:52:29 +0000] [8] [INFO] line  gunicorn
 *	2025-09-26 21:12:39,384 DEBUG line           logging's asctime
 *	2017-11-30T17:18:28Z [Info] line             the X-Ray daemon
 *	INFO c.t.f.h.filters.AccessLoggingFilter - line   log4j, logback
 *	{"level": "info", "msg": "line", ...}        zap, pino, logrus
 *
 * A carrier's mark leaves `prefixed` alone; a logger's sets it: the same line
 * may stand elsewhere without.
 */
#include "ingest/dialect.h"

#include "ingest/message.h"

enum { PEEL_MAX = 8, NAME_BYTES = 128, ESC = 0x1b };

/*
 * Without ECMA-48 control sequences: ESC [ parameters intermediates final.
 * An ESC that begins none is left alone.
 */
static struct str
without_colours(struct str s, struct arena *arena)
{
	char *p;
	size_t n = 0;

	if (s.n == 0 || !memchr(s.p, ESC, s.n))
		return s;
	p = arena_alloc(arena, s.n);
	for (size_t i = 0; i < s.n; i++) {
		size_t end = i + 2;

		if (s.p[i] != ESC || i + 1 == s.n || s.p[i + 1] != '[') {
			p[n++] = s.p[i];
			continue;
		}
		while (end < s.n && s.p[end] >= 0x20 && s.p[end] <= 0x3f)
			end++;
		if (end < s.n && s.p[end] >= 0x40 && s.p[end] <= 0x7e)
			i = end;
		else
			p[n++] = s.p[i];
	}
	return (struct str){ p, n };
}

/* Without blanks and line ends behind: what a terminal does not show. */
static struct str
without_tail(struct str s)
{
	while (s.n > 0 && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == '\n' ||
			      s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_name_byte(char c)
{
	return is_upper(c) || (c >= 'a' && c <= 'z') || scan_is_digit(c) ||
	       c == '_' || c == '.' || c == '-';
}

static const char *const levels[] = { "INFO", "WARNING", "WARN", "ERROR",
	"DEBUG", "CRITICAL", "FATAL", "TRACE", "NOTICE", "SEVERE", "EMERG",
	"ALERT", "CRIT", "ERR", NULL };

/* The level word that all of s is, in this case or any. */
static bool
is_level(struct str s, bool nocase)
{
	for (int i = 0; levels[i]; i++) {
		struct str l = str_of(levels[i]);

		if (nocase ? str_eq_nocase(s, l) : str_eq(s, l))
			return true;
	}
	return false;
}

static size_t
letters(struct str s)
{
	size_t n = 0;

	while (n < s.n && n < 10 &&
	       ((s.p[n] >= 'a' && s.p[n] <= 'z') || is_upper(s.p[n])))
		n++;
	return n;
}

bool
peel_level(struct str *rest, struct str *level)
{
	struct str s = *rest;
	bool bracket = scan_char(&s, '[');
	struct str word;
	size_t n;

	if (!bracket && (s.n == 0 || !is_upper(s.p[0])))
		return false;
	n = letters(s);
	word = str_sub(s, 0, n);
	s = str_from(s, n);
	if (!is_level(word, bracket))
		return false;
	/* log4j pads levels inside of the brackets, too. */
	while (bracket && scan_char(&s, ' '))
		continue;
	if (bracket && !scan_char(&s, ']'))
		return false;
	if (s.n > 0 && s.p[0] != ' ' && s.p[0] != ':')
		return false;
	*level = word;
	*rest = s;
	return true;
}

static size_t
name_bytes(struct str s)
{
	size_t n = 0;

	while (n < s.n && n <= NAME_BYTES && is_name_byte(s.p[n]))
		n++;
	return n <= NAME_BYTES ? n : 0;
}

/* name  | line */
static bool
compose(struct peel *p)
{
	struct str s = p->line;
	size_t at =
	    s.n ? str_find(str_sub(s, 0, NAME_BYTES + 1), ' ') : SIZE_MAX;

	/* Almost always the byte behind the first blank says no. */
	if (at == SIZE_MAX || at == 0 || at + 1 == s.n ||
	    (s.p[at + 1] != ' ' && s.p[at + 1] != '|'))
		return false;
	if (name_bytes(s) != at)
		return false;
	s = str_from(s, at);
	while (scan_char(&s, ' '))
		continue;
	if (!scan_char(&s, '|') || (s.n > 0 && s.p[0] != ' '))
		return false;
	scan_char(&s, ' ');
	p->line = s;
	return true;
}

/* gunicorn puts a blank between time and zone: " +0100". */
static bool
blank_zone(struct str *rest, int64_t *ns)
{
	struct str s = *rest;
	struct str h = str_sub(s, 2, 2);
	struct str m = str_sub(s, 4, 2);
	uint64_t hours;
	uint64_t minutes;
	int64_t east;

	if (s.n < 6 || s.p[0] != ' ' || (s.p[1] != '+' && s.p[1] != '-') ||
	    !str_u64(&h, &hours) || !str_u64(&m, &minutes) || h.n || m.n ||
	    hours > 23 || minutes > 59)
		return false;
	east = (int64_t)(hours * 3600 + minutes * 60) * NS_PER_SEC;
	*ns -= s.p[1] == '-' ? -east : east;
	*rest = str_from(s, 6);
	return true;
}

/* A time and whether it has a zone; *rest is moved. */
static bool
prefix_time(struct str *rest, int64_t *ns, bool *zoned)
{
	struct str s = *rest;
	struct str zone;

	if (s.n < 19 || s.p[4] != '-' || s.p[7] != '-' || !when_iso(&s, ns))
		return false;
	zone = str_sub(*rest, 19, rest->n - s.n - 19);
	*zoned = str_ends(zone, STR("Z")) || str_find(zone, '+') != SIZE_MAX ||
		 str_find(zone, '-') != SIZE_MAX || blank_zone(&s, ns);
	*rest = s;
	return true;
}

static void
keep_time(struct peel *p, int64_t ns, bool zoned)
{
	/* The innermost time is the program's own. */
	p->ns = ns;
	p->zoned = zoned;
}

/* A carrier's time, and CRI's stream and tag. */
static bool
timed(struct peel *p, struct scan *probe)
{
	struct str s = p->line;
	int64_t ns;
	bool zoned;

	if (s.n < 20 || !scan_is_digit(s.p[0]) ||
	    (s.p[4] != '-' && s.p[4] != '/'))
		return false;
	probe->line = s;
	if (aws_elb(probe))
		return false; /* the time is the line's own */
	if (!prefix_time(&s, &ns, &zoned) || (s.n > 0 && s.p[0] != ' '))
		return false;
	scan_char(&s, ' ');
	if (scan_text(&s, STR("stdout ")) || scan_text(&s, STR("stderr "))) {
		if (!scan_text(&s, STR("F ")))
			scan_text(&s, STR("P "));
	}
	keep_time(p, ns, zoned);
	p->line = s;
	return true;
}

/* [pod/name/container] line */
static bool
pod(struct peel *p)
{
	struct str s = p->line;
	size_t end;

	if (!scan_text(&s, STR("[pod/")))
		return false;
	end = str_find(s, ']');
	if (end == SIZE_MAX)
		return false;
	s = str_from(s, end + 1);
	scan_char(&s, ' ');
	p->line = s;
	return true;
}

/* Mon dd hh:mm:ss, without a year: no time is taken from it. */
static bool
bsd_time(struct str *rest)
{
	const char *p = rest->p;

	if (rest->n < 16 || !is_upper(p[0]) || p[3] != ' ' || p[6] != ' ' ||
	    p[9] != ':' || p[12] != ':' || p[15] != ' ' ||
	    !scan_is_digit(p[5]) || !scan_is_digit(p[7]) ||
	    !scan_is_digit(p[14]))
		return false;
	*rest = str_from(*rest, 16);
	return true;
}

/* [<pri>]Mon dd hh:mm:ss host tag[pid]: line */
static bool
syslog(struct peel *p)
{
	struct str s = p->line;
	struct str word;

	if (scan_char(&s, '<') &&
	    (!scan_digits(&s, &word) || !scan_char(&s, '>')))
		return false;
	if (!bsd_time(&s) || !scan_word(&s, &word) || !scan_char(&s, ' ') ||
	    !scan_word(&s, &word) || !str_ends(word, STR(":")))
		return false;
	scan_char(&s, ' ');
	p->line = s;
	return true;
}

static struct str
member(const struct json_val *root, const char *const *names)
{
	for (; *names; names++) {
		struct json_val *v = json_get(root, str_of(*names));

		if (json_type(v) == JSON_STRING)
			return json_str(v);
	}
	return (struct str){ NULL, 0 };
}

static struct str
lasting(struct str s, struct arena *arena)
{
	return s.n > 0 ? arena_dup(arena, s) : s;
}

/*
 * An object that carries a line: "log" of a container runtime, or the message
 * of a JSON logger.  What is an access line itself is left whole.
 */
static bool
object(struct peel *p, struct json *json, struct arena *arena)
{
	static const char *const log[] = { "log", NULL };
	static const char *const message[] = { "message", "msg", "@message",
		NULL };
	static const char *const level[] = { "level", "severity", "lvl",
		"levelname", "loglevel", NULL };
	static const char *const logger[] = { "logger", "logger_name", "name",
		"module", NULL };
	static const char *const times[] = { "time", "timestamp", "@timestamp",
		"ts", NULL };
	struct scan s = { .line = p->line, .json = json, .arena = arena };
	struct request q = { .bytes = -1 };
	struct json_bad bad;
	struct json_val *root;
	struct str text;
	struct stamp t;

	s.q = &q;
	if (p->line.n < 2 || p->line.p[0] != '{' ||
	    p->line.p[p->line.n - 1] != '}' ||
	    json_parse(json, p->line, &bad) != 0)
		return false;
	root = json_root(json);
	text = member(root, log);
	if (!text.p) {
		/* This uses the tree anew; the line is read once more. */
		if (json_access(&s) || json_parse(json, p->line, &bad) != 0)
			return false;
		root = json_root(json);
		text = member(root, message);
		if (!text.p)
			return false;
		p->prefixed = true;
		p->level = lasting(member(root, level), arena);
		p->logger = lasting(member(root, logger), arena);
	}
	if (dialect_time_any(member(root, times), &t))
		keep_time(p, t.ns, t.zoned);
	p->line = without_tail(without_colours(lasting(text, arena), arena));
	return true;
}

/* "INFO:module:", "INFO: ", "INFO  module - ", "INFO " */
static bool
level_prefix(struct peel *p)
{
	struct str s = p->line;
	struct str level;
	struct str after;
	size_t n;

	if (!peel_level(&s, &level))
		return false;
	/* The header of a record between dashes is no prefix. */
	if (str_starts(s, STR(" in ")) && str_ends(s, STR("]:")))
		return false;
	if (scan_char(&s, ':')) {
		n = name_bytes(s);
		if (n > 0 && n + 1 < s.n && s.p[n] == ':') {
			p->logger = str_sub(s, 0, n);
			s = str_from(s, n + 1);
		}
	}
	/* Behind "INFO:module:" a blank is the message's own. */
	while (p->logger.n == 0 && scan_char(&s, ' '))
		continue;
	n = name_bytes(s);
	after = str_from(s, n);
	if (n > 0 && p->logger.n == 0 && scan_text(&after, STR(" - "))) {
		p->logger = str_sub(s, 0, n);
		s = after;
	}
	if (s.n == 0)
		return false;
	p->level = level;
	p->line = s;
	p->prefixed = true;
	return true;
}

/* "WARNING in module: " behind the time of Flask's own handler */
static bool
flask(struct peel *p, struct str s)
{
	struct str level;
	size_t n;

	if (!peel_level(&s, &level) || !scan_text(&s, STR(" in ")))
		return false;
	n = name_bytes(s);
	if (n == 0 || !str_starts(str_from(s, n), STR(": ")))
		return false;
	p->level = level;
	p->logger = str_sub(s, 0, n);
	p->line = str_from(s, n + 2);
	p->prefixed = true;
	return true;
}

/* [time] and what follows: Flask, gunicorn, log4j */
static bool
bracket_time(struct peel *p)
{
	struct str s = p->line;
	struct str pid;
	struct str after;
	int64_t ns;
	bool zoned;

	if (!scan_char(&s, '[') || s.n < 20 || !scan_is_digit(s.p[0]) ||
	    !prefix_time(&s, &ns, &zoned) || !scan_char(&s, ']'))
		return false;
	if (str_starts(s, STR(" \"")))
		return false; /* Envoy's line: the time is its own */
	keep_time(p, ns, zoned);
	scan_char(&s, ' ');
	p->prefixed = true;
	if (flask(p, s))
		return true;
	after = s;
	if (scan_char(&after, '[') && scan_digits(&after, &pid) &&
	    scan_text(&after, STR("] ")))
		s = after;
	p->line = s;
	return true;
}

/* asctime, nginx's error log: a time that the level follows */
static bool
logger_time(struct peel *p)
{
	struct str s = p->line;
	char copy[19];
	struct str date = { copy, sizeof copy };
	struct str level;
	int64_t ns;
	bool zoned;

	if (s.n < 21 || !scan_is_digit(s.p[0]))
		return false;
	if (s.p[4] == '/' && s.p[7] == '/') {
		memcpy(copy, s.p, sizeof copy);
		copy[4] = copy[7] = '-';
		if (!prefix_time(&date, &ns, &zoned) || date.n != 0)
			return false;
		s = str_from(s, sizeof copy);
	} else if (!prefix_time(&s, &ns, &zoned)) {
		return false;
	}
	scan_char(&s, ' ');
	if (!peel_level(&s, &level))
		return false;
	while (scan_char(&s, ' ') || scan_char(&s, ':'))
		continue;
	keep_time(p, ns, zoned);
	p->level = level;
	p->line = s;
	p->prefixed = true;
	return true;
}

static bool
carrier(struct peel *p, struct json *json, struct arena *arena)
{
	struct request q;
	struct scan probe = { .q = &q };
	char c = p->line.n ? p->line.p[0] : '\0';

	if (c == '{')
		return object(p, json, arena);
	if (c == '[')
		return pod(p);
	if (scan_is_digit(c) && timed(p, &probe))
		return true;
	if (compose(p))
		return true;
	return (c == '<' || is_upper(c)) && syslog(p);
}

static bool
logger(struct peel *p)
{
	char c = p->line.n ? p->line.p[0] : '\0';

	if (scan_is_digit(c))
		return logger_time(p);
	if (c == '[')
		return bracket_time(p) || level_prefix(p);
	return is_upper(c) && level_prefix(p);
}

/*
 * Most lines begin with an address: a digit, but no date, and behind the first
 * blank neither a blank nor a bar.  Nothing is to be peeled from them.
 */
static bool
plain_start(struct str s)
{
	const char *blank;

	if (s.n < 20 || !scan_is_digit(s.p[0]) || s.p[4] == '-' ||
	    s.p[4] == '/')
		return false;
	blank = memchr(s.p, ' ', s.n - 1);
	return blank && blank[1] != ' ' && blank[1] != '|';
}

void
peel(struct peel *p, struct str message, bool plain, struct json *json,
    struct arena *arena)
{
	static const struct str none = { NULL, 0 };

	p->level = none;
	p->logger = none;
	p->ns = WHEN_NONE;
	p->zoned = false;
	p->prefixed = false;
	if (!plain)
		message = without_colours(message, arena);
	p->line = without_tail(message);
	p->bare = p->line;
	if (plain_start(p->line))
		return;
	for (int i = 0; i < PEEL_MAX; i++) {
		/* A level is there once; what follows it is the text. */
		if (p->level.n > 0)
			return;
		if (logger(p))
			continue;
		if (!carrier(p, json, arena))
			return;
		p->bare = p->line;
	}
}
