/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: ids by their shape and by their fan-out, the same routes whatever the
 * order of the paths, and bounds that hostile paths do not break.
 */
#include "analyzers/routes.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/when.h"
#include "judge_help.h"

/* What a path became, in a tree that was given nothing else. */
static const struct {
	const char *name, *path, *route;
} shapes[] = {
	{ "literal", "/mysfits", "/mysfits" },
	{ "root", "/", "/" },
	{ "nothing", "", "other" },
	{ "star", "*", "other" },
	{ "no slash", "mysfits/1", "other" },
	{ "digits", "/order/42", "/order/{id}" },
	{ "date", "/logs/2018-11-27/all", "/logs/{id}/all" },
	{ "year, month", "/2018/11", "/{id}/{id}" },
	{ "hyphens only", "/a/--", "/a/--" },
	{ "hyphen first", "/a/-1", "/a/-1" },
	{ "version", "/v1/api", "/v1/api" },
	{ "dotted version", "/2.0/api", "/2.0/api" },
	{ "uuid", "/mysfits/0e37d916-f960-4772-a25a-01b762b5c1bd/like",
	    "/mysfits/{id}/like" },
	{ "uuid, upper case", "/m/0E37D916-F960-4772-A25A-01B762B5C1BD",
	    "/m/{id}" },
	{ "uuid cut short", "/mysfits/0e37d916-f960-4772-a25a-01b762b5c1b/like",
	    "/mysfits/{id}/like" },
	{ "uuid without a digit", "/m/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
	    "/m/{id}" },
	{ "hex", "/c/5f3a91bc", "/c/{id}" },
	{ "hex, short", "/c/5f3a91b", "/c/5f3a91b" },
	{ "hex without a digit", "/c/deadbeef", "/c/deadbeef" },
	{ "task id", "/t/36a6e70892a1488f94f79161710aadf3/x", "/t/{id}/x" },
	{ "mixed case", "/v/dQw4w9WgXcQ_4fT1", "/v/{id}" },
	{ "mixed, too short", "/v/dQw4w9WgXcQ", "/v/dQw4w9WgXcQ" },
	{ "ulid", "/v/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/v/{id}" },
	{ "slug", "/blog/my-2nd-article-on-logs",
	    "/blog/my-2nd-article-on-logs" },
	{ "address", "/users/ann@example.com", "/users/{id}" },
	{ "scope", "/npm/@babel/core", "/npm/@babel/core" },
	{ "undefined", "/mysfits/undefined/like", "/mysfits/undefined/like" },
	{ "null", "/mysfits/null/like", "/mysfits/null/like" },
	{ "case matters", "/Mysfits", "/Mysfits" },
	{ "slash at the end", "/order/", "/order/" },
	{ "two slashes", "//order", "//order" },
	{ "escapes stay", "/a%2Fb/%C3%A4", "/a%2Fb/%C3%A4" },
	{ "matrix parameter", "/shop;jsessionid=A1/cart;v=2", "/shop/cart" },
	{ "matrix on an id", "/shop/42;v=2", "/shop/{id}" },
	{ "matrix alone", "/;a=1", "/" },
	{ "any bytes", "/\x01\xff\x1b[31m", "/\x01\xff\x1b[31m" },
	{ "template", "/a/{id}", "/a/{id}" },
	{ "false rest", "/a/{rest}", "/a/{id}" },
	{ "64 bytes",
	    "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	    "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x" },
	{ "65 bytes",
	    "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "x",
	    "/{id}" },
	{ "16 deep", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p",
	    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p" },
	{ "17 deep", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q",
	    "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/{rest}" },
};

/* When all of them are asked for, unless it matters. */
enum { AT = 5 };

static struct str
route_of(struct routes *r, struct str path)
{
	return routes_text(r, routes_find(r, path));
}

Test(routes, knows_ids_by_their_shape)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct routes *r = routes_new();
		uint32_t number = routes_add(r, str_of(shapes[i].path), AT);
		struct str text = routes_text(r, routes_final(r, number));

		cr_expect(str_eq(text, str_of(shapes[i].route)), "%s: %.*s",
		    shapes[i].name, STR_ARG(text));
		cr_expect(str_eq(route_of(r, str_of(shapes[i].path)), text),
		    "%s: found elsewhere", shapes[i].name);
		routes_free(r);
	}
}

static uint32_t
add_f(struct routes *r, const char *fmt, unsigned a, unsigned b)
{
	struct buf path = { 0 };
	uint32_t number;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_printf(&path, fmt, a, b);
#pragma GCC diagnostic pop
	number = routes_add(r, buf_view(&path), AT);
	buf_fini(&path);
	return number;
}

Test(routes, collapses_a_place_beyond_its_fan_out)
{
	struct routes *r = routes_new();
	uint32_t first = add_f(r, "/tags/t%x_/posts", 0, 0);
	uint32_t word = routes_add(r, STR("/tags/undefined/posts"), AT);
	uint32_t other = routes_add(r, STR("/tags"), AT);

	for (unsigned i = 1; i < ROUTE_FANOUT; i++)
		add_f(r, "/tags/t%x_/posts", i, 0);
	cr_expect(str_eq(routes_text(r, routes_final(r, first)),
	    STR("/tags/t0_/posts")));
	add_f(r, "/tags/t%x_/posts", ROUTE_FANOUT, 0);
	cr_expect(str_eq(routes_text(r, routes_final(r, first)),
	    STR("/tags/{id}/posts")));
	cr_expect(str_eq(routes_text(r, routes_final(r, word)),
	    STR("/tags/undefined/posts")));
	cr_expect(str_eq(routes_text(r, routes_final(r, other)), STR("/tags")));
	cr_expect(str_eq(route_of(r, STR("/tags/never/posts")),
	    STR("/tags/{id}/posts")));
	cr_expect_eq(routes_find(r, STR("/tags/never/seen")), ROUTE_OTHER);
	routes_free(r);
}

Test(routes, scan_of_the_root_leaves_deeper_routes_alone)
{
	struct routes *r = routes_new();
	uint32_t like = routes_add(r, STR("/mysfits/42/like"), AT);

	for (unsigned i = 0; i < 300; i++)
		add_f(r, "/x%x_.php", i, 0);
	cr_expect(str_eq(routes_text(r, routes_final(r, like)),
	    STR("/mysfits/{id}/like")));
	cr_expect(str_eq(route_of(r, STR("/x1_.php")), STR("/{id}")));
	routes_free(r);
}

/* A random path of a site with wide and narrow places. */
static void
random_path(struct buf *b, uint64_t *seed, unsigned width)
{
	unsigned depth = 1 + (unsigned)(random_next(seed) % 4);

	buf_reset(b);
	for (unsigned d = 0; d < depth; d++) {
		uint64_t kind = random_next(seed) % 8;

		buf_char(b, '/');
		if (kind == 0)
			buf_u64(b, random_next(seed) % 1000);
		else if (kind == 1)
			buf_cat(b, random_next(seed) % 2 ? "undefined" : "");
		else if (kind == 2)
			buf_printf(b, "w%u_",
			    (unsigned)(random_next(seed) % width));
		else
			buf_printf(b, "s%u_",
			    (unsigned)(random_next(seed) % 4));
	}
}

enum { PATHS = 3000 };

static void
shuffle(uint32_t *v, size_t n, uint64_t *seed)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_next(seed) % i;
		uint32_t t = v[i - 1];

		v[i - 1] = v[k];
		v[k] = t;
	}
}

/* Adds the paths in an order, dealt out to trees that are then merged. */
static struct routes *
build(struct buf *paths, const uint32_t *order, size_t parts, uint32_t *numbers)
{
	struct routes *trees[4];

	for (size_t p = 0; p < parts; p++)
		trees[p] = routes_new();
	for (size_t i = 0; i < PATHS; i++)
		numbers[order[i]] = routes_add(trees[order[i] % parts],
		    buf_view(&paths[order[i]]), (int64_t)order[i] % 7);
	for (size_t p = 1; p < parts; p++) {
		uint32_t *map = xcalloc(routes_count(trees[p]), sizeof(*map));

		routes_merge(trees[0], trees[p], map);
		for (size_t i = p; i < PATHS; i += parts)
			numbers[i] = map[numbers[i]];
		free(map);
		routes_free(trees[p]);
	}
	return trees[0];
}

Test(routes, depend_on_the_set_of_paths_only)
{
	static const unsigned widths[] = { 10, 45, 60, 200, 2000 };
	struct buf paths[PATHS] = { 0 };
	uint32_t order[PATHS], numbers[PATHS], plain[PATHS];

	for (size_t w = 0; w < 5; w++) {
		uint64_t seed = 42 + w;

		for (size_t i = 0; i < PATHS; i++) {
			random_path(&paths[i], &seed, widths[w]);
			order[i] = (uint32_t)i;
		}

		struct routes *first = build(paths, order, 1, plain);

		for (size_t round = 0; round < 12; round++) {
			shuffle(order, PATHS, &seed);

			struct routes *r =
			    build(paths, order, 1 + round % 4, numbers);

			for (size_t i = 0; i < PATHS; i++) {
				uint32_t final = routes_final(r, numbers[i]);
				struct str a = routes_text(r, final);
				struct str b = routes_text(first,
				    routes_final(first, plain[i]));

				cr_assert(str_eq(a, b), "%.*s: %.*s, %.*s",
				    STR_ARG(buf_view(&paths[i])), STR_ARG(a),
				    STR_ARG(b));
				cr_assert_eq(
				    routes_find(r, buf_view(&paths[i])), final);
			}
			routes_free(r);
		}
		routes_free(first);
	}
	for (size_t i = 0; i < PATHS; i++)
		buf_fini(&paths[i]);
}

/* Equal numbers and equal texts are one thing. */
Test(routes, final_numbers_have_different_texts)
{
	struct routes *r = routes_new();
	struct buf path = { 0 };
	uint64_t seed = 7;

	for (int i = 0; i < 5000; i++) {
		random_path(&path, &seed, 70);
		routes_add(r, buf_view(&path), AT);
	}
	for (uint32_t a = 1; a < routes_count(r); a++) {
		if (routes_final(r, a) != a)
			continue;
		for (uint32_t b = a + 1; b < routes_count(r); b++)
			if (routes_final(r, b) == b)
				cr_assert_not(str_eq(routes_text(r, a),
				    routes_text(r, b)));
	}
	buf_fini(&path);
	routes_free(r);
}

/* Known first, however late it is read and whatever comes after it. */
Test(routes, keep_those_that_were_asked_for_first)
{
	struct routes *trees[2] = { routes_new(), routes_new() };
	uint32_t map[4000];
	unsigned kept = 0;

	for (unsigned a = 0; a < 45; a++)
		for (unsigned b = 0; b < 45; b++)
			add_f(trees[a % 2], "/a%u_/b%u_", a, b);
	for (unsigned a = 0; a < 30; a++)
		for (unsigned b = 0; b < 30; b++) {
			struct buf path = { 0 };

			buf_printf(&path, "/old/c%u_/d%u_", a, b);
			routes_add(trees[b % 2], buf_view(&path), WHEN_NONE);
			routes_add(trees[a % 2], buf_view(&path), AT - 1);
			routes_add(trees[b % 2], buf_view(&path), AT + 1);
			buf_fini(&path);
		}
	routes_merge(trees[0], trees[1], map);
	for (uint32_t i = 1; i < routes_count(trees[0]); i++) {
		struct str text;

		if (routes_final(trees[0], i) != i)
			continue;
		text = routes_text(trees[0], i);
		kept += str_starts(text, STR("/old"));
	}
	cr_expect_eq(kept, 900);
	routes_free(trees[0]);
	routes_free(trees[1]);
}

Test(routes, keep_a_thousand_by_hash)
{
	struct routes *r = routes_new();
	unsigned kept = 0;

	for (unsigned a = 0; a < 40; a++)
		for (unsigned b = 0; b < 40; b++)
			add_f(r, "/a%u_/b%u_", a, b);
	for (uint32_t i = 1; i < routes_count(r); i++)
		kept += routes_final(r, i) == i;
	cr_expect_eq(kept, ROUTES_MAX);
	routes_free(r);
}

/* Hostile sets of paths; the heap is measured, not guessed. */
enum hostile { WIDE, DEEP, LONG, PRODUCT, WORDS };

static void
hostile_path(struct buf *b, enum hostile how, uint64_t *seed)
{
	static const char *const words[] = { "", "undefined", "null", "NaN",
		"None" };
	unsigned depth =
	    how == WIDE ? 1 + (unsigned)(random_next(seed) % 3) : 17;

	buf_reset(b);
	for (unsigned d = 0; d < depth; d++) {
		uint64_t v = random_next(seed);

		if (how == WORDS)
			buf_printf(b, "/%s", words[v % 5]);
		else if (how == PRODUCT)
			buf_printf(b, "/p%u_", (unsigned)(v % 49));
		else
			buf_printf(b, "/z%llx_", (unsigned long long)v);
		if (how == LONG)
			while (b->n < (d + 1) * 4000)
				buf_char(b, 'y');
	}
}

Test(routes, hostile_paths_stay_within_four_mebibytes)
{
	static const char *const names[] = { "wide", "deep", "long", "product",
		"words" };

	for (int how = WIDE; how <= WORDS; how++) {
		size_t before = mallinfo2().uordblks;
		struct routes *r = routes_new();
		struct buf path = { 0 };
		uint64_t seed = 99;
		size_t most = 0;
		int n = how == LONG ? 5000 : 98000;

		for (int i = 0; i < n; i++) {
			hostile_path(&path, (enum hostile)how, &seed);
			routes_add(r, buf_view(&path), AT);
			if (i % 64 == 0 && mallinfo2().uordblks > before + most)
				most = mallinfo2().uordblks - before;
		}
		cr_log_info("%s: %zu KiB, %u numbers", names[how], most / 1024,
		    routes_count(r));
		cr_expect_lt(most, (size_t)5 << 20, "%s: %zu", names[how],
		    most);
		buf_fini(&path);
		routes_free(r);
	}
}

Test(routes, collapse_alike_when_the_whole_set_is_too_wide)
{
	struct buf paths[PATHS] = { 0 };
	uint32_t order[PATHS], numbers[PATHS], plain[PATHS];
	uint64_t seed = 5;

	for (size_t i = 0; i < PATHS; i++) {
		hostile_path(&paths[i], PRODUCT, &seed);
		order[i] = (uint32_t)i;
	}

	struct routes *first = build(paths, order, 1, plain);

	for (size_t round = 0; round < 4; round++) {
		shuffle(order, PATHS, &seed);

		struct routes *r = build(paths, order, 1 + round, numbers);

		for (size_t i = 0; i < PATHS; i++)
			cr_assert(str_eq(
			    routes_text(r, routes_final(r, numbers[i])),
			    routes_text(first, routes_final(first, plain[i]))));
		routes_free(r);
	}
	routes_free(first);
	for (size_t i = 0; i < PATHS; i++)
		buf_fini(&paths[i]);
}
