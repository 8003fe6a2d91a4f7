/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  Which file is kept is a matter of its index alone: the
 * documents of a trace are of few inputs, and inputs beside each other have
 * places of their own.
 */
#include "pipeline/traces_away.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/hash.h"

/* The input's descriptor; -1 with errno. */
static int
fd_of(struct traces_away *a, const struct inputs *inputs, uint32_t input)
{
	size_t i = input % AWAY_FILES;

	if (a->file[i].input == input + 1)
		return a->file[i].fd;
	if (a->file[i].input != 0)
		close(a->file[i].fd);
	a->file[i].input = 0;
	a->file[i].fd = open(inputs->v[input].path, O_RDONLY | O_CLOEXEC);
	if (a->file[i].fd >= 0)
		a->file[i].input = input + 1;
	return a->file[i].fd;
}

/* How many of the n bytes there are; -1 with errno. */
static ssize_t
read_all(int fd, char *to, size_t n, uint64_t offset)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got =
		    pread(fd, to + have, n - have, (off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int
traces_away_read(struct traces_away *a, const struct inputs *inputs,
    const struct part_away *at, struct str *text, struct arena *arena,
    struct err *err)
{
	const char *path = inputs->v[at->input].path;
	int fd = fd_of(a, inputs, at->input);
	char *to = arena_alloc(arena, text->n);
	ssize_t got = fd < 0 ? -1 : read_all(fd, to, text->n, at->offset);

	if (got < 0)
		return err_set(err, "%s: cannot be read again: %s", path,
		    strerror(errno));
	text->p = to;
	if ((size_t)got != text->n || hash64(*text) != at->hash)
		return err_set(err, "%s: changed while it was read", path);
	return 0;
}

void
traces_away_fini(struct traces_away *a)
{
	for (size_t i = 0; i < AWAY_FILES; i++)
		if (a->file[i].input != 0)
			close(a->file[i].fd);
}
