/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a replay found, for programs: one object, or a finding a line.
 */
#ifndef CLI_REPLAY_JSON_H
#define CLI_REPLAY_JSON_H

#include "cli/report.h"
#include "core/buf.h"
#include "pipeline/replay.h"
#include "pipeline/trace_tops.h"

/*
 * {"schema":"telltale/1","command":"replay","inputs":…,"accounting":…,
 * "services":…,"trace_services":…,"findings":…} and a line end.  A finding is
 * the document's _source.  Nothing in it depends on the clock, threads or the
 * machine.
 */
void replay_json(struct buf *out, const struct report *report);

/* What its members mean; ends with a NULL name. */
struct replay_json_member {
	const char *name; /* "findings[]": of each item */
	const char *text; /* one sentence */
};
extern const struct replay_json_member replay_json_members[];

/* The findings as documents, as in findings.ndjson. */
void replay_ndjson(struct buf *out, const struct replay_result *r);

#endif
