/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time without locale, zone data or clock.  Civil dates to days and back after
 * Howard Hinnant, "chrono-compatible low-level date algorithms"
 * (howardhinnant.github.io/date_algorithms.html).
 */
#include "core/when.h"

#include <stddef.h>

#define NS_PER_MIN (60 * NS_PER_SEC)
#define NS_PER_HOUR (60 * NS_PER_MIN)
#define NS_PER_DAY (24 * NS_PER_HOUR)

/* Whole days that fit with their nanoseconds into an int64_t. */
enum { DAYS_MAX = 106750 };

static int64_t
days_of(int64_t y, int m, int d)
{
	int64_t era;
	int64_t yoe;
	int64_t doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
civil_of(int64_t days, int64_t *y, int *m, int *d)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

bool
when_days(int year, int month, int day, int64_t *days)
{
	static const int8_t length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30,
		31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month < 1 || month > 12 || day < 1)
		return false;
	if (day > length[month - 1] + (month == 2 && leap))
		return false;
	*days = days_of(year, month, day);
	return *days > -DAYS_MAX && *days < DAYS_MAX;
}

/* Exactly n digits at the head; -1: there are fewer. */
static int
digits(struct str *s, size_t n)
{
	int v = 0;

	if (s->n < n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return -1;
		v = v * 10 + (s->p[i] - '0');
	}
	*s = str_from(*s, n);
	return v;
}

static bool
eat(struct str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = str_from(*s, 1);
	return true;
}

/* hh:mm:ss, second 60 allowed, as seconds of the day. */
static bool
clock_time(struct str *s, int64_t *seconds)
{
	int h = digits(s, 2);
	int m = eat(s, ':') ? digits(s, 2) : -1;
	int sec = eat(s, ':') ? digits(s, 2) : -1;

	if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
		return false;
	*seconds = h * 3600 + m * 60 + sec;
	return true;
}

/* [.,]digits: nanoseconds; none: 0. */
static int64_t
fraction(struct str *s)
{
	int64_t ns = 0;
	int64_t unit = NS_PER_SEC / 10;
	size_t i = 1;

	if (s->n < 2 || (s->p[0] != '.' && s->p[0] != ',') || s->p[1] < '0' ||
	    s->p[1] > '9')
		return 0;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
		ns += unit * (s->p[i] - '0');
		unit /= 10;
	}
	*s = str_from(*s, i);
	return ns;
}

/* Z, +hh:mm, +hhmm, +hh: seconds east of UTC; nothing there: 0. */
static bool
zone(struct str *s, int64_t *east)
{
	bool minus = s->n > 0 && s->p[0] == '-';
	struct str t = *s;
	int h;
	int m = 0;

	*east = 0;
	if (eat(s, 'Z') || eat(s, 'z'))
		return true;
	if (!eat(&t, '+') && !eat(&t, '-'))
		return true;
	h = digits(&t, 2);
	if (h < 0 || h > 18)
		return false;
	if (t.n > 0 && (t.p[0] == ':' || (t.p[0] >= '0' && t.p[0] <= '9'))) {
		eat(&t, ':');
		m = digits(&t, 2);
	}
	if (m < 0 || m > 59)
		return false;
	*east = (h * 3600 + m * 60) * (minus ? -1 : 1);
	*s = t;
	return true;
}

bool
when_iso(struct str *rest, int64_t *ns)
{
	struct str s = *rest;
	int y = digits(&s, 4);
	int mo = eat(&s, '-') ? digits(&s, 2) : -1;
	int d = eat(&s, '-') ? digits(&s, 2) : -1;
	int64_t days;
	int64_t seconds;
	int64_t frac;
	int64_t east;

	if (y < 0 || !when_days(y, mo, d, &days))
		return false;
	if (!eat(&s, 'T') && !eat(&s, ' ') && !eat(&s, 't'))
		return false;
	if (!clock_time(&s, &seconds))
		return false;
	frac = fraction(&s);
	if (!zone(&s, &east))
		return false;
	*ns = days * NS_PER_DAY + (seconds - east) * NS_PER_SEC + frac;
	*rest = s;
	return true;
}

static int
month_name(struct str *s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int m = 0; m < 12; m++) {
		if (str_starts(*s, (struct str){ names + 3 * m, 3 })) {
			*s = str_from(*s, 3);
			return m + 1;
		}
	}
	return -1;
}

bool
when_clf(struct str *rest, int64_t *ns)
{
	struct str s = *rest;
	int d = digits(&s, 2);
	int mo = eat(&s, '/') ? month_name(&s) : -1;
	int y = eat(&s, '/') ? digits(&s, 4) : -1;
	int64_t days;
	int64_t seconds;
	int64_t east = 0;

	if (y < 0 || d < 0 || !when_days(y, mo, d, &days))
		return false;
	if ((!eat(&s, ':') && !eat(&s, ' ')) || !clock_time(&s, &seconds))
		return false;
	if (s.n > 1 && s.p[0] == ' ' && (s.p[1] == '+' || s.p[1] == '-')) {
		eat(&s, ' ');
		if (!zone(&s, &east))
			return false;
	}
	*ns = days * NS_PER_DAY + (seconds - east) * NS_PER_SEC;
	*rest = s;
	return true;
}

bool
when_ctime(struct str *rest, int64_t *ns)
{
	struct str s = str_from(*rest, 3);
	int mo = eat(&s, ' ') ? month_name(&s) : -1;
	int64_t days;
	int64_t seconds;
	int d;
	int y;

	if (mo < 0 || !eat(&s, ' '))
		return false;
	d = eat(&s, ' ') ? digits(&s, 1) : digits(&s, 2);
	if (!eat(&s, ' ') || !clock_time(&s, &seconds) || !eat(&s, ' '))
		return false;
	y = digits(&s, 4);
	if (y < 0 || d < 0 || !when_days(y, mo, d, &days))
		return false;
	*ns = days * NS_PER_DAY + seconds * NS_PER_SEC;
	*rest = s;
	return true;
}

static bool
is_digit(struct str s, size_t i)
{
	return i < s.n && s.p[i] >= '0' && s.p[i] <= '9';
}

/* One more digit; false when there is no room for any. */
static bool
push(uint64_t *v, char c)
{
	if (*v > (UINT64_MAX - 9) / 10)
		return false;
	*v = *v * 10 + (uint64_t)(c - '0');
	return true;
}

/*
 * d+[.d+]: all digits as one number, and how many of them stand behind the
 * point.  Those behind it that have no room are below any unit kept.
 */
static bool
mantissa(struct str *s, uint64_t *v, int *behind)
{
	size_t i = 0;

	*v = 0;
	*behind = 0;
	for (; is_digit(*s, i); i++)
		if (!push(v, s->p[i]))
			return false;
	if (i == 0)
		return false;
	if (i < s->n && s->p[i] == '.' && is_digit(*s, i + 1))
		for (i++; is_digit(*s, i); i++)
			*behind += push(v, s->p[i]);
	*s = str_from(*s, i);
	return true;
}

/* [(e|E)[+-]d+]; nothing there: 0. */
static bool
exponent(struct str *s, int *e)
{
	uint64_t v;
	bool minus;

	*e = 0;
	if (!eat(s, 'e') && !eat(s, 'E'))
		return true;
	minus = eat(s, '-');
	if (!minus)
		eat(s, '+');
	if (!str_u64(s, &v) || v > 1000)
		return false;
	*e = minus ? -(int)v : (int)v;
	return true;
}

/* v times 10^scale, what is below 1 cut off; false: beyond int64_t. */
static bool
scaled(uint64_t *v, int scale)
{
	for (; scale > 0 && *v != 0; scale--) {
		if (*v > INT64_MAX / 10)
			return false;
		*v *= 10;
	}
	for (; scale < 0 && *v != 0; scale++)
		*v /= 10;
	return *v <= INT64_MAX;
}

/*
 * A decimal number, [-]d+[.d+][(e|E)[+-]d+], times 10^scale, as a whole
 * number.  No double: 1795244520.2479196 s is exactly 1795244520247919600 ns.
 */
static bool
decimal(struct str text, int scale, int64_t *value)
{
	bool minus = eat(&text, '-');
	uint64_t v;
	int behind;
	int e;

	if (!mantissa(&text, &v, &behind) || !exponent(&text, &e) ||
	    text.n != 0 || !scaled(&v, scale + e - behind))
		return false;
	*value = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

bool
when_epoch(struct str text, int64_t *ns)
{
	return decimal(text, 9, ns);
}

bool
when_epoch_ms(struct str text, int64_t *ns)
{
	return decimal(text, 6, ns);
}

bool
when_user(struct str text, int64_t *ns)
{
	struct str s = str_trim(text);
	struct str date = s;
	int y = digits(&date, 4);
	int mo = eat(&date, '-') ? digits(&date, 2) : -1;
	int d = eat(&date, '-') ? digits(&date, 2) : -1;
	int64_t days;
	uint64_t n;

	if (when_iso(&s, ns))
		return s.n == 0;
	if (y >= 0 && date.n == 0 && when_days(y, mo, d, &days)) {
		*ns = days * NS_PER_DAY;
		return true;
	}
	date = s;
	if (str_u64(&date, &n) && date.n == 0 && n >= 100000000000)
		return when_epoch_ms(s, ns);
	return when_epoch(s, ns);
}

bool
when_span(struct str text, int64_t *ns)
{
	static const struct {
		char unit;
		int64_t ns;
	} units[] = { { 's', NS_PER_SEC }, { 'm', NS_PER_MIN },
		{ 'h', NS_PER_HOUR }, { 'd', NS_PER_DAY },
		{ 'w', 7 * NS_PER_DAY } };
	int64_t sum = 0;

	if (text.n == 0)
		return false;
	while (text.n > 0) {
		uint64_t n;
		size_t u = 0;

		if (!str_u64(&text, &n) || text.n == 0)
			return false;
		while (u < 5 && units[u].unit != text.p[0])
			u++;
		if (u == 5 || n > (uint64_t)((INT64_MAX - sum) / units[u].ns))
			return false;
		sum += (int64_t)n * units[u].ns;
		text = str_from(text, 1);
	}
	*ns = sum;
	return true;
}

static void
put2(char *p, int v)
{
	p[0] = (char)('0' + v / 10);
	p[1] = (char)('0' + v % 10);
}

int64_t
when_last(int64_t since, int64_t latest, int64_t span)
{
	if (span <= 0 || latest == WHEN_NONE || latest < INT64_MIN + span)
		return since;
	latest -= span - 1;
	return since == WHEN_NONE || latest > since ? latest : since;
}

void
when_put(struct buf *b, int64_t ns, int frac_digits)
{
	int64_t days = ns / NS_PER_DAY;
	int64_t rest = ns % NS_PER_DAY;
	int64_t y;
	int m;
	int d;
	int sec;
	char *p = buf_room(b, 32);

	if (rest < 0) {
		rest += NS_PER_DAY;
		days--;
	}
	civil_of(days, &y, &m, &d);
	sec = (int)(rest / NS_PER_SEC);
	rest %= NS_PER_SEC;
	put2(p, (int)(y / 100));
	put2(p + 2, (int)(y % 100));
	p[4] = p[7] = '-';
	put2(p + 5, m);
	put2(p + 8, d);
	p[10] = 'T';
	put2(p + 11, sec / 3600);
	p[13] = p[16] = ':';
	put2(p + 14, sec / 60 % 60);
	put2(p + 17, sec % 60);
	b->n += 19;
	p += 19;
	if (frac_digits > 0) {
		int64_t unit = NS_PER_SEC / 10;

		*p++ = '.';
		for (int i = 0; i < frac_digits; i++, unit /= 10)
			*p++ = (char)('0' + rest / unit % 10);
		b->n += (size_t)frac_digits + 1;
	}
	*p = 'Z';
	b->n++;
}

/* Three significant digits of value/unit: 2.8, 24, 850. */
static void
put_scaled(struct buf *b, int64_t v, int64_t unit, const char *name)
{
	int64_t tenths = (v * 10 + unit / 2) / unit;

	if (tenths >= 100 || tenths % 10 == 0)
		buf_i64(b, (v + unit / 2) / unit);
	else
		buf_printf(b, "%lld.%lld", (long long)(tenths / 10),
		    (long long)(tenths % 10));
	buf_char(b, ' ');
	buf_cat(b, name);
}

void
when_put_span(struct buf *b, int64_t ns, bool utf8)
{
	int64_t sec;

	/* Limits half a last digit low, so that no 1000 ms or 60 s appear. */
	if (ns < 0) {
		buf_char(b, '-');
		ns = ns == INT64_MIN ? INT64_MAX : -ns;
	}
	if (ns == 0)
		buf_cat(b, "0 s");
	else if (ns < NS_PER_MS - NS_PER_MS / 2000)
		put_scaled(b, ns, 1000, utf8 ? "µs" : "us");
	else if (ns < NS_PER_SEC - NS_PER_MS / 2)
		put_scaled(b, ns, NS_PER_MS, "ms");
	else if (ns < NS_PER_MIN - NS_PER_SEC / 2)
		put_scaled(b, ns, NS_PER_SEC, "s");
	else {
		sec = ns / NS_PER_SEC + (ns % NS_PER_SEC >= NS_PER_SEC / 2);
		if (sec < 3600)
			buf_printf(b, "%lld m %lld s", (long long)(sec / 60),
			    (long long)(sec % 60));
		else if (sec < 86400)
			buf_printf(b, "%lld h %lld m", (long long)(sec / 3600),
			    (long long)(sec / 60 % 60));
		else
			buf_printf(b, "%lld d %lld h", (long long)(sec / 86400),
			    (long long)(sec / 3600 % 24));
	}
}
