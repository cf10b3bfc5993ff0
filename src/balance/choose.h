// SPDX-License-Identifier: Apache-2.0
/* choose: one group's next channel, by its strategy. */
#ifndef BALANCE_CHOOSE_H
#define BALANCE_CHOOSE_H

#include "pool.h"
#include "schedule.h"

/* What one call of pool_take is about. */
struct choice {
	const struct pool *pool;
	const struct group *group;
	struct attempt *attempt;
	const struct addr *client;
	unsigned worker;
	uint64_t now_ms;
};

/* Takes a place on a channel of the group that the attempt has not had yet; NULL when there is none. */
const struct channel *choose(const struct choice *);

/* Takes a place on this one, unless it is of no use or has none. */
bool choose_this(const struct choice *, const struct channel *);

/* What a group's schedule is made for: this number changes with the weights. */
static inline uint32_t choose_version(const struct group *g)
{
	return atomic_load_explicit(&shm_shared(g->slot)->weights_version, memory_order_acquire) + 1;
}

/* The same for what nearly all connections come for, the next turn in a plain group, with nothing in its way: no look at what is not
 * in use. When there is more to it, NULL: choose() goes on with the turn that was drawn. */
static inline const struct channel *choose_plain(const struct group *g, struct attempt *a, unsigned worker)
{
	const struct schedule *s = g->schedule;
	if (!g->plain || a->tried > 0 || a->ranked || !s->equal || s->version != choose_version(g))
		return NULL;
	a->key = atomic_fetch_add_explicit(&shm_shared(g->slot)->cursor, 1, memory_order_relaxed);
	const uint32_t i = (uint32_t)(a->key % s->n);
	const struct channel *ch = &g->channels[i];
	const struct shm_shared *row = shm_shared(ch->slot);
	a->drawn = true;
	if (ch->max != 0 || atomic_load_explicit(&row->disabled, memory_order_relaxed) != 0 ||
	    atomic_load_explicit(&row->weight, memory_order_relaxed) != 0)
		return NULL;
	a->drawn = false;
	a->skip = i + 1;
	a->tried = 1;
	shm_add(shm_cell(ch->slot, worker), V_ACTIVE, 1);
	return ch;
}

#endif
