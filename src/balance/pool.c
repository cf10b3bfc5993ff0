// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. */
#include "pool.h"

#include "choose.h"
#include "place.h"
#include "shm.h"

static bool is_disabled(const struct channel *ch)
{
	return atomic_load_explicit(&shm_shared(ch->slot)->disabled, memory_order_relaxed) != 0;
}

static bool take_place(const struct channel *ch, unsigned worker)
{
	if (ch->max != 0)
		return place_take(ch->slot, V_ACTIVE, worker, ch->max);
	shm_add(shm_cell(ch->slot, worker), V_ACTIVE, 1);
	return true;
}

static void next_group(struct attempt *a)
{
	a->group++;
	a->tried = 0;
	a->skip = 0;
	a->ranked = false;
}

const struct channel *pool_take(const struct pool *p, struct attempt *a, const struct addr *client, unsigned worker,
                                uint64_t now_ms)
{
	struct choice c = {.pool = p, .attempt = a, .client = client, .worker = worker, .now_ms = now_ms};
	for (;;) {
		for (; a->group < p->n; next_group(a)) {
			c.group = &p->groups[a->group];
			const struct channel *ch = choose(&c);
			if (ch != NULL)
				return ch;
		}
		/* Nobody knows better than the channels themselves: when no other is left, trying those taken for dead can only help. But where a
		 * healthy one is merely full, its limit is the answer. */
		if (a->full || !a->sick || a->panic)
			return NULL;
		a->panic = true;
		a->group = 0;
	}
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
