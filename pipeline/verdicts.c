/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors over what was said of events; see the header. */
#include "pipeline/verdicts.h"

#include "pipeline/run.h"

/* Whether a key is of an event before this one. */
static bool
is_before(const struct spill_key *key, const struct place *place, uint64_t seq)
{
	return key->hi < place->input ||
	       (key->hi == place->input && key->lo < seq);
}

static bool
is_of(const struct spill_key *key, const struct place *place, uint64_t seq)
{
	return key->hi == place->input && key->lo == seq;
}

static void
advance(struct verdicts *v)
{
	const void *next = merge_next(v->merge);

	v->next = next;
}

static void
advance_note(struct verdicts *v)
{
	const void *next = merge_next(v->notes);

	v->note = next;
}

int
verdicts_open(struct verdicts *v, struct run *run, struct err *err)
{
	v->probe = &run->options->probe;
	if (run->probe_notes) {
		v->notes = merge_new(&run->probe_notes, 1, err);
		if (!v->notes)
			return -1;
		advance_note(v);
	}
	if (!run->verdicts)
		return 0;
	v->merge = merge_new(&run->verdicts, 1, err);
	if (!v->merge)
		return -1;
	advance(v);
	return 0;
}

const struct verdict *
verdicts_of(struct verdicts *v, const struct place *place, uint64_t seq)
{
	while (v->next && is_before(&v->next->key, place, seq))
		advance(v);
	return v->next && is_of(&v->next->key, place, seq) ? v->next : NULL;
}

/* What the clock says of the event, if anything. */
static const struct probe_note *
note_of(struct verdicts *v, const struct place *place, uint64_t seq)
{
	while (v->note && is_before(&v->note->key, place, seq))
		advance_note(v);
	return v->note && is_of(&v->note->key, place, seq) ? v->note : NULL;
}

struct probe_verdict
verdicts_probe(struct verdicts *v, const struct record *r, uint64_t seq)
{
	struct probe_verdict p = probe_judge(v->probe, &r->request);
	const struct probe_note *note;

	if (!candidate_waits(&p, r))
		return p;
	note = note_of(v, &r->event->place, seq);
	if (note && note->how == HOW_ALONE)
		return p;
	p.reason = p.class == CLASS_CLIENT
		       ? ""
		       : "private peer and usual path, but not by the clock";
	p.class = note ? (enum class)note->class : CLASS_CLIENT;
	if (note) {
		buf_reset(&v->reason);
		probe_words(&v->reason, note, &r->request);
		p.reason = buf_cstr(&v->reason);
	}
	return p;
}

int
verdicts_close(struct verdicts *v, struct err *err)
{
	int rc = v->merge ? merge_failed(v->merge, err) : 0;

	if (rc == 0 && v->notes)
		rc = merge_failed(v->notes, err);
	merge_free(v->merge);
	merge_free(v->notes);
	buf_fini(&v->reason);
	*v = (struct verdicts){ 0 };
	return rc;
}
