/* SPDX-License-Identifier: Apache-2.0 */
/* The reading again of what findings name; see the header. */
#include "pipeline/texts.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pipeline/misses.h"
#include "pipeline/reading.h"
#include "pipeline/run.h"
#include "sinks/documents.h"

enum { TEXT_MAX = 118 }; /* bytes of a path or client that are shown */

struct texts {
	struct run *run;
	struct scan *scan;
	struct reading reading;
	struct buf cut;
};

static void
tell(struct texts *t, uint64_t hash, struct str text)
{
	struct findings *out = &t->run->result->findings;

	if (text.n <= TEXT_MAX) {
		scan_text(t->scan, hash, text, out);
		return;
	}
	buf_reset(&t->cut);
	buf_put(&t->cut, text.p, TEXT_MAX);
	buf_cat(&t->cut, "...");
	scan_text(t->scan, hash, buf_view(&t->cut), out);
}

static void
take(struct texts *t, const struct record *r)
{
	struct misses_who who;

	if (r->kind == RECORD_LOG || !misses_wanted(r->request.status))
		return;
	who = misses_who(&r->request);
	tell(t, who.path, r->request.path);
	if (who.client != 0)
		tell(t, who.client, document_client(&r->request));
}

/* What cannot be read any more, or breaks off again, gives no texts. */
static void
read_input(struct texts *t, uint32_t index, uint64_t last)
{
	const struct input *input = &t->run->result->inputs.v[index];
	enum flow flow = FLOW_OK;
	struct err ignored;
	struct item item;

	if (reading_open(&t->reading, t->run->options, input, index,
		&ignored) != 0)
		return;
	while (flow == FLOW_OK && !run_stopped(t->run)) {
		flow = reading_next(&t->reading, &item, &ignored);
		if (flow != FLOW_OK || item.fate != FATE_KEPT)
			continue;
		if (item.record.event->place.line > last) {
			if (turned_round(&t->reading.turned))
				continue;
			break;
		}
		take(t, &item.record);
	}
	reading_close(&t->reading);
}

void
texts_read(struct run *run, struct scan *scan)
{
	struct texts t = { .run = run, .scan = scan };
	uint64_t *last = xcalloc(run->result->inputs.n, sizeof *last);

	t.reading.since_ns = run->plan.since_ns;
	t.reading.until_ns = run->plan.until_ns;
	scan_lines(scan, last);
	for (size_t i = 0; i < run->result->inputs.n; i++)
		if (last[i] > 0)
			read_input(&t, (uint32_t)i, last[i]);
	reading_fini(&t.reading);
	buf_fini(&t.cut);
	free(last);
}
