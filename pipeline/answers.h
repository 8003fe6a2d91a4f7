/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What those who are suspected of a scan were answered: for misses.c.  Nothing
 * is read when nobody is suspected.  What is read again and how much at most:
 * answers.c.
 */
#ifndef PIPELINE_ANSWERS_H
#define PIPELINE_ANSWERS_H

#include "analyzers/scan.h"
#include "core/err.h"

struct run;

/* Between the rounds of the scan: its suspects are known. */
int answers_read(struct run *run, struct scan *scan, struct err *err);

#endif
