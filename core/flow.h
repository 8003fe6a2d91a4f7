/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a stream goes on, and what a decoder made of a piece.  Never mixed with
 * "how many".
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

enum flow {
	FLOW_OK,   /* there is something */
	FLOW_IDLE, /* nothing now, ask again */
	FLOW_END,  /* nothing ever again */
	FLOW_FAIL, /* the environment failed; struct err says how */
};

enum decode {
	DECODE_OK,   /* decoded */
	DECODE_SKIP, /* not this decoder's format; nothing was changed */
	DECODE_BAD,  /* this format, but broken: for the dead letter */
};

#endif
