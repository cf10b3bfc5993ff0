// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. */
#include "pool.h"

#include "place.h"
#include "shm.h"

static bool take_place(const struct channel *ch, unsigned worker)
{
	if (ch->max != 0)
		return place_take(ch->slot, V_ACTIVE, worker, ch->max);
	shm_add(shm_cell(ch->slot, worker), V_ACTIVE, 1);
	return true;
}

static bool is_disabled(const struct channel *ch)
{
	return atomic_load_explicit(&shm_shared(ch->slot)->disabled, memory_order_relaxed) != 0;
}

static uint32_t first_of(const struct group *g, const struct addr *client)
{
	uint64_t n = g->hash ? addr_hash(client)
	                     : atomic_fetch_add_explicit(&shm_shared(g->slot)->cursor, 1, memory_order_relaxed);
	return (uint32_t)(n % g->n);
}

const struct channel *pool_take(const struct pool *p, struct attempt *a, const struct addr *client, unsigned worker,
                                uint64_t now_ms)
{
	(void)now_ms;
	for (; a->group < p->n; a->group++, a->tried = 0) {
		const struct group *g = &p->groups[a->group];
		if (a->tried == 0)
			a->start = first_of(g, client);
		const size_t offered = g->hash && p->strict_hash ? 1 : g->n;
		while (a->tried < offered) {
			const struct channel *ch = &g->channels[(a->start + a->tried++) % g->n];
			if (is_disabled(ch))
				continue;
			if (take_place(ch, worker))
				return ch;
			a->full = true;
		}
	}
	return NULL;
}

bool pool_take_channel(const struct pool *p, uint32_t slot, unsigned worker)
{
	for (size_t g = 0; g < p->n; g++)
		for (size_t i = 0; i < p->groups[g].n; i++) {
			const struct channel *ch = &p->groups[g].channels[i];
			if (ch->slot == slot)
				return !is_disabled(ch) && take_place(ch, worker);
		}
	return false;
}

void pool_failed(const struct pool *p, uint32_t slot)
{
	if (p->autodisable)
		atomic_store_explicit(&shm_shared(slot)->disabled, 1, memory_order_relaxed);
}

void pool_release(uint32_t slot, unsigned worker)
{
	place_give(slot, V_ACTIVE, worker);
}
