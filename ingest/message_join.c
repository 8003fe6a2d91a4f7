/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of one event that a log driver has cut apart, told by their looks and
 * the stream's state, without looking ahead.
 *
 * Tracebacks.  A line is a continuation of the event before it when it is
 * "Traceback (most recent call last):", begins with a tab or two blanks, says
 * "Caused by:", "During handling of ..." or "The above exception ...", is a
 * qualified name that ends in Exception, Error or Throwable, or is the line
 * that closes an open traceback: "SomeError" or "SomeError: text".  An empty
 * line is one inside or right behind a traceback.
 *
 * Records between dashes, as Flask wrote them up to 0.12:
 *
 *	------------- (80)                 joined
 *	WARNING in module [module.py:42]:  joined; level and logger are kept
 *	the text                           the event, with that level and logger
 *	its further lines                  joined
 *	------------- (80)                 joined
 *
 * The text is thus the one event that counts.  The two lines before it are
 * marked as joined although their event comes after them: whoever counts needs
 * no second look, and no line is counted twice.  Dashes that no such header
 * follows are joined to the event before them, and end nothing.  A header
 * counts without its dashes, so that a lost line does not turn the rest of the
 * stream around.
 *
 * What would continue a request, or stands first in its stream, begins an event
 * of its own: a traceback behind an access line is not the request's text.
 *
 * A logger's prefix begins an event, and so does everything that a dialect
 * accepts: neither comes here as a continuation.
 */
#include "ingest/dialect.h"

enum state {
	PLAIN,
	TRACE,  /* inside of a Python traceback */
	TRACED, /* right behind its last line */
	RULE,   /* behind the opening dashes */
	HEAD,   /* behind the header */
	TEXT,   /* behind the text */
};

enum { DASHES = 80, TEXT_LINES_MAX = 200 };

static bool
is_rule(struct str s)
{
	if (s.n != DASHES)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '-')
			return false;
	return true;
}

static bool
is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       scan_is_digit(c) || c == '_' || c == '.' || c == '$';
}

/* The dotted name that a line begins with, before ": " or the end. */
static struct str
error_name(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_name_byte(s.p[n]))
		n++;
	if (n == 0 || scan_is_digit(s.p[0]) ||
	    (n < s.n && !str_starts(str_from(s, n), STR(": ")) &&
		!(s.p[n] == ':' && n + 1 == s.n)))
		return (struct str){ s.p, 0 };
	return str_sub(s, 0, n);
}

static bool
is_error_class(struct str name)
{
	return str_find(name, '.') != SIZE_MAX &&
	       (str_ends(name, STR("Exception")) ||
		   str_ends(name, STR("Error")) ||
		   str_ends(name, STR("Throwable")));
}

static bool
begins_trace(struct str s)
{
	return str_starts(s, STR("Traceback (most recent call last):"));
}

static bool
continues(struct str s)
{
	static const struct str marks[] = { { "Caused by:", 10 },
		{ "During handling of ", 19 }, { "The above exception ", 20 } };

	if (s.n > 1 && (s.p[0] == '\t' || (s.p[0] == ' ' && s.p[1] == ' ')))
		return true;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (str_starts(s, marks[i]))
			return true;
	return is_error_class(error_name(s));
}

/* WARNING in module [path/module.py:42]: */
static bool
header(struct str s, struct str *level, struct str *logger)
{
	size_t end;

	if (!peel_level(&s, level) || !scan_text(&s, STR(" in ")))
		return false;
	end = str_find_str(s, STR(" ["));
	if (end == SIZE_MAX || !str_ends(s, STR("]:")))
		return false;
	*logger = str_sub(s, 0, end);
	return logger->n > 0 && str_find(*logger, ' ') == SIZE_MAX;
}

static void
keep(struct join *j, struct str level, struct str logger)
{
	if (logger.n > sizeof j->logger)
		logger.n = sizeof j->logger;
	if (level.n > sizeof j->level)
		level.n = sizeof j->level;
	memcpy(j->level, level.p, level.n);
	memcpy(j->logger, logger.p, logger.n);
	j->level_n = (uint8_t)level.n;
	j->logger_n = (uint8_t)logger.n;
}

/* Inside of a record between dashes; true: the line is done. */
static bool
join_record(struct join *j, struct record *r, struct str bare,
    struct arena *arena)
{
	if (j->state == HEAD) {
		r->log.level =
		    arena_dup(arena, (struct str){ j->level, j->level_n });
		r->log.logger =
		    arena_dup(arena, (struct str){ j->logger, j->logger_n });
		r->log.text = bare;
		r->line = bare;
		r->prefixed = false;
		r->joined = false;
		j->lines = 0;
		j->state = TEXT;
		return true;
	}
	if (j->state != TEXT)
		return false;
	/* The closing dashes may be lost: a text has an end without them. */
	if (is_rule(bare) || ++j->lines == TEXT_LINES_MAX)
		j->state = PLAIN;
	r->joined = true;
	r->frame = is_rule(bare);
	return true;
}

/* Whether it continues, and the state behind it. */
static bool
join_trace(struct join *j, struct str s)
{
	struct str name;

	if (begins_trace(s)) {
		j->state = TRACE;
		return true;
	}
	if (continues(s))
		return true;
	if (j->state != TRACE && j->state != TRACED)
		return false;
	if (s.n == 0)
		return true;
	name = error_name(s);
	if (j->state == TRACE && name.n > 0) {
		j->state = TRACED;
		return true;
	}
	/* Another thread's line may stand inside of a traceback. */
	if (j->state == TRACED)
		j->state = PLAIN;
	return false;
}

void
join_request(struct join *j)
{
	if (j->state != TRACE)
		j->said = false;
}

void
join_log(struct join *j, struct record *r, struct str bare, struct arena *arena)
{
	struct str level;
	struct str logger;

	if (header(bare, &level, &logger)) {
		keep(j, level, logger);
		r->log.level = level;
		r->log.logger = logger;
		r->joined = r->frame = true;
		j->state = HEAD;
		return;
	}
	if (join_record(j, r, bare, arena)) {
		j->said |= !r->joined;
		return;
	}
	if (is_rule(bare)) {
		j->state = RULE;
		r->joined = r->frame = true;
		return;
	}
	if (j->state == RULE)
		j->state = PLAIN;
	if (!r->prefixed)
		r->joined = join_trace(j, bare) && j->said;
	else if (j->state == TRACED)
		j->state = PLAIN;
	j->said = true;
}
