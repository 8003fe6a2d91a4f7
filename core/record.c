/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of methods and record kinds: one table each.
 */
#include "core/record.h"

static const char *const methods[METHODS] = {
	[METHOD_NONE] = "-",
	[METHOD_GET] = "GET",
	[METHOD_HEAD] = "HEAD",
	[METHOD_POST] = "POST",
	[METHOD_PUT] = "PUT",
	[METHOD_DELETE] = "DELETE",
	[METHOD_PATCH] = "PATCH",
	[METHOD_OPTIONS] = "OPTIONS",
	[METHOD_OTHER] = "OTHER",
};

static const char *const kinds[RECORD_KINDS] = {
	[RECORD_LOG] = "log",
	[RECORD_REQUEST] = "request",
	[RECORD_SEGMENT] = "segment",
};

enum method
method_of(struct str name)
{
	if (name.n == 0 || str_eq(name, STR("-")))
		return METHOD_NONE;
	for (int m = METHOD_GET; m < METHOD_OTHER; m++)
		if (str_eq(name, str_of(methods[m])))
			return (enum method)m;
	return METHOD_OTHER;
}

const char *
method_name(enum method m)
{
	return methods[m];
}

const char *
record_kind_name(enum record_kind k)
{
	return kinds[k];
}
