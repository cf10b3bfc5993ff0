// SPDX-License-Identifier: Apache-2.0
/* limit: what a connection holds of its pool's limits. */
#include "limit.h"

#include "clients.h"
#include "place.h"
#include "queue.h"

#include <stdlib.h>

void limit_enter(struct worker *w, struct conn *c, const struct pool *pool)
{
	limit_leave(w, c);
	c->had_channel = false;
	c->limit_slot = pool->limit_slot;
}

/* Pools have keys of their own beside the rules' (ops.c), which are small numbers: the complement of a slot is a large one. */
static uint64_t client_key(const struct conn *c, const struct pool *pool)
{
	return addr_hash(&c->core.client) ^ (uint64_t)~pool->limit_slot * 0x9e3779b97f4a7c15u;
}

static bool take_client(struct worker *w, struct conn *c, const struct pool *pool, uint32_t limit)
{
	/* Whoever is not known can't be told apart from others who are not. */
	if (pool->client_limit == 0 || c->ticket != 0 || c->core.client.len == 0)
		return true;
	c->ticket = clients_take(w->id, client_key(c, pool), limit);
	return c->ticket != 0;
}

bool limit_take_client(struct worker *w, struct conn *c, const struct pool *pool)
{
	return take_client(w, c, pool, pool->client_limit);
}

bool limit_take_place(struct worker *w, struct conn *c, const struct pool *pool)
{
	if (pool->maxconn != 0 && !c->has_place)
		c->has_place = place_take(pool->limit_slot, V_ACTIVE, w->id, pool->maxconn);
	return pool->maxconn == 0 || c->has_place;
}

void limit_give_place(struct worker *w, struct conn *c)
{
	if (c->has_place)
		place_give(c->limit_slot, V_ACTIVE, w->id);
	c->has_place = false;
}

void limit_leave_slot(struct worker *w, struct conn *c)
{
	const uint32_t slot = c->limit_slot;
	const bool used = c->has_place || c->had_channel;
	limit_give_place(w, c);
	if (c->ticket != 0)
		clients_release(w->id, c->ticket);
	c->ticket = 0;
	c->had_channel = false;
	c->limit_slot = NO_SLOT;
	if (used)
		queue_freed(w, slot);
}

static const struct pool **pools_by_channel(const struct conf *conf, uint32_t slots)
{
	const struct pool **by = NULL;
	for (size_t p = 0; p < conf->pools_n; p++) {
		const struct pool *pool = conf->pools[p];
		if (pool->limit_slot == NO_SLOT)
			continue;
		if (by == NULL && (by = calloc(slots, sizeof *by)) == NULL)
			worker_die("limits");
		for (size_t g = 0; g < pool->n; g++)
			for (size_t i = 0; i < pool->groups[g].n; i++)
				by[pool->groups[g].channels[i].slot] = pool;
	}
	return by;
}

void limit_adopt(struct worker *w)
{
	/* The idle lists have just been made to have one entry for each slot. */
	const struct pool **by = pools_by_channel(w->env.conf, w->idle_cap);
	for (struct conn *c = w->all; by != NULL && c != NULL; c = c->sibling) {
		const struct pool *pool = c->slot < w->idle_cap ? by[c->slot] : NULL;
		if (pool == NULL)
			continue;
		if (c->limit_slot != pool->limit_slot)
			limit_leave(w, c); /* of a time when the pool had limits before */
		c->limit_slot = pool->limit_slot;
		c->had_channel = true;
		take_client(w, c, pool, UINT32_MAX);
		if (pool->maxconn != 0 && !c->has_place) {
			place_add(pool->limit_slot, V_ACTIVE, w->id);
			c->has_place = true;
		}
	}
	free(by);
}
