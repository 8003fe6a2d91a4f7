/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program is called when nothing says it: the readable part of its log
 * group, log stream or file path.  The rules are a table in names.c, each row
 * with its cases in the unit test.  Pure functions of their arguments.
 */
#ifndef ANALYZERS_NAMES_H
#define ANALYZERS_NAMES_H

#include "core/buf.h"
#include "core/str.h"

/*
 * Appends the name; any of the three may be empty, and `stream` may already be
 * a stem.  Never appends nothing: "unknown" is the last resort.  A name that
 * came out, given as the path, comes out again.
 */
void name_readable(struct buf *out, struct str group, struct str stream,
    struct str path);

/*
 * Appends the stream without the id of its task, container, pod, instance or
 * day: all streams of a group with one stem are one program's.  May append
 * nothing: the stream was nothing but an id.
 */
void name_stem(struct buf *out, struct str stream);

#endif
