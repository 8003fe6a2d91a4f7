/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor over the join's verdicts; see the header. */
#include "pipeline/verdicts.h"

#include "pipeline/run.h"

static void
advance(struct verdicts *v)
{
	const void *next = merge_next(v->merge);

	v->next = next;
}

int
verdicts_open(struct verdicts *v, struct run *run, struct err *err)
{
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
	while (v->next &&
	       (v->next->key.hi < place->input ||
		   (v->next->key.hi == place->input && v->next->key.lo < seq)))
		advance(v);
	if (!v->next || v->next->key.hi != place->input ||
	    v->next->key.lo != seq)
		return NULL;
	return v->next;
}

int
verdicts_close(struct verdicts *v, struct err *err)
{
	int rc = v->merge ? merge_failed(v->merge, err) : 0;

	merge_free(v->merge);
	*v = (struct verdicts){ 0 };
	return rc;
}
