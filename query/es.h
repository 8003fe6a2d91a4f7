/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter expression as a query of Elasticsearch and OpenSearch, for the
 * documents of telltale-traces-*.
 *
 * Fields it reads.  "nested" objects are mapped as such, because one object
 * must satisfy the whole of a block; texts are keyword or wildcard, without
 * ignore_above and without a normalizer; *_ns and coverage (in 1e-9) are long.
 *
 *	telltale.trace.{ok,error,throttle,fault,partial,inferred}   boolean
 *	telltale.trace.response_time   long, ns
 *	event.duration                 long, ns
 *	http.response.status_code      long
 *	url.original http.request.method user_agent.original client.address
 *	values       nested: field (user, availabilityzone, instance.id,
 *	             resource.arn, account.id), text; one object a value
 *	annotations  nested: key, and one of text, number (double), boolean
 *	services     nested, one object for a node and segment:
 *	             name type account client_node root inferred ok error
 *	             throttle fault partial responsetime_ns duration_ns status
 *	             method url agent client user zone instance arn
 *	             annotations (nested, as above)
 *	edges        nested, one object a call: from.name from.type
 *	             from.account from.client to.name to.type to.account
 *	             to.client, and what a service has from ok on
 *	causes       nested: kind (fault, error, responsetime)
 *	             client_impacting services_count
 *	  .services    nested: place first last name type account inferred
 *	               entities_count
 *	  .entities    nested, below services: place first last name remote
 *	               coverage exceptions_count
 *	  .exceptions  nested, below entities: place first last name message
 *
 * Rules, as in query/view.h: an absent or empty text and an absent number are
 * left out (but not the empty text of an annotation); a flag is always there.
 */
#ifndef QUERY_ES_H
#define QUERY_ES_H

#include "core/buf.h"
#include "core/err.h"
#include "query/query.h"

/*
 * Appends the value of "query", one JSON object.  -1 with err, and nothing
 * appended, when it is nested deeper than Elasticsearch takes by default.
 */
int query_es(struct buf *b, const struct query *q, struct err *err);

#endif
