/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of an expression.  Times are whole nanoseconds in a trace and
 * decimal seconds in an expression; they are compared exactly, without going
 * through floating point: the literal is shifted by nine places and cut to the
 * whole number below it, and the comparison is turned into a range of whole
 * numbers.  So responsetime = 3.232 finds what took 3.232 s, on every machine
 * and in every back-end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "query/tree.h"

/* The digits of a number without point and leading zeros, and its exponent. */
struct decimal {
	char digits[QUERY_NUMBER_MAX];
	size_t n;
	long exponent;
	bool negative;
};

static void
decimal_read(struct str text, struct decimal *d)
{
	long sign = 1, exponent = 0;
	bool fraction = false;

	*d = (struct decimal){ .n = 0 };
	d->negative = str_starts(text, STR("-"));
	text = str_from(text, d->negative ? 1 : 0);
	for (; text.n && *text.p != 'e' && *text.p != 'E';
	     text = str_from(text, 1)) {
		if (*text.p == '.') {
			fraction = true;
			continue;
		}
		d->exponent -= fraction;
		if (d->n == 0 && *text.p == '0')
			continue;
		if (d->n < sizeof(d->digits))
			d->digits[d->n++] = *text.p;
	}
	text = str_from(text, 1);
	if (text.n && (*text.p == '-' || *text.p == '+')) {
		sign = *text.p == '-' ? -1 : 1;
		text = str_from(text, 1);
	}
	for (; text.n; text = str_from(text, 1))
		if (exponent < 1000000)
			exponent = exponent * 10 + (*text.p - '0');
	d->exponent += sign * exponent;
}

bool
number_scaled(struct str text, int scale, int64_t *floor)
{
	struct decimal d;
	uint64_t v = 0;
	bool exact = true;

	decimal_read(text, &d);
	long whole =
	    (long)d.n + d.exponent + scale; /* digits before the point */

	if (d.n > 0 && whole > 18) {
		*floor = d.negative ? INT64_MIN : INT64_MAX;
		return false;
	}
	for (size_t i = 0; i < d.n; i++) {
		if ((long)i < whole)
			v = v * 10 + (uint64_t)(d.digits[i] - '0');
		else if (d.digits[i] != '0')
			exact = false;
	}
	for (long i = (long)d.n; d.n > 0 && i < whole; i++)
		v *= 10;
	*floor = d.negative ? -(int64_t)v : (int64_t)v;
	if (d.negative && !exact)
		*floor -= 1;
	return exact;
}

struct range
number_range(struct str text, int scale, enum query_op op)
{
	static const struct range none = { .lo = INT64_MAX, .hi = INT64_MIN };
	struct range all = { .lo = INT64_MIN + 1, .hi = INT64_MAX };
	int64_t v = 0;
	bool exact = op == OP_SET || number_scaled(text, scale, &v);

	switch (op) {
	case OP_EQ:
		return exact ? (struct range){ .lo = v, .hi = v } : none;
	case OP_NE:
		if (exact)
			return (struct range){ v, v, true };
		break;
	case OP_LT:
	case OP_LE:
		all.hi = v - (exact && op == OP_LT);
		break;
	case OP_GT:
	case OP_GE:
		if (exact && op == OP_GE)
			all.lo = v;
		else if (v == INT64_MAX)
			return none;
		else
			all.lo = v + 1;
		break;
	case OP_SET:
	case OP_CONTAINS:
	case OP_BEGINS:
	case OP_ENDS:
		break;
	}
	return all.lo > all.hi ? none : all;
}

bool
number_double(struct str text, double *value)
{
	char z[QUERY_NUMBER_MAX + 1];

	if (text.n >= sizeof(z))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	*value = strtod(z, NULL);
	return *value >= -1.7976931348623157e308 &&
	       *value <= 1.7976931348623157e308;
}

void
number_put(struct buf *b, double value)
{
	char z[40];

	for (int digits = 15; digits <= 17; digits += 2) {
		snprintf(z, sizeof(z), "%.*g", digits, value);
		double again = strtod(z, NULL);

		if (again >= value && again <= value)
			break;
	}
	buf_cat(b, z);
	if (!strpbrk(z, ".e"))
		buf_cat(b, ".0");
}
