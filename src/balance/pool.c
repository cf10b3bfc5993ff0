// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. */
#include "pool.h"

#include "shm.h"

/* Two workers that race for the last place both see it taken and both step back. A few unequal pauses let one of them have it. */
enum { RACES = 4 };

static void pause_for(unsigned turns)
{
	for (unsigned i = 0; i < turns; i++)
		atomic_signal_fence(memory_order_seq_cst);
}

/* Own cell first, then the sum: of all who take at once, the last to write sees every other, so the limit is never exceeded. */
static bool take_place(const struct channel *ch, unsigned worker)
{
	_Atomic uint64_t *active = &shm_cell(ch->slot, worker)->v[V_ACTIVE];
	if (ch->max == 0) {
		shm_add(shm_cell(ch->slot, worker), V_ACTIVE, 1);
		return true;
	}
	for (unsigned race = 0; race < RACES; race++) {
		atomic_fetch_add(active, 1);
		uint64_t sum = shm_sum(ch->slot, V_ACTIVE);
		if (sum <= ch->max)
			return true;
		atomic_fetch_sub(active, 1);
		if (sum > (uint64_t)ch->max + shm.workers)
			return false;
		pause_for((worker + 1) * 64 * (race + 1));
	}
	return false;
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
			if (!is_disabled(ch) && take_place(ch, worker))
				return ch;
		}
	}
	return NULL;
}

void pool_failed(const struct pool *p, uint32_t slot)
{
	if (p->autodisable)
		atomic_store_explicit(&shm_shared(slot)->disabled, 1, memory_order_relaxed);
}

void pool_release(uint32_t slot, unsigned worker)
{
	atomic_fetch_sub(&shm_cell(slot, worker)->v[V_ACTIVE], 1);
}
