/* SPDX-License-Identifier: Apache-2.0 */
/* Marks on machines for which nothing faster was written. */
#include "ingest/marks.h"

size_t
marks_ways(marks_fn *ways[MARKS_WAYS])
{
	ways[0] = marks_swar;
	return 1;
}
