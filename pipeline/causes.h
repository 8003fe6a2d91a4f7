/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The step of a replay that says what the findings' requests have in common:
 * for replay.c.  Nothing happens when there is no finding.  What it reads again
 * and how much at most: causes.c.
 */
#ifndef PIPELINE_CAUSES_H
#define PIPELINE_CAUSES_H

#include "core/err.h"

struct run;

int causes_find(struct run *run, struct err *err);

#endif
