/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths and clients behind the hashes of scans and surges, from the lines
 * that the findings name: for misses.c.  The first reading keeps hashes only,
 * since most misses are of no finding.
 */
#ifndef PIPELINE_TEXTS_H
#define PIPELINE_TEXTS_H

#include "analyzers/scan.h"

struct run;

/* Between scan_end and scan_finish; each input is read to the last line that a
 * finding names. */
void texts_read(struct run *run, struct scan *scan);

#endif
