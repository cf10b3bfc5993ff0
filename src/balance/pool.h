// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. Groups in order; inside a group its strategy (choose.h); limits over all workers. */
#ifndef BALANCE_POOL_H
#define BALANCE_POOL_H

#include "conf.h"
#include "shm.h"

/* Where one connection is in its search; all zero to begin. */
struct attempt {
	uint32_t group;
	uint32_t tried; /* channels tried in this group */
	uint32_t skip;  /* the one that its strategy named, plus one; 0: it named none */
	uint32_t last;  /* of those tried for their rank: the last one … */
	double rank;    /* … and its rank */
	uint64_t key;   /* decides on the ranks */
	bool drawn;     /* key is a turn that nobody has had yet */
	bool ranked;
	bool full;      /* a channel was passed over because it has no place left */
	bool sick;      /* one was passed over for its health */
	bool panic;     /* no healthy one is left to try: those that were passed over have their turn */
	uint64_t claim; /* of the channel last taken; see health_begin */
};

/* Takes a place on the next channel that has one, or returns NULL when every channel was tried, is full or is not to be used. */
const struct channel *pool_take(const struct pool *, struct attempt *, const struct addr *client, unsigned worker,
                                uint64_t now_ms);

/* Takes a place on the channel of the pool with this slot; false when it is not there any more, not to be used, or full. */
bool pool_take_channel(const struct pool *, uint32_t slot, unsigned worker, uint64_t now_ms);

/* The channel refused or did not answer in time: a pool with -a has no more use for it. */
void pool_failed(const struct pool *, uint32_t slot);

/* Gives a place back. */
void pool_release(uint32_t slot, unsigned worker);

/* The weight in force: that by command, else that of the configuration. */
static inline uint32_t pool_weight(const struct channel *ch)
{
	const uint32_t by_command = atomic_load_explicit(&shm_shared(ch->slot)->weight, memory_order_relaxed);
	return by_command != 0 ? by_command - 1 : ch->weight;
}

/* Whether anybody wants it to get connections, be it well or not. */
static inline bool pool_enabled(const struct channel *ch)
{
	const struct shm_shared *row = shm_shared(ch->slot);
	const uint32_t by_command = atomic_load_explicit(&row->weight, memory_order_relaxed);
	return atomic_load_explicit(&row->disabled, memory_order_relaxed) == 0 && (by_command == 0 ? ch->weight != 0 : by_command > 1);
}

#endif
