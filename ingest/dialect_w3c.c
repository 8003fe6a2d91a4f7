/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudFront's standard log: tab-separated columns under a "#Fields:" line.
 *
 * Columns are looked up by the names of the stream's last #Fields line; a
 * stream without one has the order that CloudFront writes, of which lines may
 * stop after any column from cs-uri-query on.  The time is when the edge had
 * finished the answer, in UTC.  Only the first COLUMNS_MAX columns are known.
 */
#include "ingest/dialect.h"

#include <stdlib.h>

#include "core/mem.h"

enum { COLUMNS_MAX = 64, COLUMNS_LEAST = 12 };

enum column {
	COL_DATE,
	COL_TIME,
	COL_PEER,
	COL_METHOD,
	COL_HOST,
	COL_STEM,
	COL_STATUS,
	COL_REFERER,
	COL_AGENT,
	COL_QUERY,
	COL_VHOST,
	COL_BYTES,
	COL_TAKEN,
	COL_FORWARDED,
	COLS,
};

/* Where each of ours stands; UINT8_MAX: the stream has none. */
struct w3c {
	uint8_t at[COLS];
};

static const struct {
	const char *name;
	uint8_t at; /* by default */
} columns[COLS] = {
	[COL_DATE] = { "date", 0 },
	[COL_TIME] = { "time", 1 },
	[COL_BYTES] = { "sc-bytes", 3 },
	[COL_PEER] = { "c-ip", 4 },
	[COL_METHOD] = { "cs-method", 5 },
	[COL_HOST] = { "cs(Host)", 6 },
	[COL_STEM] = { "cs-uri-stem", 7 },
	[COL_STATUS] = { "sc-status", 8 },
	[COL_REFERER] = { "cs(Referer)", 9 },
	[COL_AGENT] = { "cs(User-Agent)", 10 },
	[COL_QUERY] = { "cs-uri-query", 11 },
	[COL_VHOST] = { "x-host-header", 15 },
	[COL_TAKEN] = { "time-taken", 18 },
	[COL_FORWARDED] = { "x-forwarded-for", 19 },
};

static bool
is_default(const struct w3c *w)
{
	for (int c = 0; c < COLS; c++)
		if (w->at[c] != columns[c].at)
			return false;
	return true;
}

struct w3c *
w3c_new(struct str line)
{
	struct w3c *w;
	uint8_t n = 0;

	if (!scan_text(&line, STR("#Fields:")))
		return NULL;
	w = xcalloc(1, sizeof *w);
	memset(w->at, UINT8_MAX, sizeof w->at);
	while (line.n > 0 && n < COLUMNS_MAX) {
		size_t i = 0;

		while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t')
			i++;
		for (int c = 0; c < COLS && i > 0; c++)
			if (w->at[c] == UINT8_MAX &&
			    str_eq(str_sub(line, 0, i),
				str_of(columns[c].name)))
				w->at[c] = n;
		n = (uint8_t)(n + (i > 0));
		line = str_from(line, i + 1);
	}
	/* The pattern knows the default order: keep to it where it holds. */
	if (is_default(w)) {
		free(w);
		return NULL;
	}
	return w;
}

void
w3c_free(struct w3c *w)
{
	free(w);
}

/* dddd-dd-dd, of which only the dashes and the first digits are looked at */
static bool
dated(struct str line)
{
	return line.n > 11 && scan_is_digit(line.p[0]) &&
	       scan_is_digit(line.p[3]) && line.p[4] == '-' &&
	       line.p[7] == '-' && line.p[10] == '\t';
}

bool
w3c_cloudfront(struct scan *s)
{
	struct str cols[COLUMNS_MAX];
	struct str out[COLS];
	struct str rest = s->line;
	size_t n = 0;

	if (!s->columns && !dated(s->line))
		return false;
	while (n < COLUMNS_MAX) {
		size_t end = str_find(rest, '\t');

		cols[n++] = str_sub(rest, 0, end);
		if (end == SIZE_MAX)
			break;
		rest = str_from(rest, end + 1);
	}
	if (n < COLUMNS_LEAST && !(s->columns && n > 1))
		return false;
	for (int c = 0; c < COLS; c++) {
		size_t at = s->columns ? s->columns->at[c] : columns[c].at;

		out[c] = at < n ? cols[at] : (struct str){ NULL, 0 };
	}
	/* One text, as in the pattern: the two stand side by side. */
	if (out[COL_DATE].n != 10 || out[COL_TIME].n != 8 ||
	    out[COL_TIME].p != out[COL_DATE].p + 11)
		return false;
	s->time = (struct str){ out[COL_DATE].p, 19 };
	s->q->peer = out[COL_PEER];
	s->q->method_text = out[COL_METHOD];
	s->q->url = out[COL_STEM];
	s->query = out[COL_QUERY];
	s->status = out[COL_STATUS];
	s->q->referer = out[COL_REFERER];
	s->q->agent = out[COL_AGENT];
	s->q->host = out[COL_HOST];
	s->vhost = out[COL_VHOST];
	s->bytes = out[COL_BYTES];
	s->duration[0] = out[COL_TAKEN];
	s->unit = UNIT_S;
	s->q->forwarded = out[COL_FORWARDED];
	return true;
}
