/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One finding an incident: what the rules, which do not look at each other,
 * have found twice.
 *
 * Where the clients of a route are answered 404 or 5xx and its health checks
 * fail at the same time, the target is broken for both.  The finding with more
 * that failed stays, of equals that of the health checks, with the other's
 * counts beside its own, and as severe as the worse of the two.
 *
 * A target that hangs is silent in its own log, and fails in that of the
 * balancer before it: of two findings of health checks of one route that begin
 * within a minute, the one whose probes are missing tells the other its words.
 *
 * A missing path that is asked for while the service is scanned is the scan's.
 */
#ifndef ANALYZERS_FOLD_H
#define ANALYZERS_FOLD_H

#include <stdbool.h>

#include "core/finding.h"

void findings_fold(struct findings *f);

/* Whether some of their time is the same. */
bool findings_overlap(const struct finding *a, const struct finding *b);

#endif
