/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: every day of eight centuries against a counter, and the edges of each
 * written form.
 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "core/when.h"

#define S NS_PER_SEC
#define ROWS(rows) (sizeof rows / sizeof *rows)

struct row {
	const char *text;
	bool ok;
	int64_t want;
	const char *rest;
};

static void
check_cursor(bool (*parse)(struct str *, int64_t *), const struct row *rows,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str text = str_of(rows[i].text);
		struct str rest = text;
		int64_t ns = 0;

		cr_assert_eq(parse(&rest, &ns), rows[i].ok, "'%s'",
		    rows[i].text);
		if (!rows[i].ok) {
			cr_assert(rest.p == text.p && rest.n == text.n,
			    "'%s' moved the cursor", rows[i].text);
			continue;
		}
		cr_assert_eq(ns, rows[i].want, "'%s': %" PRId64, rows[i].text,
		    ns);
		cr_assert(str_eq(rest, str_of(rows[i].rest)), "'%s': '%.*s'",
		    rows[i].text, STR_ARG(rest));
	}
}

static void
check_whole(bool (*parse)(struct str, int64_t *), const struct row *rows,
    size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int64_t ns = 0;

		cr_assert_eq(parse(str_of(rows[i].text), &ns), rows[i].ok,
		    "'%s'", rows[i].text);
		cr_assert(!rows[i].ok || ns == rows[i].want, "'%s': %" PRId64,
		    rows[i].text, ns);
	}
}

Test(when, a_range_is_cut_by_the_later_of_two_begins)
{
	static const struct {
		const char *name;
		int64_t since, latest, span, begin;
	} rows[] = {
		{ "no span", 5, 100, 0, 5 },
		{ "no time", 5, WHEN_NONE, 10, 5 },
		{ "the span alone", WHEN_NONE, 100, 10, 91 },
		{ "the span is later", 5, 100, 10, 91 },
		{ "the span is earlier", 95, 100, 10, 95 },
		{ "before all time", WHEN_NONE, INT64_MIN + 5, 10, WHEN_NONE },
		{ "all time", WHEN_NONE, INT64_MIN + 10, 10, INT64_MIN + 1 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		cr_expect_eq(
		    when_last(rows[i].since, rows[i].latest, rows[i].span),
		    rows[i].begin, "%s", rows[i].name);
}

Test(when, days_count_up_through_every_month_of_the_range)
{
	static const int length[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	int64_t want = 0;
	int64_t days;

	cr_assert(when_days(1678, 1, 1, &want));
	for (int y = 1678; y < 2262; y++) {
		bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

		for (int m = 1; m <= 12; m++) {
			int n = length[m - 1] + (m == 2 && leap);

			for (int d = 1; d <= n; d++, want++) {
				cr_assert(when_days(y, m, d, &days));
				cr_assert_eq(days, want, "%d-%d-%d", y, m, d);
			}
			cr_assert_not(when_days(y, m, n + 1, &days));
		}
	}
	cr_assert(when_days(1970, 1, 1, &days));
	cr_assert_eq(days, 0);
	cr_assert(when_days(2000, 3, 1, &days));
	cr_assert_eq(days, 11017);
}

Test(when, days_that_do_not_exist_or_do_not_fit_are_refused)
{
	static const struct {
		int y, m, d;
	} rows[] = {
		{ 2019, 2, 29 },
		{ 1900, 2, 29 },
		{ 2100, 2, 29 },
		{ 2018, 0, 1 },
		{ 2018, 13, 1 },
		{ 2018, 1, 0 },
		{ 2018, 1, 32 },
		{ 2018, 4, 31 },
		{ 2018, -1, -1 },
		{ 0, 1, 1 },
		{ 1677, 1, 1 },
		{ 2263, 1, 1 },
		{ 9999, 12, 31 },
		{ INT32_MAX, 1, 1 },
		{ INT32_MIN, 1, 1 },
	};
	int64_t days;

	for (size_t i = 0; i < ROWS(rows); i++)
		cr_assert_not(when_days(rows[i].y, rows[i].m, rows[i].d, &days),
		    "%d-%d-%d", rows[i].y, rows[i].m, rows[i].d);
	cr_assert(when_days(2000, 2, 29, &days));
	cr_assert(when_days(2016, 2, 29, &days));
}

Test(when, iso_with_fractions_zones_and_leap_seconds)
{
	static const struct row rows[] = {
		{ "1970-01-01T00:00:00Z", true, 0, "" },
		{ "2018-11-27T08:47:55", true, 1543308475 * S, "" },
		{ "2018-11-27 08:47:55,123 x", true, 1543308475 * S + 123000000,
		    " x" },
		{ "2018-11-27t08:47:55.5z", true, 1543308475 * S + 500000000,
		    "" },
		{ "2018-11-27T08:47:55.123456789999Z", true,
		    1543308475 * S + 123456789, "" },
		{ "2018-11-27T08:47:55.", true, 1543308475 * S, "." },
		{ "2018-11-27T08:47:55+05:30", true, 1543288675 * S, "" },
		{ "2018-11-27T08:47:55-0800", true, 1543337275 * S, "" },
		{ "2018-11-27T08:47:55+01", true, 1543304875 * S, "" },
		{ "2016-12-31T23:59:60Z", true, 1483228800 * S, "" },
		{ "2016-02-29T00:00:00Z", true, 1456704000 * S, "" },
		{ "1969-12-31T23:59:59.5Z", true, -S / 2, "" },
		{ "2015-02-29T00:00:00Z", false, 0, "" },
		{ "0000-01-01T00:00:00Z", false, 0, "" },
		{ "9999-12-31T23:59:59Z", false, 0, "" },
		{ "2018-11-27T24:00:00Z", false, 0, "" },
		{ "2018-11-27T08:60:00Z", false, 0, "" },
		{ "2018-11-27T08:47:61Z", false, 0, "" },
		{ "2018-11-27T08:47:55+19:00", false, 0, "" },
		{ "2018-11-27T08:47:55+05:60", false, 0, "" },
		{ "2018-11-27T08:47:55+5", false, 0, "" },
		{ "2018-11-27T08:47", false, 0, "" },
		{ "2018-11-27", false, 0, "" },
		{ "2018-1-27T08:47:55Z", false, 0, "" },
		{ "-018-11-27T08:47:55Z", false, 0, "" },
		{ "", false, 0, "" },
	};

	check_cursor(when_iso, rows, ROWS(rows));
}

Test(when, the_ends_of_the_range_do_not_wrap)
{
	static const struct row rows[] = {
		{ "2262-04-09T23:59:60.999999999-18:59", true,
		    INT64_C(9223268340999999999), "" },
		{ "2262-04-12T00:00:00Z", false, 0, "" },
		{ "1677-09-20T00:00:00Z", false, 0, "" },
	};
	struct str rest = STR("1677-09-24T00:00:00+18:59");
	int64_t ns = 0;

	check_cursor(when_iso, rows, ROWS(rows));
	cr_assert(when_iso(&rest, &ns));
	cr_assert_lt(ns, 0);
}

Test(when, clf_of_nginx_and_of_uwsgi)
{
	static const struct row rows[] = {
		{ "21/Nov/2018:02:50:46 +0000] x", true, 1542768646 * S,
		    "] x" },
		{ "21/Nov/2018 02:50:46] x", true, 1542768646 * S, "] x" },
		{ "21/Nov/2018:02:50:46 -0500", true, 1542786646 * S, "" },
		{ "29/Feb/2016:23:59:60 +0000", true, 1456790400 * S, "" },
		{ "29/Feb/2018:00:00:00 +0000", false, 0, "" },
		{ "21/nov/2018:02:50:46", false, 0, "" },
		{ "1/Nov/2018:02:50:46", false, 0, "" },
		{ "21/Nov/18:02:50:46", false, 0, "" },
		{ "21/Nov/2018:02:50", false, 0, "" },
		{ "21/Nov/2018:02:50:46 +9900", false, 0, "" },
		{ "21/Nov", false, 0, "" },
		{ "", false, 0, "" },
	};

	check_cursor(when_clf, rows, ROWS(rows));
}

Test(when, ctime_pads_the_day_with_a_blank)
{
	static const struct row rows[] = {
		{ "Mon Dec 10 08:25:29 2018", true, 1544430329 * S, "" },
		{ "Mon Dec  3 08:25:29 2018] x", true, 1543825529 * S, "] x" },
		{ "Thu Jan  1 00:00:00 1970", true, 0, "" },
		{ "Mon Dec 3 08:25:29 2018", false, 0, "" },
		{ "Mon Dec 10 08:25:29 18", false, 0, "" },
		{ "Mon Dec 10 08:25:29", false, 0, "" },
		{ "Mon", false, 0, "" },
		{ "Mo", false, 0, "" },
		{ "", false, 0, "" },
	};

	check_cursor(when_ctime, rows, ROWS(rows));
}

Test(when, epoch_keeps_every_digit)
{
	static const struct row rows[] = {
		{ "1795244520.2479196", true, 1795244520247919600, NULL },
		{ "1478293361.271", true, 1478293361271000000, NULL },
		{ "1.478293361449E9", true, 1478293361449000000, NULL },
		{ "1.795E+9", true, 1795000000 * S, NULL },
		{ "12345e-3", true, 12345000000, NULL },
		{ "-1.5", true, -1500000000, NULL },
		{ "0", true, 0, NULL },
		{ "0e999", true, 0, NULL },
		{ "0.0000000009", true, 0, NULL },
		{ "0.00000000000000000000000000000009e31", true, 900000000,
		    NULL },
		{ "1.00000000000000000000000000000000000001", true, S, NULL },
		{ "9223372036.854775807", true, INT64_MAX, NULL },
		{ "9223372036.854775808", false, 0, NULL },
		{ "-9223372036.854775807", true, -INT64_MAX, NULL },
		{ "-9223372036.854775808", false, 0, NULL },
		{ "99999999999999999999", false, 0, NULL },
		{ "1e10", false, 0, NULL },
		{ "1e1001", false, 0, NULL },
		{ "1e99999999999999999999", false, 0, NULL },
		{ "1e", false, 0, NULL },
		{ "1e-", false, 0, NULL },
		{ "1.", false, 0, NULL },
		{ ".5", false, 0, NULL },
		{ "1.2.3", false, 0, NULL },
		{ "1 ", false, 0, NULL },
		{ "+1", false, 0, NULL },
		{ "-", false, 0, NULL },
		{ "NaN", false, 0, NULL },
		{ "", false, 0, NULL },
	};

	check_whole(when_epoch, rows, ROWS(rows));
}

Test(when, epoch_ms_is_a_thousandth)
{
	static const struct row rows[] = {
		{ "1543308475123", true, 1543308475123000000, NULL },
		{ "1543308475123.5", true, 1543308475123500000, NULL },
		{ "9223372036854", true, 9223372036854000000, NULL },
		{ "9223372036855", false, 0, NULL },
		{ "18446744073709551616", false, 0, NULL },
	};

	check_whole(when_epoch_ms, rows, ROWS(rows));
}

Test(when, a_user_writes_what_he_likes)
{
	static const struct row rows[] = {
		{ "2018-11-27", true, 1543276800 * S, NULL },
		{ " 2018-11-27T08:47:55Z\n", true, 1543308475 * S, NULL },
		{ "2018-11-27 08:47:55", true, 1543308475 * S, NULL },
		{ "1543308475", true, 1543308475 * S, NULL },
		{ "1543308475.25", true, 1543308475 * S + S / 4, NULL },
		{ "1543308475123", true, 1543308475123000000, NULL },
		{ "2018-11-31", false, 0, NULL },
		{ "2018-11-27T08:47:55Z and more", false, 0, NULL },
		{ "2018-11-27x", false, 0, NULL },
		{ "yesterday", false, 0, NULL },
		{ " ", false, 0, NULL },
		{ "", false, 0, NULL },
	};

	check_whole(when_user, rows, ROWS(rows));
}

Test(when, spans_add_up_and_do_not_overflow)
{
	static const struct row rows[] = {
		{ "90s", true, 90 * S, NULL },
		{ "1h30m", true, 5400 * S, NULL },
		{ "1w2d3h4m5s", true, 788645 * S, NULL },
		{ "0s", true, 0, NULL },
		{ "9223372036s", true, 9223372036 * S, NULL },
		{ "9223372037s", false, 0, NULL },
		{ "9223372036s1s", false, 0, NULL },
		{ "18446744073709551615w", false, 0, NULL },
		{ "18446744073709551616s", false, 0, NULL },
		{ "90", false, 0, NULL },
		{ "s", false, 0, NULL },
		{ "1h30", false, 0, NULL },
		{ "-1s", false, 0, NULL },
		{ "1 h", false, 0, NULL },
		{ "1.5h", false, 0, NULL },
		{ "1y", false, 0, NULL },
		{ "", false, 0, NULL },
	};

	check_whole(when_span, rows, ROWS(rows));
}

static void
check_text(struct buf *b, const char *want)
{
	cr_assert(str_eq(buf_view(b), str_of(want)), "'%.*s', not '%s'",
	    STR_ARG(buf_view(b)), want);
	buf_fini(b);
}

Test(when, puts_and_cuts_the_fraction)
{
	static const struct {
		int64_t ns;
		int digits;
		const char *want;
	} rows[] = {
		{ 0, 0, "1970-01-01T00:00:00Z" },
		{ 1543308475123999999, 3, "2018-11-27T08:47:55.123Z" },
		{ 1543308475123999999, 6, "2018-11-27T08:47:55.123999Z" },
		{ 1543308475123999999, 9, "2018-11-27T08:47:55.123999999Z" },
		{ -1, 9, "1969-12-31T23:59:59.999999999Z" },
		{ -1, 0, "1969-12-31T23:59:59Z" },
		{ 951782400 * S, 0, "2000-02-29T00:00:00Z" },
		{ INT64_MAX, 9, "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, 9, "1677-09-21T00:12:43.145224192Z" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf b = { 0 };

		when_put(&b, rows[i].ns, rows[i].digits);
		check_text(&b, rows[i].want);
	}
}

Test(when, puts_what_it_parses)
{
	uint64_t x = 88172645463325252;

	for (int i = 0; i < 100000; i++) {
		struct buf b = { 0 };
		struct str rest;
		int64_t ns;
		int64_t again;

		/* xorshift64 (Marsaglia 2003) */
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ns = (int64_t)(x % UINT64_C(9223000000000000000));
		ns = i % 2 ? ns : -ns;
		when_put(&b, ns, 9);
		rest = buf_view(&b);
		cr_assert(when_iso(&rest, &again), "%" PRId64, ns);
		cr_assert_eq(again, ns);
		cr_assert_eq(rest.n, 0);
		buf_fini(&b);
	}
}

Test(when, spans_for_people_never_say_60_seconds)
{
	static const struct {
		int64_t ns;
		const char *want;
	} rows[] = {
		{ 0, "0 s" },
		{ 850000, "850 us" },
		{ 1500, "1.5 us" },
		{ 999499, "999 us" },
		{ 999500, "1 ms" },
		{ 24000000, "24 ms" },
		{ 2840000, "2.8 ms" },
		{ 999499999, "999 ms" },
		{ 999500000, "1 s" },
		{ 2840000000, "2.8 s" },
		{ 9960000000, "10 s" },
		{ 59499999999, "59 s" },
		{ 59500000000, "1 m 0 s" },
		{ 200 * S, "3 m 20 s" },
		{ 3599 * S + S / 2, "1 h 0 m" },
		{ 7260 * S, "2 h 1 m" },
		{ 90000 * S, "1 d 1 h" },
		{ -2840000000, "-2.8 s" },
		{ INT64_MAX, "106751 d 23 h" },
		{ INT64_MIN, "-106751 d 23 h" },
	};
	struct buf b = { 0 };

	for (size_t i = 0; i < ROWS(rows); i++) {
		when_put_span(&b, rows[i].ns, false);
		check_text(&b, rows[i].want);
	}
	when_put_span(&b, 850000, true);
	check_text(&b, "850 µs");
}
