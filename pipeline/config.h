/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: a YAML file with thresholds, the names of services, and
 * how health checks are known.  telltale.yaml(5) is its manual, made from the
 * tables here and from those of the thresholds and the rules.
 *
 *	slow: 1s                        limits and thresholds of every service
 *	thresholds:
 *	  RULE:
 *	    THRESHOLD: VALUE
 *	probes:
 *	  paths: [PATH, ...]
 *	  agents: [PREFIX, ...]
 *	alerts:
 *	  topic: ARN                    and how messages look, and when
 *	services:
 *	  - name: NAME                  a name, or a pattern with * and ?
 *	    from: [GROUP, ...]          logs and segments that get this name
 *	    slow: 300ms                 and its own limits and thresholds
 *	    thresholds: ...
 *	    routes:
 *	      - route: /mysfits/{id}    as the report shows it, or a pattern
 *	        method: POST
 *	        slow: 3s
 *	        thresholds: ...
 *
 * Nothing in it depends on the order of its keys and items: what is more
 * specific holds, by the rules of thresholds.h.  What is not known, given
 * twice, of another kind, in another unit or out of range is an error with
 * file, line and column, which says what was found, what was expected and the
 * nearest word there is.  A key that is left out is the default.
 *
 * Limits: those of ytree.h; 1,024 services, 1,000 routes a service, 4,096
 * thresholds, 8 different values of `slow`.
 *
 * Life: zeroed; config_read once; use; config_fini, also after a failure.  A
 * zeroed one is what no file says.
 */
#ifndef PIPELINE_CONFIG_H
#define PIPELINE_CONFIG_H

#include <stddef.h>

#include "analyzers/thresholds.h"
#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"
#include "pipeline/config_alerts.h"
#include "pipeline/replay.h"
#include "pipeline/ytree.h"

/* Texts of a list, in the order of the file. */
struct config_texts {
	struct str *v;
	size_t n, cap;
};

struct config {
	struct thresholds thresholds;      /* not settled */
	struct config_texts paths, agents; /* of health checks */
	struct service_name *names;        /* the most specific first */
	size_t n_names, cap_names;
	size_t n_services;           /* items of `services` */
	struct config_alerts alerts; /* its defaults, when a file was read */
	struct ytree tree;           /* all texts are views into it */
};

/* -1 with err: "FILE:LINE:COLUMN: words".  `path` is borrowed. */
int config_read(struct config *c, const char *path, struct err *err);
/* The same of text that is there already. */
int config_parse(struct config *c, const char *file, struct str text,
    struct err *err);
void config_fini(struct config *c);

/* The keys, for parser and manual alike; name NULL ends. */
enum config_map {
	CONFIG_FILE,
	CONFIG_PROBES,
	CONFIG_SERVICE,
	CONFIG_ROUTE,
	CONFIG_ALERTS /* its keys are config_alerts_rows */
};
struct config_key {
	enum config_map in;
	const char *name;
	const char *value; /* "SPAN", "[PATH, ...]" */
	const char *help;
};
extern const struct config_key config_keys[];

#endif
