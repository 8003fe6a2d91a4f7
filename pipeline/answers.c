/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second reading of the days on which somebody is suspected of a scan.
 *
 * Read are the inputs with requests whose time reaches into such a day, the
 * smaller before the greater, as long as they are together below ANSWERS_BYTES;
 * of the days of all others the answers are not known, and the scan is told.
 * Which inputs are read depends on the inputs alone.
 *
 * A request in a log and in a trace is one: the log's where it names a public
 * client, else the trace's.
 */
#include "pipeline/answers.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/mem.h"
#include "pipeline/misses.h"
#include "pipeline/origin.h"
#include "pipeline/reading.h"
#include "pipeline/run.h"
#include "pipeline/verdicts.h"

#define ANSWERS_BYTES (UINT64_C(256) * 1024 * 1024) /* inflated */

struct asking {
	struct run *run;
	struct scan *scan;
	bool *chosen; /* by input */
	struct reading reading;
	struct origin_namer namer;
	struct verdicts verdicts;
	uint32_t service; /* of the record */
};

struct choice {
	size_t index;
	uint64_t bytes;
};

static int
by_bytes(const void *pa, const void *pb)
{
	const struct choice *a = pa;
	const struct choice *b = pb;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

/* Inputs that matter; their number. */
static size_t
gather(const struct asking *a, struct choice *c)
{
	const struct replay_result *r = a->run->result;
	size_t n = 0;

	for (size_t i = 0; i < r->inputs.n; i++) {
		const struct replay_input *in = &r->read[i];

		if (in->first_ns == WHEN_NONE ||
		    in->accounts.n[RECORD_REQUEST][ACCOUNT_READ] +
			    in->accounts.n[RECORD_SEGMENT][ACCOUNT_READ] ==
			0 ||
		    !scan_suspects(a->scan, in->first_ns, in->last_ns))
			continue;
		/* What broke off the first time is not read again. */
		if (r->inputs.v[i].state != INPUT_READ || in->error)
			scan_unread(a->scan, in->first_ns, in->last_ns);
		else
			c[n++] = (struct choice){ i, in->notes.bytes };
	}
	return n;
}

/* False: there is none to read. */
static bool
choose_inputs(struct asking *a)
{
	const struct replay_result *r = a->run->result;
	struct choice *c = xcalloc(r->inputs.n, sizeof *c);
	size_t n = gather(a, c);
	uint64_t bytes = 0;

	a->chosen = xcalloc(r->inputs.n, sizeof *a->chosen);
	if (n > 0)
		qsort(c, n, sizeof *c, by_bytes);
	for (size_t i = 0; i < n; i++) {
		const struct replay_input *in = &r->read[c[i].index];

		if (c[i].bytes > ANSWERS_BYTES - bytes) {
			scan_unread(a->scan, in->first_ns, in->last_ns);
			continue;
		}
		bytes += c[i].bytes;
		a->chosen[c[i].index] = true;
	}
	free(c);
	return n > 0;
}

/* Whether the request counts here, and is a client's. */
static bool
is_client(struct asking *a, const struct record *r)
{
	const struct verdict *known = verdicts_of(&a->verdicts,
	    &r->event->place, a->reading.identity.seq);

	if (!known)
		return verdicts_probe(&a->verdicts, r, a->reading.identity.seq)
			   .class
		       == CLASS_CLIENT;
	if (known->what == VERDICT_DUPLICATE)
		return false;
	if (r->kind == RECORD_SEGMENT && known->what == VERDICT_JOINED &&
	    known->named)
		return false;
	return known->class == CLASS_CLIENT;
}

static void
take(struct asking *a, const struct input *input, const struct item *item)
{
	const struct record *r = &item->record;
	const struct request *q = &r->request;
	struct misses_who who;

	if (item->fate != FATE_KEPT || r->kind == RECORD_LOG)
		return;
	if (origin_name_record(&a->namer, input, r))
		a->service = service_of(a->run, &a->namer.name);
	if (r->ts_ns == WHEN_NONE || q->status < 100 || q->status >= 400 ||
	    (r->kind == RECORD_SEGMENT &&
		(!r->segment.has_http || r->segment.in_progress)))
		return;
	who = misses_who(q);
	if (who.client != 0 && is_client(a, r))
		scan_answered(a->scan, &(struct scan_answer){ .ts_ns = r->ts_ns,
					   .client = who.client,
					   .path = who.path,
					   .service = a->service });
}

static int
read_input(struct asking *a, uint32_t index, struct err *err)
{
	const struct input *input = &a->run->result->inputs.v[index];
	enum flow flow = FLOW_OK;
	struct item item;

	if (reading_open(&a->reading, a->run->options, input, index, err) != 0)
		return -1;
	origin_namer_reset(&a->namer);
	while (flow == FLOW_OK && !run_stopped(a->run)) {
		flow = reading_next(&a->reading, &item, err);
		if (flow == FLOW_OK)
			take(a, input, &item);
	}
	reading_close(&a->reading);
	return flow == FLOW_FAIL ? -1 : 0;
}

static int
read_chosen(struct asking *a, struct err *err)
{
	struct err ignored;
	int rc;

	if (join_verdicts(a->run, err) != 0)
		return -1;
	rc = verdicts_open(&a->verdicts, a->run, err);
	for (size_t i = 0; i < a->run->result->inputs.n && rc == 0; i++)
		if (a->chosen[i])
			rc = read_input(a, (uint32_t)i, err);
	if (verdicts_close(&a->verdicts, rc == 0 ? err : &ignored) != 0)
		rc = -1;
	reading_fini(&a->reading);
	origin_namer_fini(&a->namer);
	return rc;
}

int
answers_read(struct run *run, struct scan *scan, struct err *err)
{
	struct asking a = { .run = run, .scan = scan };
	int rc = 0;

	a.reading.since_ns = run->plan.since_ns;
	a.reading.until_ns = run->plan.until_ns;
	a.namer.most = run->plan.origins;
	if (choose_inputs(&a))
		rc = read_chosen(&a, err);
	free(a.chosen);
	return rc;
}
