/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the store share: the handle, prepared statements, and
 * binding by turn.  Inside store/ only; the .c files include sqlite3.h.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "store/store.h"

struct packer;
struct unpacker;
struct sqlite3;
struct sqlite3_stmt;

/* Statements that are prepared once; row.c has their texts. */
enum statement {
	ADD_TRACE,
	DELETE_TRACE,
	FIND_TRACE,
	ADD_BLOCK,
	GET_BLOCK,
	ADD_VALUE,
	ADD_ANNOTATION,
	ADD_SERVICE,
	ADD_SERVICE_ANNOTATION,
	ADD_EDGE,
	ADD_EDGE_ANNOTATION,
	ADD_CAUSE,
	ADD_CAUSE_SERVICE,
	ADD_CAUSE_ENTITY,
	ADD_CAUSE_EXCEPTION,
	ADD_MESSAGE,
	DELETE_FINDING,
	ADD_FINDING,
	GET_FINDING,
	PUT_REQUEST,
	PUT_ROLLUP,
	FIND_LOG,
	ADD_LOG,
	STATEMENTS
};

struct store {
	struct sqlite3 *db;
	char *path;
	struct sqlite3_stmt *statements[STATEMENTS];
	struct sqlite3_stmt *select; /* of store_select, store_findings */
	struct packer *packer;
	struct unpacker *unpacker;
	int64_t block;           /* the one that is being filled */
	struct buf filling;      /* its text */
	int64_t loaded;          /* block whose text `text` is; 0: none */
	struct buf packed, text; /* of the block at hand */
	struct str *documents;   /* of the trace at hand */
	size_t cap;
	struct buf index; /* what makes traces_start; empty: it is there */
	bool deleted;     /* traces: blocks may have gone out of use */
	bool want_documents;
	bool writing;
};

/* A statement being filled: values in the order of the columns. */
struct row {
	struct store *s;
	struct sqlite3_stmt *stmt;
	int at;
};

/* The statement, prepared; who steps it resets it.  stmt NULL: err says why. */
struct row row_of(struct store *s, enum statement which, struct err *err);
void row_i64(struct row *r, int64_t v);       /* VIEW_NONE: NULL */
void row_text(struct row *r, struct str s);   /* empty: NULL */
void row_string(struct row *r, struct str s); /* empty: '' */
void row_blob(struct row *r, struct str s);
void row_double(struct row *r, double v);
void row_flags(struct row *r, uint32_t flags, uint32_t from, uint32_t to);
/* Runs it to its end; -1 with err. */
int row_run(struct row *r, struct err *err);
int64_t row_id(const struct row *r); /* of the last row inserted */

/* A text to search in, of what has the id `owner`; row_id is its n. */
int add_message(struct store *s, struct str kind, struct str owner,
    struct str text, struct err *err);

/* What SQLite says, in words for a person: the path, and what to do. */
int db_fail(struct store *s, struct err *err);
int db_exec(struct store *s, const char *sql, struct err *err);
/* One number; WHEN_NONE for NULL. */
int db_number(struct store *s, const char *sql, int64_t *v, struct err *err);

/* schema.c */
int schema_make(struct store *s, struct err *err);
int schema_migrate(struct store *s, int version, struct err *err);
/* After BEGIN, and before COMMIT: the index of an empty store's first traces
 * is made when they are there. */
int schema_index_later(struct store *s, struct err *err);
int schema_index_now(struct store *s, struct err *err);
enum { STORE_APPLICATION = 0x54746c65 }; /* "Ttle" */

/*
 * Pages that are cached, in KiB.  Who writes has the index of ids of three
 * million traces in memory, which is written to at random.  Sorting takes as
 * much again as is cached, and then the disk.
 */
#define STORE_CACHE_READ "PRAGMA cache_size = -65536"
#define STORE_CACHE_WRITE "PRAGMA cache_size = -196608"
#define STORE_CACHE_SORT "PRAGMA cache_size = -65536"

/* block.c: documents of traces.  Where those of one are: */
struct block_place {
	int64_t block;
	size_t at, bytes; /* in the block's text */
	size_t n;         /* documents */
};

/* Of the columns block, at, bytes, documents, from the i-th on. */
struct block_place place_at(struct sqlite3_stmt *stmt, int i);

/* After BEGIN, and before COMMIT. */
int block_begin(struct store *s, struct err *err);
int block_flush(struct store *s, struct err *err);
/* Where the documents will be; then block_put puts them there. */
int block_room(struct store *s, const struct str *documents, size_t n,
    struct block_place *place, struct err *err);
void block_put(struct store *s, const struct str *documents, size_t n);
/* Into s->documents, until the next call or block. */
int block_documents(struct store *s, const struct block_place *place,
    struct err *err);
/* Deletes the blocks that no trace refers to. */
int block_sweep(struct store *s, struct err *err);

#endif
