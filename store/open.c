/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing, and what a file must be to be opened.
 *
 * The first hundred bytes of an SQLite file say whose it is, of which version,
 * and how long it should be (https://www.sqlite.org/fileformat2.html, 1.3).
 * They are read before SQLite is asked, so that a file that is refused is not
 * touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/pack.h"
#include "store/db.h"

enum {
	HEADER = 100,
	AT_PAGE_SIZE = 16,
	AT_CHANGES = 24,
	AT_PAGES = 28,
	AT_SCHEMA = 40, /* 0: no table was ever made */
	AT_VERSION = 60,
	AT_APPLICATION = 68,
	AT_VALID_FOR = 92,
	BUSY_MS = 10000,
};

/* What the file is. */
struct found {
	bool there;   /* and a store */
	bool missing; /* there is no file of that name */
};

static uint32_t
big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* Whether there is a journal beside it, which may hold the rest of it. */
static bool
has_journal(const char *path)
{
	static const char *const ends[] = { "-wal", "-journal" };
	struct buf name = { 0 };
	struct stat st;
	bool found = false;

	for (size_t i = 0; i < 2; i++) {
		buf_reset(&name);
		buf_cat(&name, path);
		buf_cat(&name, ends[i]);
		found |= stat(buf_cstr(&name), &st) == 0 && st.st_size > 0;
	}
	buf_fini(&name);
	return found;
}

/*
 * Whether the file is as long as its header says.  Who writes the store this
 * moment does it in the order header, rest, journal removed: the header that
 * was read is only held against a length asked after there was no journal.
 */
static int
check_length(const char *path, int fd, const uint8_t *h, struct err *err)
{
	uint64_t page = (uint64_t)h[AT_PAGE_SIZE] << 8 | h[AT_PAGE_SIZE + 1];
	uint64_t pages = big_endian(h + AT_PAGES);
	struct stat st;

	if (page == 1)
		page = 65536;

	unsigned long long want = page * pages;

	if (big_endian(h + AT_CHANGES) != big_endian(h + AT_VALID_FOR) ||
	    has_journal(path) || fstat(fd, &st) != 0 ||
	    (uint64_t)st.st_size >= want)
		return 0;
	return err_set(err,
	    "%s: the store is damaged: it has %llu bytes and should have %llu",
	    path, (unsigned long long)st.st_size, want);
}

static int
check_header(const char *path, const uint8_t *h, size_t n, struct found *found,
    struct err *err)
{
	uint32_t version;

	if (n < HEADER || memcmp(h, "SQLite format 3", 16) != 0)
		return err_set(err,
		    "%s: this is not a store: it is no SQLite "
		    "file",
		    path);
	if (big_endian(h + AT_APPLICATION) == 0 &&
	    big_endian(h + AT_SCHEMA) == 0)
		return 0; /* nobody's: of who makes a store, or was killed */
	if (big_endian(h + AT_APPLICATION) != STORE_APPLICATION)
		return err_set(err,
		    "%s: this is not a store: it is an SQLite "
		    "file of another program",
		    path);
	version = big_endian(h + AT_VERSION);
	if (version > STORE_VERSION)
		return err_set(err,
		    "%s: the store was written by a newer telltale: its "
		    "version is %u, and %d is the latest known here",
		    path, version, (int)STORE_VERSION);
	if (version < 1)
		return err_set(err,
		    "%s: the store is damaged: it has no "
		    "version",
		    path);
	found->there = true;
	return 0;
}

static int
check_open(const char *path, int fd, struct found *found, struct err *err)
{
	uint8_t h[HEADER];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return err_set(err,
		    "%s: this is not a store: it is no regular "
		    "file",
		    path);
	n = pread(fd, h, sizeof h, 0);
	if (n < 0)
		return err_set(err, "%s: cannot read: %s", path,
		    strerror(errno));
	if (n == 0)
		return 0;
	if (check_header(path, h, (size_t)n, found, err) != 0)
		return -1;
	return found->there ? check_length(path, fd, h, err) : 0;
}

/* 0: it may be opened, or is not there. */
static int
check_file(const char *path, struct found *found, struct err *err)
{
	int rc, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*found = (struct found){ 0 };
	if (fd < 0 && errno == ENOENT) {
		found->missing = true;
		return 0;
	}
	if (fd < 0)
		return err_set(err, "%s: cannot open: %s", path,
		    strerror(errno));
	rc = check_open(path, fd, found, err);
	close(fd);
	return rc;
}

int
db_fail(struct store *s, struct err *err)
{
	int code = sqlite3_extended_errcode(s->db);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return err_set(err,
		    "%s: the disk is full; the store is as it "
		    "was",
		    s->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, "%s: another program is writing the store",
		    s->path);
	case SQLITE_READONLY:
		return err_set(err, "%s: the store is read-only", s->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(err, "%s: the store is damaged: %s", s->path,
		    sqlite3_errmsg(s->db));
	case SQLITE_IOERR:
		return err_set(err,
		    "%s: reading or writing failed: %s; the "
		    "store is as it was",
		    s->path, strerror(sqlite3_system_errno(s->db)));
	default:
		return err_set(err, "%s: %s", s->path, sqlite3_errmsg(s->db));
	}
}

int
db_exec(struct store *s, const char *sql, struct err *err)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return db_fail(s, err);
}

int
db_number(struct store *s, const char *sql, int64_t *v, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	*v = VIEW_NONE;
	if (rc == SQLITE_ROW && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
		*v = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : db_fail(s, err);
}

/* What is set for every connection. */
static int
configure(struct store *s, enum store_mode mode, struct err *err)
{
	sqlite3_busy_timeout(s->db, BUSY_MS);
	sqlite3_limit(s->db, SQLITE_LIMIT_SQL_LENGTH, 64 * 1024 * 1024);
	if (mode == STORE_READ)
		return db_exec(s,
		    "PRAGMA query_only = 1;" STORE_CACHE_READ
		    "; PRAGMA mmap_size = 1073741824",
		    err);
	return db_exec(s, "PRAGMA synchronous = NORMAL;" STORE_CACHE_WRITE,
	    err);
}

/*
 * A new store gets its tables, an old one what is new.  A new one is not in
 * WAL yet: the file's header must say whose it is from the first moment on.
 * Who else began the same at the same time is waited for.
 */
static int
bring_up(struct store *s, struct err *err)
{
	int64_t version;

	if (db_exec(s,
		"PRAGMA page_size = 8192;"
		"PRAGMA auto_vacuum = INCREMENTAL; BEGIN IMMEDIATE",
		err) != 0 ||
	    db_number(s, "PRAGMA user_version", &version, err) != 0)
		return -1;
	if (version == 0 ? schema_make(s, err) != 0
			 : schema_migrate(s, (int)version, err) != 0)
		return -1;
	return db_exec(s, "COMMIT", err);
}

/*
 * Who changes the journal already reads, and SQLite does not call its busy
 * handler then, as two who wait for each other never end
 * (https://www.sqlite.org/c3ref/busy_handler.html).  Here they do: between two
 * tries nothing is held.
 */
static int
use_wal(struct store *s, struct err *err)
{
	enum { STEP_MS = 10 };
	int rc = SQLITE_BUSY;

	for (int ms = 0; rc == SQLITE_BUSY && ms < BUSY_MS; ms += STEP_MS) {
		if (ms)
			sqlite3_sleep(STEP_MS);
		rc = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL,
		    NULL, NULL);
	}
	return rc == SQLITE_OK ? 0 : db_fail(s, err);
}

static int
open_write(struct store *s, const struct found *found, struct err *err)
{
	int64_t version;

	if (sqlite3_open_v2(s->path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		return db_fail(s, err);
	if (sqlite3_db_readonly(s->db, "main") == 1 ||
	    (found->there && access(s->path, W_OK) != 0))
		return err_set(err, "%s: the store is read-only", s->path);
	if (configure(s, STORE_WRITE, err) != 0)
		return -1;
	/* A new store may still be in its journal as a whole. */
	if (db_number(s, "PRAGMA user_version", &version, err) != 0)
		return -1;
	if (version < STORE_VERSION && bring_up(s, err) != 0)
		return -1;
	return use_wal(s, err);
}

/* What a failed beginning left: a file that is no store, and was not there. */
static void
remove_new(const char *path)
{
	struct found found;
	struct err err;
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct buf name = { 0 };

	if (check_file(path, &found, &err) != 0 || found.there)
		return;
	for (size_t i = 0; i < 3; i++) {
		buf_reset(&name);
		buf_cat(&name, path);
		buf_cat(&name, ends[i]);
		unlink(buf_cstr(&name));
	}
	buf_fini(&name);
}

/* "file:…?immutable=1": where no lock can be made and nobody writes. */
static int
open_immutable(struct store *s)
{
	struct buf uri = { 0 };
	int rc;

	buf_cat(&uri, "file:");
	for (const char *p = s->path; *p; p++) {
		if (*p == '?' || *p == '#' || *p == '%')
			buf_printf(&uri, "%%%02x", (unsigned char)*p);
		else
			buf_char(&uri, *p);
	}
	buf_cat(&uri, "?immutable=1");
	sqlite3_close(s->db);
	s->db = NULL;
	rc = sqlite3_open_v2(buf_cstr(&uri), &s->db,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	buf_fini(&uri);
	return rc;
}

static int
open_read(struct store *s, const struct found *found, struct err *err)
{
	int64_t version;
	int flags, rc;

	if (!found->there)
		return err_set(err, "%s: there is no store", s->path);
	/* Who may write takes away what reading leaves beside a store in WAL;
	 * query_only sees to it that nothing else is written. */
	flags = access(s->path, W_OK) == 0 ? SQLITE_OPEN_READWRITE
					   : SQLITE_OPEN_READONLY;
	if (sqlite3_open_v2(s->path, &s->db, flags | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		return db_fail(s, err);
	rc = sqlite3_exec(s->db, "SELECT 1 FROM sqlite_schema", NULL, NULL,
	    NULL);
	if ((rc == SQLITE_CANTOPEN || rc == SQLITE_READONLY) &&
	    !has_journal(s->path) && open_immutable(s) != SQLITE_OK)
		return db_fail(s, err);
	if (configure(s, STORE_READ, err) != 0 ||
	    db_number(s, "PRAGMA user_version", &version, err) != 0)
		return -1;
	if (version != STORE_VERSION)
		return err_set(err,
		    "%s: the store is of an older version; 'telltale replay "
		    "--store' brings it up to date",
		    s->path);
	return 0;
}

struct store *
store_open(const char *path, enum store_mode mode, struct err *err)
{
	struct store *s = xcalloc(1, sizeof *s);
	struct found found;
	int rc;

	/* Nobody asks how much memory SQLite has, so that no lock is needed to
	 * count it.  Only the first call of a process counts. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	s->path = strdup(path);
	s->packer = packer_new();
	s->unpacker = unpacker_new();
	rc = check_file(path, &found, err);
	if (rc == 0)
		rc = mode == STORE_WRITE ? open_write(s, &found, err)
					 : open_read(s, &found, err);
	if (rc == 0)
		return s;
	store_close(s);
	if (mode == STORE_WRITE && found.missing)
		remove_new(path);
	return NULL;
}

int
store_begin(struct store *s, struct err *err)
{
	if (db_exec(s, "BEGIN IMMEDIATE", err) != 0)
		return -1;
	s->writing = true;
	return schema_index_later(s, err) == 0 ? block_begin(s, err) : -1;
}

int
store_commit(struct store *s, struct err *err)
{
	if (block_flush(s, err) != 0 || schema_index_now(s, err) != 0 ||
	    (s->deleted && block_sweep(s, err) != 0) ||
	    db_exec(s, "COMMIT", err) != 0)
		return -1;
	s->writing = s->deleted = false;
	return 0;
}

void
store_close(struct store *s)
{
	if (!s)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_finalize(s->select);
	if (s->writing)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(s->db);
	packer_free(s->packer);
	unpacker_free(s->unpacker);
	buf_fini(&s->filling);
	buf_fini(&s->packed);
	buf_fini(&s->text);
	buf_fini(&s->index);
	free(s->documents);
	free(s->path);
	free(s);
}

const char *
store_library(void)
{
	return sqlite3_libversion();
}
