/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's own tables, beside those that a filter expression reads
 * (query/schema.c), and the views that people may query.
 *
 * A change of any of it, or of query_sql_schema, is a new STORE_VERSION and a
 * step of `steps` that leads there; a store is migrated when it is opened for
 * writing, in the transaction that writes.
 */
#include "query/sql.h"
#include "store/db.h"

static const char own[] =
    /* documents of a trace, each with its length before it, packed */
    "CREATE TABLE trace_bodies(trace INTEGER PRIMARY KEY"
    " REFERENCES traces(n) ON DELETE CASCADE,"
    " service TEXT, type TEXT, documents INTEGER NOT NULL,"
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

    "CREATE TABLE store_facts(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
    " WITHOUT ROWID;\n"

    /* texts to search in: of findings, and of exceptions in traces */
    "CREATE TABLE all_messages(n INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " owner TEXT NOT NULL, text TEXT NOT NULL);\n"
    "CREATE INDEX all_messages_owner ON all_messages(owner);\n"
    "CREATE VIRTUAL TABLE message_index USING fts5(text,"
    " content='all_messages', content_rowid='n');\n"
    "CREATE TRIGGER message_added AFTER INSERT ON all_messages BEGIN"
    " INSERT INTO message_index(rowid, text) VALUES(new.n, new.text); END;\n"
    "CREATE TRIGGER message_gone AFTER DELETE ON all_messages BEGIN"
    " INSERT INTO message_index(message_index, rowid, text)"
    " VALUES('delete', old.n, old.text); END;\n"
    /* Foreign keys are not switched on: checking them takes a third of the
     * time of writing.  What goes with a row goes by triggers. */
    "CREATE TRIGGER trace_gone AFTER DELETE ON traces BEGIN"
    " DELETE FROM trace_bodies WHERE trace = old.n;"
    " DELETE FROM trace_values WHERE trace = old.n;"
    " DELETE FROM trace_annotations WHERE trace = old.n;"
    " DELETE FROM trace_services WHERE trace = old.n;"
    " DELETE FROM trace_edges WHERE trace = old.n;"
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
    " DELETE FROM all_messages WHERE owner = old.id; END;\n";

/* docs/store.md is about these. */
static const char views[] =
    "CREATE VIEW trace AS SELECT t.id,"
    " strftime('%Y-%m-%dT%H:%M:%fZ', t.start_ns / 1e9, 'unixepoch') AS start,"
    " t.start_ns, t.duration_ns / 1e9 AS duration,"
    " t.responsetime_ns / 1e9 AS response_time, t.status, t.method, t.url,"
    " t.agent AS user_agent, t.client AS client_ip,"
    " t.ok, t.error, t.fault, t.throttle, t.partial,"
    " b.service, b.type, b.documents, b.bytes"
    " FROM traces t JOIN trace_bodies b ON b.trace = t.n;\n"

    "CREATE VIEW segment AS SELECT t.id AS trace, s.name, s.type, s.account,"
    " s.root, s.inferred, s.ok, s.error, s.fault, s.throttle,"
    " s.responsetime_ns / 1e9 AS response_time, s.status, s.method, s.url,"
    " s.user FROM trace_services s JOIN traces t ON t.n = s.trace"
    " WHERE s.client_node = 0;\n"

    "CREATE VIEW call AS SELECT t.id AS trace, e.from_name AS caller,"
    " e.from_type AS caller_type, e.to_name AS callee,"
    " e.to_type AS callee_type, e.ok, e.error, e.fault, e.throttle,"
    " e.responsetime_ns / 1e9 AS response_time, e.status"
    " FROM trace_edges e JOIN traces t ON t.n = e.trace;\n"

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

    "CREATE VIEW message AS SELECT m.kind, m.owner AS id, m.text, m.n"
    " FROM all_messages m;\n";

int
schema_make(struct store *s, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	buf_cat(&sql, query_sql_schema);
	buf_cat(&sql, own);
	buf_cat(&sql, views);
	buf_printf(&sql,
	    "PRAGMA application_id = %d; PRAGMA user_version = %d;",
	    (int)STORE_APPLICATION, (int)STORE_VERSION);
	rc = db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc;
}

/* From version i to i + 1; the first store that was ever written is 1. */
static const char *const steps[STORE_VERSION] = {
	[0] = NULL,
};

int
schema_migrate(struct store *s, int version, struct err *err)
{
	struct buf sql = { 0 };
	int rc = 0;

	for (; version < STORE_VERSION && rc == 0; version++) {
		if (!steps[version])
			return err_set(err,
			    "%s: cannot be brought from version %d to %d",
			    s->path, version, (int)STORE_VERSION);
		rc = db_exec(s, steps[version], err);
	}
	buf_printf(&sql, "PRAGMA user_version = %d", (int)STORE_VERSION);
	if (rc == 0)
		rc = db_exec(s, buf_cstr(&sql), err);
	buf_fini(&sql);
	return rc;
}
