/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keywords an expression uses: what does not have all that a trace has,
 * a log's request or a finding, is asked only what it can answer.
 */
#ifndef QUERY_WORDS_H
#define QUERY_WORDS_H

#include "query/query.h"

/*
 * The first keyword of the expression, its groups and blocks that is not in
 * the list, which ends with NULL; NULL when all are.
 */
const char *query_word_outside(const struct query *q,
    const char *const *allowed);

#endif
