// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. Groups in order; inside a group round robin or client-address hash; limits over all workers. */
#ifndef BALANCE_POOL_H
#define BALANCE_POOL_H

#include "conf.h"

/* Where one connection is in its search; all zero to begin. */
struct attempt {
	uint32_t group;
	uint32_t start; /* first channel tried in this group */
	uint32_t tried; /* channels tried in this group */
	bool unhealthy; /* a channel was passed over for its health */
	bool full;      /* … because it had no place */
	bool desperate; /* nothing healthy is left to try: those passed over for their health have their turn */
	uint64_t claim; /* of the channel last taken; see health_begin */
};

/* Takes a place on the next channel that has one, or returns NULL when every channel was tried, is full or is disabled. */
const struct channel *pool_take(const struct pool *, struct attempt *, const struct addr *client, unsigned worker,
                                uint64_t now_ms);

/* Whether it gets connections at all: not disabled, and of some weight. */
bool pool_enabled(const struct channel *);

/* The channel refused or did not answer in time: a pool with -a has no more use for it. */
void pool_failed(const struct pool *, uint32_t slot);

/* Gives a place back. */
void pool_release(uint32_t slot, unsigned worker);

#endif
