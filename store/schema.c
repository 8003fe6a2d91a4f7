/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's own tables, beside those that a filter expression reads
 * (query/schema.c), and the views that people may query.
 *
 * A change of any of it, or of query_sql_schema, is a new STORE_VERSION and a
 * step of `steps` that leads there; a store is migrated when it is opened for
 * writing, in the transaction that writes.
 */
#include <sqlite3.h>

#include "query/sql.h"
#include "store/db.h"

/*
 * What ANALYZE would find in a store of any size, for a new one: few methods
 * with many traces each, so that a range of time without a method is a range
 * for each of the methods (https://www.sqlite.org/optoverview.html, 9).
 */
#define TRACES_START                                                           \
	"INSERT INTO sqlite_stat1"                                             \
	" VALUES('traces', 'traces_start', '1000000 100000 1');\n"
#define STATISTICS "ANALYZE sqlite_schema;\n" TRACES_START

static const char tables[] = STATISTICS
    /* documents of many traces, packed together: block.c */
    "CREATE TABLE trace_blocks(n INTEGER PRIMARY KEY,"
    " bytes INTEGER NOT NULL, body BLOB NOT NULL);\n"

    "CREATE TABLE all_findings(n INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE, severity INTEGER NOT NULL,"
    " rule TEXT NOT NULL, service TEXT, method TEXT, route TEXT,"
    " start_ns INTEGER NOT NULL, end_ns INTEGER NOT NULL,"
    " bad INTEGER NOT NULL, total INTEGER NOT NULL, text TEXT NOT NULL,"
    " document TEXT NOT NULL);\n"
    "CREATE INDEX all_findings_end ON all_findings(end_ns);\n"

    "CREATE TABLE all_requests(n INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE, ts_ns INTEGER NOT NULL,"
    " duration_ns INTEGER, status INTEGER, service TEXT, method TEXT,"
    " url TEXT, agent TEXT, client TEXT, trace TEXT,"
    " document TEXT NOT NULL);\n"
    "CREATE INDEX all_requests_ts ON all_requests(ts_ns);\n"

    /* requests: of clients, probable probes with them; timed: of clients */
    "CREATE TABLE all_rollups(minute_ns INTEGER NOT NULL,"
    " service TEXT NOT NULL, route TEXT NOT NULL, method TEXT NOT NULL,"
    " requests INTEGER NOT NULL, timed INTEGER NOT NULL,"
    " slow INTEGER NOT NULL, not_found INTEGER NOT NULL,"
    " probes INTEGER NOT NULL, probes_failed INTEGER NOT NULL,"
    " duration_ns INTEGER NOT NULL, status_none INTEGER NOT NULL,"
    " status_1xx INTEGER NOT NULL, status_2xx INTEGER NOT NULL,"
    " status_3xx INTEGER NOT NULL, status_4xx INTEGER NOT NULL,"
    " status_5xx INTEGER NOT NULL,"
    " PRIMARY KEY(minute_ns, service, route, method)) WITHOUT ROWID;\n"

    /* message: n of all_messages */
    "CREATE TABLE all_logs(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " ts_ns INTEGER NOT NULL, service TEXT, level TEXT, logger TEXT,"
    " log_group TEXT, log_stream TEXT, message INTEGER NOT NULL);\n"
    "CREATE INDEX all_logs_ts ON all_logs(ts_ns);\n"

    "CREATE TABLE store_facts(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;\n"

    /* texts to search in: of findings, of exceptions in traces, of logs */
    "CREATE TABLE all_messages(n INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " owner TEXT NOT NULL, text TEXT NOT NULL);\n"
    "CREATE INDEX all_messages_owner ON all_messages(owner);\n"
    "CREATE VIRTUAL TABLE message_index USING fts5(text,"
    " content='all_messages', content_rowid='n');\n";

/* Triggers, and the views of docs/store.md. */
static const char derived[] =
    "CREATE TRIGGER message_added AFTER INSERT ON all_messages BEGIN"
    " INSERT INTO message_index(rowid, text) VALUES(new.n, new.text); END;\n"
    "CREATE TRIGGER message_gone AFTER DELETE ON all_messages BEGIN"
    " INSERT INTO message_index(message_index, rowid, text)"
    " VALUES('delete', old.n, old.text); END;\n"
    /* Foreign keys are not switched on: checking them takes a third of the
     * time of writing.  What goes with a row goes by triggers. */
    "CREATE TRIGGER trace_gone AFTER DELETE ON traces BEGIN"
    " DELETE FROM trace_values WHERE trace = old.n;"
    " DELETE FROM trace_annotations WHERE trace = old.n;"
    " DELETE FROM trace_services WHERE n BETWEEN old.n << 24"
    " AND old.n << 24 | 16777215;"
    " DELETE FROM trace_edges WHERE n BETWEEN old.n << 24"
    " AND old.n << 24 | 16777215;"
    " DELETE FROM trace_causes WHERE trace = old.n;"
    " DELETE FROM all_messages WHERE owner = old.id; END;\n"
    "CREATE TRIGGER service_gone AFTER DELETE ON trace_services BEGIN"
    " DELETE FROM service_annotations WHERE service = old.n; END;\n"
    "CREATE TRIGGER edge_gone AFTER DELETE ON trace_edges BEGIN"
    " DELETE FROM edge_annotations WHERE edge = old.n; END;\n"
    "CREATE TRIGGER cause_gone AFTER DELETE ON trace_causes BEGIN"
    " DELETE FROM cause_services WHERE cause = old.n; END;\n"
    "CREATE TRIGGER cause_service_gone AFTER DELETE ON cause_services BEGIN"
    " DELETE FROM cause_entities WHERE service = old.n; END;\n"
    "CREATE TRIGGER cause_entity_gone AFTER DELETE ON cause_entities BEGIN"
    " DELETE FROM cause_exceptions WHERE entity = old.n; END;\n"
    "CREATE TRIGGER finding_gone AFTER DELETE ON all_findings BEGIN"
    " DELETE FROM all_messages WHERE owner = old.id; END;\n"
    "CREATE TRIGGER log_gone AFTER DELETE ON all_logs BEGIN"
    " DELETE FROM all_messages WHERE n = old.message; END;\n"

    "CREATE VIEW trace AS SELECT t.id,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', t.start_ns / 1e9, 'unixepoch') AS start,"
    " t.start_ns, t.duration_ns / 1e9 AS duration,"
    " t.responsetime_ns / 1e9 AS response_time, t.status, t.method, t.url,"
    " t.agent AS user_agent, t.client AS client_ip,"
    " t.ok, t.error, t.fault, t.throttle, t.partial,"
    " t.service, t.type, t.documents, t.bytes FROM traces t;\n"

    "CREATE VIEW segment AS SELECT t.id AS trace, s.name, s.type, s.account,"
    " s.root, s.inferred, s.ok, s.error, s.fault, s.throttle,"
    " s.responsetime_ns / 1e9 AS response_time, s.status, s.method, s.url,"
    " s.user FROM trace_services s JOIN traces t ON t.n = s.n >> 24"
    " WHERE s.client_node = 0;\n"

    "CREATE VIEW call AS SELECT t.id AS trace, e.from_name AS caller,"
    " e.from_type AS caller_type, e.to_name AS callee,"
    " e.to_type AS callee_type, e.ok, e.error, e.fault, e.throttle,"
    " e.responsetime_ns / 1e9 AS response_time, e.status"
    " FROM trace_edges e JOIN traces t ON t.n = e.n >> 24;\n"

    "CREATE VIEW annotation AS SELECT t.id AS trace, a.key,"
    " coalesce(a.text, a.number, CASE a.boolean WHEN 1 THEN 'true'"
    " WHEN 0 THEN 'false' END) AS value"
    " FROM trace_annotations a JOIN traces t ON t.n = a.trace;\n"

    "CREATE VIEW finding AS SELECT id, CASE severity WHEN 0 THEN 'info'"
    " WHEN 1 THEN 'warning' ELSE 'critical' END AS severity, rule, service,"
    " method, route,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', start_ns / 1e9, 'unixepoch') AS start,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', end_ns / 1e9, 'unixepoch') AS end,"
    " bad, total, text FROM all_findings;\n"

    "CREATE VIEW request AS SELECT id,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', ts_ns / 1e9, 'unixepoch') AS time,"
    " ts_ns, duration_ns / 1e9 AS duration, status, service, method, url,"
    " agent AS user_agent, client AS client_ip, trace FROM all_requests;\n"

    "CREATE VIEW rollup AS SELECT"
    " strftime('%Y-%m-%dT%H:%M:%fZ', minute_ns / 1e9, 'unixepoch') AS minute,"
    " minute_ns, service, method, route, requests, timed, slow, not_found,"
    " probes, probes_failed, duration_ns / 1e9 AS duration, status_none,"
    " status_1xx, status_2xx, status_3xx, status_4xx, status_5xx"
    " FROM all_rollups;\n"

    "CREATE VIEW log AS SELECT l.id,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', l.ts_ns / 1e9, 'unixepoch') AS time,"
    " l.ts_ns, l.service, l.level, l.logger, l.log_group, l.log_stream,"
    " m.text FROM all_logs l JOIN all_messages m ON m.n = l.message;\n"

    "CREATE VIEW message AS SELECT m.kind, m.owner AS id, m.text, m.n"
    " FROM all_messages m;\n";

/* The views, the triggers and the version, after the tables. */
static void
put_rest(struct buf *sql)
{
	buf_cat(sql, derived);
	buf_printf(sql, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    (int)STORE_APPLICATION, (int)STORE_VERSION);
}

int
schema_make(struct store *s, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_cat(&sql, query_sql_schema);
	buf_cat(&sql, tables);
	put_rest(&sql);
	rc = db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc;
}

/* A number to each trace's rows, in their order; what refers to them first. */
#define PLACED(table, notes, of)                                               \
	"UPDATE " notes " SET " of " = (SELECT s.trace << 24 |"                \
	" (SELECT count(*) FROM " table " x WHERE x.trace = s.trace"           \
	" AND x.n < s.n) FROM " table " s WHERE s.n = " notes "." of ");\n"

#define PART                                                                   \
	"ok, error, throttle, fault, partial, responsetime_ns, duration_ns,"   \
	" status, method, url, agent, client, user, zone, instance, arn"
#define PART_TYPED                                                             \
	"ok INTEGER NOT NULL, error INTEGER NOT NULL,"                         \
	" throttle INTEGER NOT NULL, fault INTEGER NOT NULL,"                  \
	" partial INTEGER NOT NULL, responsetime_ns INTEGER,"                  \
	" duration_ns INTEGER, status INTEGER, method TEXT, url TEXT,"         \
	" agent TEXT, client TEXT, user TEXT, zone TEXT, instance TEXT,"       \
	" arn TEXT"

/*
 * 1 to 2: a trace's documents were a row of their own and become a block of
 * their own; services and calls are numbered by their trace; roll-ups and logs
 * are new.
 */
static const char to_2[] =
    "ALTER TABLE traces ADD COLUMN service TEXT;\n"
    "ALTER TABLE traces ADD COLUMN type TEXT;\n"
    "ALTER TABLE traces ADD COLUMN documents INTEGER;\n"
    "ALTER TABLE traces ADD COLUMN bytes INTEGER;\n"
    "ALTER TABLE traces ADD COLUMN block INTEGER;\n"
    "ALTER TABLE traces ADD COLUMN at INTEGER;\n"
    "UPDATE traces SET service = b.service, type = b.type,"
    " documents = b.documents, bytes = b.bytes, block = b.trace, at = 0"
    " FROM trace_bodies b WHERE b.trace = traces.n;\n"
    "CREATE TABLE trace_blocks(n INTEGER PRIMARY KEY,"
    " bytes INTEGER NOT NULL, body BLOB NOT NULL);\n"
    "INSERT INTO trace_blocks SELECT trace, bytes, body FROM trace_bodies;\n"
    "DROP TABLE trace_bodies;\n"
    "DROP INDEX traces_start;\n"
    "CREATE INDEX traces_start ON traces(method, start_ns, status, ok, error,"
    " throttle, fault, partial, responsetime_ns, duration_ns);\n" STATISTICS

	PLACED("trace_services", "service_annotations",
	    "service") "CREATE TABLE services_2(n INTEGER PRIMARY KEY,"
		       " name TEXT, type TEXT, account TEXT, client_node "
		       "INTEGER "
		       "NOT NULL,"
		       " root INTEGER NOT NULL, inferred INTEGER NOT "
		       "NULL, " PART_TYPED ");\n"
		       "INSERT INTO services_2 SELECT trace << 24 | "
		       "(row_number() "
		       "OVER"
		       " (PARTITION BY trace ORDER BY n) - 1), name, type, "
		       "account, client_node,"
		       " root, inferred, " PART " FROM trace_services;\n"
		       "DROP TABLE trace_services;\n"
		       "ALTER TABLE services_2 RENAME TO trace_services;\n"

    PLACED("trace_edges", "edge_annotations",
	"edge") "CREATE TABLE edges_2(n INTEGER PRIMARY KEY,"
		" from_name TEXT, from_type TEXT, from_account TEXT,"
		" from_client INTEGER NOT NULL, to_name TEXT, to_type TEXT,"
		" to_account TEXT, to_client INTEGER NOT NULL, " PART_TYPED
		");\n"
		"INSERT INTO edges_2 SELECT trace << 24 | (row_number() OVER"
		" (PARTITION BY trace ORDER BY n) - 1), from_name, from_type,"
		" from_account, from_client, to_name, to_type, to_account, "
		"to_client, " PART " FROM trace_edges;\n"
		"DROP TABLE trace_edges;\n"
		"ALTER TABLE edges_2 RENAME TO trace_edges;\n"

		"CREATE TABLE all_rollups(minute_ns INTEGER NOT NULL,"
		" service TEXT NOT NULL, route TEXT NOT NULL, method TEXT NOT "
		"NULL,"
		" requests INTEGER NOT NULL, timed INTEGER NOT NULL,"
		" slow INTEGER NOT NULL, not_found INTEGER NOT NULL,"
		" probes INTEGER NOT NULL, probes_failed INTEGER NOT NULL,"
		" duration_ns INTEGER NOT NULL, status_none INTEGER NOT NULL,"
		" status_1xx INTEGER NOT NULL, status_2xx INTEGER NOT NULL,"
		" status_3xx INTEGER NOT NULL, status_4xx INTEGER NOT NULL,"
		" status_5xx INTEGER NOT NULL,"
		" PRIMARY KEY(minute_ns, service, route, method)) WITHOUT "
		"ROWID;\n"
		"CREATE TABLE all_logs(n INTEGER PRIMARY KEY, id TEXT NOT NULL "
		"UNIQUE,"
		" ts_ns INTEGER NOT NULL, service TEXT, level TEXT, logger "
		"TEXT,"
		" log_group TEXT, log_stream TEXT, message INTEGER NOT NULL);\n"
		"CREATE INDEX all_logs_ts ON all_logs(ts_ns);\n";

/* From version i to i + 1, of the tables; the first ever written is 1. */
static const char *const steps[STORE_VERSION] = {
	[0] = NULL,
	[1] = to_2,
};

/* Views and triggers are made anew by every version. */
static int
drop_derived(struct store *s, struct err *err)
{
	struct buf sql = { 0 };
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db,
	    "SELECT type, name FROM sqlite_schema"
	    " WHERE type IN ('view', 'trigger')",
	    -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		for (rc = sqlite3_step(stmt); rc == SQLITE_ROW;
		     rc = sqlite3_step(stmt))
			buf_printf(&sql, "DROP %s \"%s\";",
			    (const char *)sqlite3_column_text(stmt, 0),
			    (const char *)sqlite3_column_text(stmt, 1));
	sqlite3_finalize(stmt);
	rc = rc == SQLITE_DONE ? db_exec(s, buf_cstr(&sql), err)
			       : db_fail(s, err);
	buf_fini(&sql);
	return rc;
}

int
schema_migrate(struct store *s, int version, struct err *err)
{
	struct buf sql = { 0 };
	int rc = drop_derived(s, err);

	for (; version < STORE_VERSION && rc == 0; version++)
		rc = db_exec(s, steps[version], err);
	put_rest(&sql);
	if (rc == 0)
		rc = db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc;
}

/*
 * The first traces come in no order of time, and each would go to another page
 * of the index: sorting them when all are there takes half as long, and fills
 * the pages.  Its text stays the schema's.
 */
int
schema_index_later(struct store *s, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db,
	    "SELECT sql FROM sqlite_schema WHERE name = 'traces_start'"
	    " AND NOT EXISTS (SELECT 1 FROM traces)",
	    -1, &stmt, NULL);

	buf_reset(&s->index);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		buf_cat(&s->index, (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? 0 : db_fail(s, err);
	return db_exec(s, "DROP INDEX traces_start", err);
}

int
schema_index_now(struct store *s, struct err *err)
{
	int rc;

	if (s->index.n == 0)
		return 0;
	buf_cat(&s->index, ";\n" TRACES_START);
	rc = db_exec(s, STORE_CACHE_SORT, err);
	if (rc == 0)
		rc = db_exec(s, buf_cstr(&s->index), err);
	buf_reset(&s->index);
	return rc == 0 ? db_exec(s, STORE_CACHE_WRITE, err) : -1;
}
