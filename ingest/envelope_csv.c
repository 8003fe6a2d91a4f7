/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV as the CloudWatch console downloads it.
 *
 *	timestamp,message[,logStreamName]          a group's or stream's events
 *	@timestamp,@message[,@logStream,@log,...]  Logs Insights results
 *
 * RFC 4180: a field in quotes may hold commas, line ends and doubled quotes.
 * A record that does not end within line_bytes is a dead letter of its first
 * line only, and reading goes on with the next: one forgotten quote costs one
 * line.
 */
#include <assert.h>

#include "ingest/envelope.h"

enum { CSV_FIELDS = 32 };

/* What a column is; others are ignored. */
enum column {
	COLUMN_OTHER,
	COLUMN_TIME,
	COLUMN_MESSAGE,
	COLUMN_STREAM,
	COLUMN_LOG,
	COLUMNS
};

struct csv {
	struct envelope base;
	int at[COLUMNS]; /* the column's field, or -1 */
	bool begun;      /* the header is behind us */
	size_t scanned;  /* of the present record */
	bool quoted;     /* inside quotes at `scanned` */
};

static struct csv *
csv_of(struct envelope *self)
{
	assert(self->ops == &envelope_csv);
	return (struct csv *)self;
}

/* Cuts a field off the record; false: there was none left. */
static bool
cut_field(struct str *rest, struct str *field)
{
	bool quoted = false;
	size_t n = 0;

	if (!rest->p)
		return false;
	for (; n < rest->n; n++) {
		if (rest->p[n] == '"')
			quoted = !quoted;
		else if (rest->p[n] == ',' && !quoted)
			break;
	}
	*field = str_sub(*rest, 0, n);
	*rest = n < rest->n ? str_from(*rest, n + 1) : (struct str){ 0 };
	return true;
}

/* Without its quotes, doubled ones single; copied only where there are any. */
static struct str
unquote(struct str field, struct arena *arena)
{
	char *p;
	size_t n = 0;

	if (field.n == 0 || field.p[0] != '"')
		return field;
	field = str_from(field, 1);
	if (field.n > 0 && field.p[field.n - 1] == '"')
		field.n--;
	if (str_find(field, '"') == SIZE_MAX)
		return field;
	p = arena_alloc(arena, field.n);
	for (size_t i = 0; i < field.n; i++) {
		if (field.p[i] == '"' && i + 1 < field.n &&
		    field.p[i + 1] == '"')
			i++;
		p[n++] = field.p[i];
	}
	return (struct str){ p, n };
}

static enum column
column_of(struct str name)
{
	static const struct {
		const char *name;
		enum column column;
	} names[] = {
		{ "timestamp", COLUMN_TIME },
		{ "@timestamp", COLUMN_TIME },
		{ "message", COLUMN_MESSAGE },
		{ "@message", COLUMN_MESSAGE },
		{ "logStreamName", COLUMN_STREAM },
		{ "@logStream", COLUMN_STREAM },
		{ "@log", COLUMN_LOG },
	};

	if (name.n > 1 && name.p[0] == '"' && name.p[name.n - 1] == '"')
		name = str_sub(name, 1, name.n - 2);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (str_eq(name, str_of(names[i].name)))
			return names[i].column;
	return COLUMN_OTHER;
}

/* False: without a message it is no header of ours. */
static bool
read_header(struct str line, int at[COLUMNS])
{
	struct str field;

	for (int c = 0; c < COLUMNS; c++)
		at[c] = -1;
	for (int i = 0; i < CSV_FIELDS && cut_field(&line, &field); i++) {
		enum column c = column_of(field);

		if (at[c] < 0)
			at[c] = i;
	}
	return at[COLUMN_MESSAGE] >= 0 && at[COLUMN_TIME] >= 0;
}

static int64_t
time_of(struct str text)
{
	int64_t ns;

	if (when_iso(&text, &ns) || when_epoch_ms(text, &ns))
		return ns;
	return WHEN_NONE;
}

static struct str
field_of(const struct csv *c, enum column column, const struct str *fields,
    int n)
{
	int i = c->at[column];

	return i >= 0 && i < n ? fields[i] : (struct str){ 0 };
}

static void
take_record(struct csv *c, struct batch *b, struct str record)
{
	struct window *w = c->base.w;
	struct str fields[CSV_FIELDS];
	struct event *e;
	struct str log;
	int n = 0;

	if (record.n == 0)
		return;
	while (n < CSV_FIELDS && cut_field(&record, &fields[n]))
		n++;
	if (n <= c->at[COLUMN_MESSAGE]) {
		batch_dead(b, &w->place,
		    "a CSV record with fewer fields than its header",
		    (struct str){ fields[0].p,
			(size_t)(fields[n - 1].p - fields[0].p) +
			    fields[n - 1].n });
		return;
	}
	for (int i = 0; i < n; i++)
		fields[i] = unquote(fields[i], &b->arena);
	e = batch_event(b, &w->place);
	e->ts_ns = time_of(field_of(c, COLUMN_TIME, fields, n));
	e->message = message_trim(field_of(c, COLUMN_MESSAGE, fields, n));
	e->stream = field_of(c, COLUMN_STREAM, fields, n);
	/* "123456789012:/ecs/like" */
	log = field_of(c, COLUMN_LOG, fields, n);
	e->group = str_from(log,
	    str_find(log, ':') == SIZE_MAX ? 0 : str_find(log, ':') + 1);
}

/* Finds the record's end, going on at `scanned`. */
static bool
record_end(struct csv *c, struct str rest, size_t *end)
{
	for (; c->scanned < rest.n; c->scanned++) {
		char ch = rest.p[c->scanned];

		if (ch == '"') {
			c->quoted = !c->quoted;
		} else if (ch == '\n' && !c->quoted) {
			*end = c->scanned;
			return true;
		}
	}
	return false;
}

static enum step
record_bad(struct csv *c, struct batch *b)
{
	struct window *w = c->base.w;
	struct str bytes;

	if (!window_dead_line(w, &bytes))
		return STEP_MORE;
	batch_dead(b, &w->place,
	    "a CSV record that does not end within the line limit: a quote is "
	    "not closed",
	    bytes);
	w->skipping = true;
	c->scanned = 0;
	c->quoted = false;
	return envelope_skip(&c->base);
}

static enum step
next_record(struct csv *c, struct batch *b)
{
	struct window *w = c->base.w;
	struct str rest = window_rest(w);
	size_t max = c->base.limits->line_bytes;
	size_t end;
	bool whole = record_end(c, str_sub(rest, 0, max + 1), &end);

	if (!whole) {
		if (rest.n > max || (w->eof && c->quoted))
			return record_bad(c, b);
		if (!w->eof)
			return STEP_MORE;
		if (rest.n == 0)
			return STEP_END;
		end = rest.n;
	}
	if (c->begun)
		take_record(c, b, line_without_cr(str_sub(rest, 0, end)));
	else
		c->begun =
		    read_header(line_without_cr(str_sub(rest, 0, end)), c->at);
	c->scanned = 0;
	window_take_counted(w, end + whole);
	return STEP_ON;
}

static enum step
csv_decode(struct envelope *self, struct batch *b)
{
	struct csv *c = csv_of(self);
	enum step step = envelope_skip(self);

	while (step == STEP_ON) {
		if (batch_full(b))
			return STEP_FULL;
		step = next_record(c, b);
	}
	return step;
}

static struct verdict
csv_sniff(struct str head)
{
	unsigned n = 0;
	int at[COLUMNS];
	struct str line;

	if (!head_line(&head, &n, &line) || line.n > 4096 ||
	    !read_header(line, at))
		return (struct verdict){ 0 };
	return (struct verdict){ 95,
		str_find(line, '@') == SIZE_MAX ? ENVELOPE_CONSOLE_CSV
						: ENVELOPE_INSIGHTS_CSV,
		n };
}

const struct envelope_ops envelope_csv = {
	.size = sizeof(struct csv),
	.sniff = csv_sniff,
	.decode = csv_decode,
};
