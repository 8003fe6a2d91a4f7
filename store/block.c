/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of traces, many traces in a block that is packed as a whole: the
 * documents of a service resemble each other, so that a block is a quarter of
 * what its traces would be alone, and is packed in a tenth of the time.
 *
 * A trace's row has its block and the bytes in it.  There every document has
 * its length before it, four bytes, little endian.  Blocks are numbered as they
 * are begun and written when they are full, at the latest by store_commit.  A
 * block is never changed; it goes when no trace refers to it any more.
 */
#include <sqlite3.h>

#include "core/mem.h"
#include "core/pack.h"
#include "store/db.h"

enum {
	BLOCK = 64 * 1024,
	LENGTH = 4,
};

struct block_place
place_at(struct sqlite3_stmt *stmt, int i)
{
	return (struct block_place){
		.block = sqlite3_column_int64(stmt, i),
		.at = (size_t)sqlite3_column_int64(stmt, i + 1),
		.bytes = (size_t)sqlite3_column_int64(stmt, i + 2),
		.n = (size_t)sqlite3_column_int64(stmt, i + 3),
	};
}

int
block_begin(struct store *s, struct err *err)
{
	int64_t last;

	if (db_number(s, "SELECT max(n) FROM trace_blocks", &last, err) != 0)
		return -1;
	s->block = last == VIEW_NONE ? 1 : last + 1;
	buf_reset(&s->filling);
	return 0;
}

int
block_flush(struct store *s, struct err *err)
{
	struct row r;

	if (s->filling.n == 0)
		return 0;
	r = row_of(s, ADD_BLOCK, err);
	if (!r.stmt)
		return -1;
	buf_reset(&s->packed);
	pack(s->packer, &s->packed, buf_view(&s->filling));
	row_i64(&r, s->block);
	row_i64(&r, (int64_t)s->filling.n);
	row_blob(&r, buf_view(&s->packed));
	if (row_run(&r, err) != 0)
		return -1;
	s->block++;
	buf_reset(&s->filling);
	return 0;
}

int
block_room(struct store *s, const struct str *documents, size_t n,
    struct block_place *place, struct err *err)
{
	size_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += LENGTH + documents[i].n;
	if (bytes > PACK_MAX)
		return err_set(err, "%s: a trace has too many bytes", s->path);
	if (s->filling.n + bytes > BLOCK && block_flush(s, err) != 0)
		return -1;
	*place = (struct block_place){ s->block, s->filling.n, bytes, n };
	return 0;
}

void
block_put(struct store *s, const struct str *documents, size_t n)
{
	struct buf *to = &s->filling;

	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < LENGTH; k++)
			buf_char(to, (char)(documents[i].n >> (8 * k) & 255));
		buf_str(to, documents[i]);
	}
}

static int
damaged(const struct store *s, struct err *err)
{
	return err_set(err,
	    "%s: the store is damaged: documents "
	    "cannot be unpacked",
	    s->path);
}

/* Into s->text, where the last one stays until another is asked for. */
static int
load(struct store *s, int64_t block, struct err *err)
{
	struct row r;
	int rc;

	if (block == s->loaded)
		return 0;
	s->loaded = 0;
	r = row_of(s, GET_BLOCK, err);
	if (!r.stmt)
		return -1;
	row_i64(&r, block);
	rc = sqlite3_step(r.stmt);
	if (rc == SQLITE_ROW) {
		struct str packed = { sqlite3_column_blob(r.stmt, 1),
			(size_t)sqlite3_column_bytes(r.stmt, 1) };

		buf_reset(&s->text);
		rc = unpack(s->unpacker, &s->text, packed,
			 (size_t)sqlite3_column_int64(r.stmt, 0)) == 0
			 ? 0
			 : damaged(s, err);
		if (rc == 0)
			s->loaded = block;
	} else {
		rc = rc == SQLITE_DONE ? damaged(s, err) : db_fail(s, err);
	}
	sqlite3_reset(r.stmt);
	return rc;
}

int
block_documents(struct store *s, const struct block_place *place,
    struct err *err)
{
	bool filling = s->writing && place->block == s->block;
	struct str rest;

	if (!filling && load(s, place->block, err) != 0)
		return -1;
	rest = buf_view(filling ? &s->filling : &s->text);
	if (place->at > rest.n || place->bytes > rest.n - place->at ||
	    place->n > place->bytes / LENGTH)
		return damaged(s, err);
	rest = str_sub(rest, place->at, place->bytes);
	s->documents =
	    xgrow(s->documents, place->n, &s->cap, sizeof *s->documents);
	for (size_t i = 0; i < place->n; i++) {
		size_t length = 0;

		for (size_t k = 0; k < LENGTH && k < rest.n; k++)
			length |= (size_t)(unsigned char)rest.p[k] << (8 * k);
		s->documents[i] = str_sub(rest, LENGTH, length);
		rest = str_from(rest, LENGTH + s->documents[i].n);
	}
	return 0;
}

int
block_sweep(struct store *s, struct err *err)
{
	return db_exec(s,
	    "DELETE FROM trace_blocks WHERE n NOT IN"
	    " (SELECT block FROM traces)",
	    err);
}
