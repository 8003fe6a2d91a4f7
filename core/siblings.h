/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which words tell a route from the others of its service, for a filter
 * expression that knows CONTAINS and nothing better:
 *
 *	/mysfits/{id}/like            CONTAINS "/mysfits/", CONTAINS "/like"
 *	/mysfits/{id}/undefined/like  has both, and "/undefined/like" besides
 *
 * The fixed pieces of a route are its text between the braces.
 */
#ifndef CORE_SIBLINGS_H
#define CORE_SIBLINGS_H

#include <stddef.h>

#include "core/finding.h"
#include "core/str.h"

/*
 * Pieces that other routes have and this one has not, of those others that have
 * all of its pieces: views into `texts`, in order of their text, each once.
 * More than FINDING_BESIDES: the first ones.  Empty texts are passed over.
 */
size_t siblings(struct str route, const struct str *texts, size_t n,
    struct str out[FINDING_BESIDES]);

/* Takes the next fixed piece off a route; false: there is none. */
bool siblings_piece(struct str *route, struct str *piece);

#endif
