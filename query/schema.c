/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the local store's schema that a filter expression reads.  Child
 * rows go with their trace.  A change here is a new version of the store.
 */
#include "query/sql.h"

/* What a trace's root, a segment and a call have in common. */
#define FLAGS                                                                  \
	"ok INTEGER NOT NULL, error INTEGER NOT NULL,"                         \
	" throttle INTEGER NOT NULL, fault INTEGER NOT NULL,"                  \
	" partial INTEGER NOT NULL,"
#define NUMBERS " responsetime_ns INTEGER, duration_ns INTEGER, status INTEGER,"
#define HTTP " method TEXT, url TEXT, agent TEXT, client TEXT"
#define WHO ", user TEXT, zone TEXT, instance TEXT, arn TEXT"
#define VALUE "key TEXT NOT NULL, text TEXT, number REAL, boolean INTEGER"
#define PLACE                                                                  \
	"place INTEGER NOT NULL, first INTEGER NOT NULL,"                      \
	" last INTEGER NOT NULL, name TEXT,"
#define OF(column, table)                                                      \
	column " INTEGER NOT NULL REFERENCES " table "(n) ON DELETE CASCADE,"

const char query_sql_schema[] =
    "CREATE TABLE traces(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " start_ns INTEGER NOT NULL, " FLAGS
    " inferred INTEGER NOT NULL," NUMBERS HTTP
    /* the store's own: the entry, and where its documents are */
    ", service TEXT, type TEXT, documents INTEGER, bytes INTEGER,"
    " block INTEGER, at INTEGER);\n"
    /* What is asked for most: a trace that does not match is not looked up.
     * There are few methods; see STATISTICS of store/schema.c. */
    "CREATE INDEX traces_start ON traces(method, start_ns, status, ok, error,"
    " throttle, fault, partial, responsetime_ns, duration_ns);\n"

    /* user, availabilityzone, instance.id, resource.arn, account.id */
    "CREATE TABLE trace_values(" OF("trace",
	"traces") " field TEXT NOT NULL, text TEXT NOT NULL,"
		  " PRIMARY KEY(trace, field, text)) WITHOUT ROWID;\n"

		  "CREATE TABLE trace_annotations(" OF("trace", "traces") VALUE
    ");\n"
    "CREATE INDEX trace_annotations_trace ON trace_annotations(trace, key);\n"

    /* n: the trace's, times 2^24, and a running number */
    "CREATE TABLE trace_services(n INTEGER PRIMARY KEY,"
    " name TEXT, type TEXT, account TEXT, client_node INTEGER NOT NULL,"
    " root INTEGER NOT NULL, inferred INTEGER NOT NULL, " FLAGS NUMBERS HTTP WHO
    ");\n"
    "CREATE TABLE service_annotations(" OF("service", "trace_services") VALUE
    ");\n"
    "CREATE INDEX service_annotations_service"
    " ON service_annotations(service, key);\n"

    "CREATE TABLE trace_edges(n INTEGER PRIMARY KEY,"
    " from_name TEXT, from_type TEXT, from_account TEXT,"
    " from_client INTEGER NOT NULL,"
    " to_name TEXT, to_type TEXT, to_account TEXT,"
    " to_client INTEGER NOT NULL, " FLAGS NUMBERS HTTP WHO ");\n"
    "CREATE TABLE edge_annotations(" OF("edge", "trace_edges") VALUE
    ");\n"
    "CREATE INDEX edge_annotations_edge ON edge_annotations(edge, key);\n"

    /* kind: fault, error, responsetime; services, entities and exceptions
     * are how many rows the next table has of it */
    "CREATE TABLE trace_causes(n INTEGER PRIMARY KEY," OF("trace",
	"traces") " kind TEXT NOT NULL, client_impacting INTEGER NOT NULL,"
		  " services INTEGER NOT NULL);\n"
		  "CREATE INDEX trace_causes_trace ON trace_causes(trace, "
		  "kind);\n"
		  "CREATE TABLE cause_services(n INTEGER PRIMARY KEY," OF(
		      "cause", "trace_causes") PLACE
    " type TEXT, account TEXT, inferred INTEGER NOT NULL,"
    " entities INTEGER NOT NULL);\n"
    "CREATE INDEX cause_services_cause ON cause_services(cause, place);\n"
    "CREATE TABLE cause_entities(n INTEGER PRIMARY KEY," OF("service",
	"cause_services") PLACE
    " remote INTEGER NOT NULL, coverage INTEGER,"
    " exceptions INTEGER NOT NULL);\n"
    "CREATE INDEX cause_entities_service ON cause_entities(service, place);\n"
    "CREATE TABLE cause_exceptions(n INTEGER PRIMARY KEY," OF("entity",
	"cause_entities") PLACE " message TEXT);\n"
				"CREATE INDEX cause_exceptions_entity"
				" ON cause_exceptions(entity, place);\n";
