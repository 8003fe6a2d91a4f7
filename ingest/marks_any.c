/* SPDX-License-Identifier: Apache-2.0 */
/* Marks on machines for which nothing faster was written. */
#include "ingest/marks.h"

marks_fn *
marks_fastest(void)
{
	return marks_swar;
}
