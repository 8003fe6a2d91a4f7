/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of reading, each an option of the command line with a default
 * and a counter.  Memory is bounded by these and not by the input.
 */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits {
	size_t block_bytes;     /* read at once; 1 byte to 1 MiB */
	size_t line_bytes;      /* a longer line is a dead letter */
	size_t document_bytes;  /* a longer JSON document likewise */
	size_t event_lines;     /* lines joined to one event */
	uint64_t inflate_ratio; /* inflated over packed bytes, beyond the first
				   inflate_free bytes */
	uint64_t inflate_free;
	int inflate_layers;       /* gzip in gzip in gzip */
	const _Atomic bool *stop; /* NULL, or: when set, inputs end */
};

/* 256 KiB, 1 MiB, 8 MiB, 1000, 1200, 64 MiB, 3. */
extern const struct limits limits_default;

#endif
