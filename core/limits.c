/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits' defaults: what holds every real export seen, with room to spare,
 * and keeps a process under 64 MiB.
 */
#include "core/limits.h"

const struct limits limits_default = {
	.block_bytes = 256 * 1024,
	.line_bytes = 1024 * 1024,
	.document_bytes = 8 * 1024 * 1024,
	.event_lines = 1000,
	.inflate_ratio = 1200,
	.inflate_free = 64 * 1024 * 1024,
	.inflate_layers = 3,
};
