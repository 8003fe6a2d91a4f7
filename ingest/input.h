/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to read: the paths of the command line, walked.
 *
 * Directories are walked, and the list is sorted bytewise by full path.  What
 * a link leads to inside the tree that was named is found under its own name;
 * a link out of the tree is an INPUT_SKIPPED entry.  A directory met twice
 * (device, inode) is entered once.  A file named twice, by hard links too, is
 * read once, under its first name.  Hidden files (".x") are read like others;
 * what is neither file nor directory nor FIFO is an error of that input, not
 * of the run; so is a FIFO that was met in a directory, not named.  At most 64
 * directories deep, a million files.
 *
 * A CloudWatch export task leaves <prefix>/<task uuid>/<stream>/NNNNNN.gz;
 * from such a path come prefix, task and stream.  "aws-logs-write-test" is
 * recognised and left out.
 */
#ifndef INGEST_INPUT_H
#define INGEST_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum input_state {
	INPUT_READ,    /* to be read */
	INPUT_SKIPPED, /* recognised and left out: `why` says what it is */
	INPUT_FAILED,  /* cannot be opened: `why` says it */
};

struct input {
	char *path;     /* as given, or below what was given; "-": stdin */
	uint64_t size;  /* bytes on disk when it was found; 0 for stdin */
	uint64_t inode; /* then; 0: not known */
	enum input_state state;
	char *why;         /* NULL, or a sentence */
	int spool;         /* a copy on disk of what can be read only once;
			      0: none */
	struct str group;  /* from the path: the export's prefix; views into */
	struct str task;   /* path, empty when it is no export */
	uint64_t content;  /* hash, where there is no stream; 0: not known */
	struct str stream; /* as in the key: '/' became '-' */
};

struct inputs {
	struct input *v;
	size_t n;
	size_t cap;
};

/*
 * Fills `in` from the paths, sorted bytewise with "-" first.  A path that does
 * not exist becomes an INPUT_FAILED entry.  -1 only when there is none at all,
 * or more than a million; `in` is then empty.
 */
int inputs_collect(struct inputs *in, char *const *paths, size_t n,
    struct err *err);
/*
 * Copies what can be read only once, stdin and FIFOs, into unlinked files in
 * $TMPDIR, so that every input can be read again.  Ends early when *stop is
 * set.  -1: no room.
 */
int inputs_spool(struct inputs *in, const _Atomic bool *stop, struct err *err);
void inputs_fini(struct inputs *in);

#endif
