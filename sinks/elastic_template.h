/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index template of our documents, made from the table of their fields
 * (documents_fields): what is not in it is kept and not indexed, so that no
 * document is refused for a field, and no index gets fields without end.
 *
 * By what a server can, not by its version alone: a type that it does not have
 * is replaced by the one that comes nearest.
 */
#ifndef SINKS_ELASTIC_TEMPLATE_H
#define SINKS_ELASTIC_TEMPLATE_H

#include <stdbool.h>

#include "core/buf.h"

struct template_form {
	bool legacy;   /* _template, as before 7.8 */
	bool typed;    /* mappings below a type, as before 7 */
	bool wildcard; /* that type is there */
};

/* "_index_template/telltale", or the legacy one's. */
const char *elastic_template_path(const struct template_form *f);

/* Its body, which is the same for the same form and release. */
void elastic_template(struct buf *out, const struct template_form *f);

#endif
