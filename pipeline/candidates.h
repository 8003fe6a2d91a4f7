/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker gathers of requests that the clock will decide: those that
 * wait, and who is known to ask by a user agent.
 */
#ifndef PIPELINE_CANDIDATES_H
#define PIPELINE_CANDIDATES_H

#include "pipeline/chains.h"

/* Who asks for what, by the texts. */
enum { ASKING_TEXT = 80 };
struct asking {
	char text[ASKING_TEXT]; /* peer and path */
	uint32_t peer_n, path_n;
	uint32_t origin;
	enum method method;
};

/* A probe by its user agent: most ask again within the hour. */
struct asked {
	struct asking who;
	int64_t begin_ns; /* of the hour */
};

/* Whose chain is known without judging and hashing. */
struct recalled {
	struct asking who;
	uint32_t chain; /* its index */
};

enum { ASKED = 64, RECALLED = 256 };
struct candidates {
	struct chains chains;
	struct spill *requests; /* struct candidate; NULL: all are in chains */
	struct spill *askers;   /* struct asker, mostly once each */
	struct asked asked[ASKED];        /* that were put lately */
	uint32_t recalled_hash[RECALLED]; /* of the texts; 0: none */
	struct recalled recalled[RECALLED];
};

/* `bytes` of chains. */
void candidates_init(struct candidates *c, size_t bytes);
void candidates_fini(struct candidates *c);

/*
 * The chain of a request without user agent, if one with the same texts of the
 * place waits in it.  NULL: it is to be judged.  Valid until the next call.
 */
struct chain *candidates_recall(struct candidates *c, const struct request *q,
    const struct chain_place *place);
void candidates_remember(struct candidates *c, const struct request *q,
    const struct chain *chain);

/* One waits in a chain of c->chains, which may not be used after that. */
int candidates_put(struct candidates *c, struct chain *chain,
    const struct link *l, struct err *err);

/* What is in chains goes to c->requests, which is made if need be. */
int candidates_sort(struct candidates *c, struct err *err);

/* Notes a probe by its user agent, from a peer that is named. */
int candidates_asker(struct candidates *c, const struct request *q,
    int64_t ts_ns, uint32_t origin, struct err *err);

#endif
