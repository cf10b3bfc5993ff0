// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. */
#include "pool.h"

#include "health.h"
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

bool pool_enabled(const struct channel *ch)
{
	const struct shm_shared *s = shm_shared(ch->slot);
	const uint32_t weight = atomic_load_explicit(&s->weight, memory_order_relaxed);
	return atomic_load_explicit(&s->disabled, memory_order_relaxed) == 0 && (weight == 0 ? ch->weight > 0 : weight > 1);
}

/* Passed over for its health alone, a channel is kept in mind: see pool_take. */
static bool is_usable(const struct pool *p, const struct channel *ch, struct attempt *a, uint64_t now_ms)
{
	if (!pool_enabled(ch))
		return false;
	/* The second search is for those that the first passed over. */
	const bool healthy = health_usable(p, ch, now_ms);
	a->unhealthy |= !healthy;
	return healthy != a->desperate;
}

/* A place, and where the channel is half-open the right to be the one that tries it. */
static bool take(const struct pool *p, const struct channel *ch, struct attempt *a, unsigned worker, uint64_t now_ms)
{
	a->claim = 0;
	if (!take_place(ch, worker)) {
		a->full = true;
		return false;
	}
	if (a->desperate || health_begin(p, ch->slot, now_ms, &a->claim))
		return true;
	pool_release(ch->slot, worker);
	a->unhealthy = true;
	return false;
}

static uint32_t first_of(const struct group *g, const struct addr *client)
{
	uint64_t n = g->hash ? addr_hash(client)
	                     : atomic_fetch_add_explicit(&shm_shared(g->slot)->cursor, 1, memory_order_relaxed);
	return (uint32_t)(n % g->n);
}

static const struct channel *search(const struct pool *p, struct attempt *a, const struct addr *client, unsigned worker,
                                    uint64_t now_ms)
{
	for (; a->group < p->n; a->group++, a->tried = 0) {
		const struct group *g = &p->groups[a->group];
		if (a->tried == 0)
			a->start = first_of(g, client);
		const size_t offered = g->hash && p->strict_hash ? 1 : g->n;
		while (a->tried < offered) {
			const struct channel *ch = &g->channels[(a->start + a->tried++) % g->n];
			if (is_usable(p, ch, a, now_ms) && take(p, ch, a, worker, now_ms))
				return ch;
		}
	}
	return NULL;
}

const struct channel *pool_take(const struct pool *p, struct attempt *a, const struct addr *client, unsigned worker,
                                uint64_t now_ms)
{
	const struct channel *ch = search(p, a, client, worker, now_ms);
	/* Better to try a channel that is said to be ill than to refuse. But where a healthy one is merely full, its limit is the answer. */
	if (ch != NULL || a->desperate || !a->unhealthy || a->full)
		return ch;
	a->desperate = true;
	a->group = a->tried = 0;
	return search(p, a, client, worker, now_ms);
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
