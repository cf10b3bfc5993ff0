// SPDX-License-Identifier: Apache-2.0
/* slots: which listener, group or channel owns which counters. */
#include "slots.h"

#include "count.h"
#include "shm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool begins(const struct slot_owner *o, const char *kind)
{
	return strncmp(o->key, kind, strlen(kind)) == 0;
}

bool slots_is_gauge(const struct slot_owner *o, unsigned v)
{
	if (v == L_QUEUED && begins(o, CONF_LIMIT_KEY))
		return true;
	return v == V_ACTIVE && !begins(o, "code ") && !begins(o, "time ");
}

struct assigning {
	struct slots *slots;
	uint64_t generation;
	bool new_pool; /* the pool whose channels come now has not been there before */
};

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool fresh_slot(struct slots *s, uint32_t *slot)
{
	if (s->free_n > 0) {
		*slot = s->free[--s->free_n];
		return true;
	}
	if (s->used == UINT32_MAX - 1 || shm_map(s->used + 1) < 0)
		return false;
	*slot = s->used++;
	return true;
}

static bool keep_free(struct slots *s, uint32_t slot)
{
	if (s->free_n == s->free_cap) {
		size_t cap = s->free_cap ? s->free_cap * 2 : 64;
		uint32_t *p = realloc(s->free, cap * sizeof *p);
		if (p == NULL)
			return false;
		s->free = p;
		s->free_cap = cap;
	}
	s->free[s->free_n++] = slot;
	return true;
}

static struct slot_owner *new_owner(struct slots *s, const char *key, size_t len)
{
	struct slot_owner *o = malloc(sizeof *o + len + 1);
	if (o == NULL)
		return NULL;
	o->len = len;
	memcpy(o->key, key, len);
	o->key[len] = '\0';
	if (!fresh_slot(s, &o->slot)) {
		free(o);
		return NULL;
	}
	shm_clear(o->slot);
	count_forget(o->slot);
	if (!map_put(&s->owners, o->key, len, o)) {
		keep_free(s, o->slot);
		free(o);
		return NULL;
	}
	return o;
}

/* What was known of a channel that has left is forgotten: its address may be another pod's by now. Slow start is for who comes to others that are
 * warm. */
static void meet_channel(uint32_t slot, bool with_its_pool)
{
	struct shm_shared *row = shm_shared(slot);
	atomic_store(&row->since_ms, with_its_pool ? 0 : now_ms());
	atomic_store(&row->breaker, 0);
	atomic_store(&row->check, 0);
}

static bool assign(void *with, uint32_t *slot, const char *key, size_t len)
{
	struct assigning *a = with;
	struct slot_owner *o = map_get(&a->slots->owners, key, len);
	/* Connections may have kept the counters of what the generation before this one does not name. */
	const bool is_new = o == NULL || o->generation + 1 < a->generation;
	if (o == NULL && (o = new_owner(a->slots, key, len)) == NULL)
		return false;
	/* A pool's own key comes before those of its channels. */
	if (strncmp(key, "http ", strlen("http ")) == 0)
		a->new_pool = is_new;
	else if (is_new && begins(o, "channel "))
		meet_channel(o->slot, a->new_pool);
	o->generation = a->generation;
	*slot = o->slot;
	return true;
}

bool slots_assign(struct slots *s, struct conf *conf, uint64_t generation)
{
	struct assigning a = {.slots = s, .generation = generation};
	return conf_slots(conf, assign, &a);
}

void slots_each(const struct slots *s, void (*visit)(void *, const struct slot_owner *), void *with)
{
	for (size_t i = 0; i < s->owners.cap; i++)
		if (s->owners.at[i].value != NULL)
			visit(with, s->owners.at[i].value);
}

/* Somebody's decisions about a channel end when it leaves. */
static void forget_settings(uint32_t slot)
{
	atomic_store(&shm_shared(slot)->disabled, 0);
	atomic_store(&shm_shared(slot)->weight, 0);
}

void slots_collect(struct slots *s, uint64_t generation)
{
	/* Removing moves later entries back into the gap, so a place is looked at again until what stands there stays. */
	for (size_t i = 0; i < s->owners.cap;) {
		struct slot_owner *o = s->owners.at[i].value;
		if (o == NULL || o->generation >= generation) {
			i++;
			continue;
		}
		forget_settings(o->slot);
		if (shm_sum(o->slot, V_ACTIVE) > 0 || !keep_free(s, o->slot)) {
			i++;
			continue;
		}
		map_remove(&s->owners, o->key, o->len);
		free(o);
	}
}

void slots_forget_worker(const struct slots *s, unsigned worker)
{
	for (size_t i = 0; i < s->owners.cap; i++) {
		const struct slot_owner *o = s->owners.at[i].value;
		for (unsigned v = 0; o != NULL && v < V_COUNT; v++)
			if (slots_is_gauge(o, v))
				atomic_store(&shm_cell(o->slot, worker)->v[v], 0);
	}
}
