/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick for segments: the bare loop that nobody can do without who
 * reads JSON with yyjson.  A line is parsed in place with a pool of memory
 * that is used again; nine fields and the subsegments' names are read, and
 * added up so that none of it is optimised away.
 *
 *	yyjson_loop FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

enum { BLOCK = 1 << 20, POOL = 1 << 20 };

static size_t sum;

static yyjson_val *
get(yyjson_val *v, const char *name)
{
	return yyjson_obj_get(v, name);
}

static void
take(yyjson_val *v)
{
	sum += yyjson_get_len(v);
	sum += (size_t)(yyjson_get_num(v) * 1e3);
}

static void
fields(yyjson_val *root)
{
	yyjson_val *http = get(root, "http");
	yyjson_val *request = get(http, "request");
	yyjson_val *sub;
	size_t i;
	size_t n;

	take(get(root, "id"));
	take(get(root, "trace_id"));
	take(get(root, "parent_id"));
	take(get(root, "name"));
	take(get(root, "start_time"));
	take(get(root, "end_time"));
	take(get(request, "method"));
	take(get(request, "url"));
	take(get(get(http, "response"), "status"));
	yyjson_arr_foreach(get(root, "subsegments"), i, n, sub)
	{
		take(get(sub, "name"));
	}
}

static size_t
line(char *p, size_t n, void *pool)
{
	yyjson_alc alc;
	yyjson_doc *doc;

	yyjson_alc_pool_init(&alc, pool, POOL);
	doc = yyjson_read_opts(p, n, YYJSON_READ_INSITU, &alc, NULL);
	if (!doc)
		return 0;
	fields(yyjson_doc_get_root(doc));
	return 1;
}

int
main(int argc, char **argv)
{
	char *p = malloc(2 * BLOCK + YYJSON_PADDING_SIZE);
	void *pool = malloc(POOL);
	FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
	size_t records = 0;
	size_t have = 0;
	size_t got;

	if (!f || !p || !pool)
		return 2;
	for (got = fread(p, 1, BLOCK, f); got > 0;
	     got = fread(p + have, 1, BLOCK, f)) {
		char *at = p;
		char *end = p + have + got;
		char *nl;

		for (nl = memchr(at, '\n', have + got); nl;
		     nl = memchr(at, '\n', (size_t)(end - at))) {
			memset(nl, 0, 1);
			records += line(at, (size_t)(nl - at), pool);
			at = nl + 1;
		}
		have = (size_t)(end - at);
		if (have > BLOCK)
			return 1;
		memmove(p, at, have);
	}
	printf("%zu records, %zu\n", records, sum);
	fclose(f);
	free(pool);
	free(p);
	return 0;
}
