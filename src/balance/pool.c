// SPDX-License-Identifier: Apache-2.0
/* pool: which channel is next. */
#include "pool.h"

#include "choose.h"
#include "health.h"

static void next_group(struct attempt *a)
{
	a->group++;
	a->tried = 0;
	a->skip = 0;
	a->drawn = false;
	a->ranked = false;
}

static const struct channel *search(const struct pool *p, struct attempt *a, const struct addr *client, unsigned worker,
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

const struct channel *pool_take(const struct pool *p, struct attempt *a, const struct addr *client, unsigned worker,
                                uint64_t now_ms)
{
	const struct channel *ch = a->group < p->n ? choose_plain(&p->groups[a->group], a, worker) : NULL;
	return ch != NULL ? ch : search(p, a, client, worker, now_ms);
}

/* Whether a channel is back, only a new connection tells: one that was there before does not go to it meanwhile. */
static bool take_healthy(const struct choice *c, const struct channel *ch)
{
	if (!choose_this(c, ch))
		return false;
	if (c->attempt->claim == 0)
		return true;
	health_yield(ch->slot, c->now_ms, c->attempt->claim);
	pool_release(ch->slot, c->worker);
	return false;
}

bool pool_take_channel(const struct pool *p, uint32_t slot, unsigned worker, uint64_t now_ms)
{
	struct attempt unused = {0};
	struct choice c = {.pool = p, .attempt = &unused, .worker = worker, .now_ms = now_ms};
	for (size_t g = 0; g < p->n; g++) {
		c.group = &p->groups[g];
		for (size_t i = 0; i < c.group->n; i++)
			if (c.group->channels[i].slot == slot)
				return take_healthy(&c, &c.group->channels[i]);
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
	atomic_fetch_sub(&shm_cell(slot, worker)->v[V_ACTIVE], 1);
}
