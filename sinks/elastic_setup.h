/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server is told what our documents are, once, before they come: the index
 * template of sinks/elastic_template.h, in the best form that it takes.  Doing
 * it again changes nothing.
 */
#ifndef SINKS_ELASTIC_SETUP_H
#define SINKS_ELASTIC_SETUP_H

#include "core/buf.h"
#include "core/err.h"
#include "sinks/elastic.h"
#include "sinks/elastic_template.h"

/* The forms, the best first; all of them may be tried. */
enum { TEMPLATE_FORMS = 4 };
extern const struct template_form template_forms[TEMPLATE_FORMS];

enum setup_what { SETUP_PUT, SETUP_REMOVE };

/* Appends what was done, a sentence.  -1 with err. */
int elastic_setup(const struct elastic_options *options, enum setup_what what,
    struct buf *words, struct err *err);

#endif
