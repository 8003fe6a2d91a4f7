/* SPDX-License-Identifier: Apache-2.0 */
/* Trace ids as they are typed, and what was probably meant. */
#include <ctype.h>
#include <string.h>

#include "cli/trace.h"

bool
id_prefix_read(struct id_prefix *id, const char *text)
{
	*id = (struct id_prefix){ 0 };
	if (text[0] == '1' && text[1] == '-')
		text += 2;
	for (; *text; text++) {
		if (*text == '-' && id->n == 8)
			continue;
		if (!isxdigit((unsigned char)*text) || id->n == ID_DIGITS)
			return false;
		id->hex[id->n++] = (char)tolower((unsigned char)*text);
	}
	return id->n >= ID_PREFIX_MIN;
}

static size_t
common_digits(const struct id_prefix *want, const uint8_t id[16])
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	while (n < want->n &&
	       want->hex[n] == digits[id[n / 2] >> (n % 2 ? 0 : 4) & 15])
		n++;
	return n;
}

void
id_search_add(struct id_search *s, const struct trace *t)
{
	size_t common = common_digits(&s->want, t->id);
	size_t at = s->n_near;

	s->found += common == s->want.n;
	while (at > 0 && (s->near[at - 1].common < common ||
			     (s->near[at - 1].common == common &&
				 memcmp(s->near[at - 1].id, t->id, 16) > 0)))
		at--;
	if (at == ID_NEAR)
		return;
	if (s->n_near < ID_NEAR)
		s->n_near++;
	memmove(&s->near[at + 1], &s->near[at],
	    (s->n_near - 1 - at) * sizeof s->near[0]);
	s->near[at].common = common;
	memcpy(s->near[at].id, t->id, 16);
	memcpy(s->near[at].text, t->id_text, sizeof s->near[at].text);
}
