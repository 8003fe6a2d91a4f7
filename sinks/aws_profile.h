/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the AWS command line and its libraries: sections with keys
 * (https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html).
 */
#ifndef SINKS_AWS_PROFILE_H
#define SINKS_AWS_PROFILE_H

#include <stdbool.h>

#include "core/str.h"

/* What a file calls a profile. */
enum aws_file {
	AWS_FILE_CREDENTIALS, /* [name] */
	AWS_FILE_CONFIG,      /* [profile name], or [default] */
};

/*
 * A key of a profile: of several sections of that name, and several such keys,
 * the last that is not empty.  Lines that begin with a blank belong to what is
 * before them, and are skipped; a '#' or ';' begins a comment at a line's
 * beginning or behind a blank.  False: there is none.
 */
bool aws_profile_get(struct str text, enum aws_file file, struct str profile,
    const char *key, struct str *value);

/* Whether there is such a section. */
bool aws_profile_has(struct str text, enum aws_file file, struct str profile);

#endif
