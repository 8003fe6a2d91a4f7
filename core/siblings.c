/* SPDX-License-Identifier: Apache-2.0 */
/* A quadratic look at some hundred routes, once a finding. */
#include "core/siblings.h"

bool
siblings_piece(struct str *route, struct str *piece)
{
	while (route->n > 0) {
		size_t open = str_find(*route, '{');
		size_t close;

		if (open == SIZE_MAX)
			open = route->n;
		*piece = str_sub(*route, 0, open);
		*route = str_from(*route, open);
		close = str_find(*route, '}');
		*route =
		    str_from(*route, close == SIZE_MAX ? route->n : close + 1);
		if (piece->n > 0)
			return true;
	}
	return false;
}

/* Whether an expression for the route lets requests of the other through. */
static bool
lets_through(struct str route, struct str other)
{
	struct str piece;

	if (str_eq(route, STR("/")))
		return str_ends(other, route);
	while (siblings_piece(&route, &piece))
		if (piece.n > 1 && str_find_str(other, piece) == SIZE_MAX)
			return false;
	return true;
}

/* Puts the piece where it belongs by its text; the last may fall out. */
static size_t
insert(struct str out[FINDING_BESIDES], size_t n, struct str piece)
{
	size_t at = 0;

	while (at < n && str_cmp(out[at], piece) < 0)
		at++;
	if (at == FINDING_BESIDES || (at < n && str_eq(out[at], piece)))
		return n;
	if (n == FINDING_BESIDES)
		n--;
	for (size_t i = n; i > at; i--)
		out[i] = out[i - 1];
	out[at] = piece;
	return n + 1;
}

size_t
siblings(struct str route, const struct str *texts, size_t n,
    struct str out[FINDING_BESIDES])
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		struct str other = texts[i];
		struct str piece;

		if (other.n == 0 || str_eq(other, route) ||
		    !lets_through(route, other))
			continue;
		while (siblings_piece(&other, &piece)) {
			if (piece.n < 2 ||
			    str_find_str(route, piece) != SIZE_MAX)
				continue;
			found = insert(out, found, piece);
			break;
		}
	}
	return found;
}
