// SPDX-License-Identifier: Apache-2.0
/* channel_state: what becomes of a channel right now, and what somebody at the control socket makes of it. */
#include "channel_state.h"

#include "health.h"
#include "pool.h"
#include "shm.h"

#include <stdlib.h>
#include <string.h>

/* In shm_shared.weight: weight 0 by command. */
enum { DRAINED = 1 };

static const char *const names[] = {
    [CHANNEL_UP] = "up",           [CHANNEL_DOWN] = "down",         [CHANNEL_EJECTED] = "ejected",
    [CHANNEL_PROBING] = "probing", [CHANNEL_DISABLED] = "disabled", [CHANNEL_DRAINING] = "draining",
};

const char *channel_state_name(enum channel_state s)
{
	return names[s];
}

/* What somebody decided comes before what was found out. */
enum channel_state channel_state(const struct pool *p, const struct channel *ch, uint64_t now_ms)
{
	if (atomic_load_explicit(&shm_shared(ch->slot)->disabled, memory_order_relaxed) != 0)
		return CHANNEL_DISABLED;
	if (pool_weight(ch) == 0)
		return CHANNEL_DRAINING;
	const char *state = health_state(p, ch->slot, now_ms);
	for (enum channel_state s = CHANNEL_DOWN; s <= CHANNEL_PROBING; s++)
		if (strcmp(state, names[s]) == 0)
			return s;
	return CHANNEL_UP;
}

static void enable(const struct channel *ch, struct shm_shared *s, uint64_t now_ms)
{
	/* A drain is lifted too; another weight is nothing that keeps it from serving. */
	if (atomic_load(&s->disabled) != 0 || pool_weight(ch) == 0)
		atomic_store(&s->since_ms, now_ms);
	if (atomic_load(&s->weight) == DRAINED)
		atomic_store(&s->weight, 0);
	atomic_store(&s->disabled, 0);
}

static void change(const struct channel *ch, const struct control_line *line, uint64_t now_ms)
{
	struct shm_shared *s = shm_shared(ch->slot);
	switch (line->change) {
	case CHANGE_DISABLE:
		atomic_store(&s->disabled, 1);
		return;
	case CHANGE_ENABLE:
		enable(ch, s, now_ms);
		return;
	case CHANGE_DRAIN:
		atomic_store(&s->weight, DRAINED);
		return;
	case CHANGE_WEIGHT:
		atomic_store(&s->weight, line->number + 1);
		return;
	}
}

static bool same_address(const struct addr *a, const struct addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port && memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
	return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

size_t channel_change(const struct pool *p, const struct control_line *line, uint64_t now_ms)
{
	size_t n = 0;
	for (size_t g = 0; g < p->n; g++) {
		for (size_t i = 0; i < p->groups[g].n; i++) {
			const struct channel *ch = &p->groups[g].channels[i];
			if (!same_address(&ch->addr, &line->channel))
				continue;
			change(ch, line, now_ms);
			n++;
		}
		atomic_fetch_add(&shm_shared(p->groups[g].slot)->weights_version, 1);
	}
	return n;
}

typedef void visit(const struct channel *, void *with);

static void each(const struct conf *c, visit *visit, void *with)
{
	for (size_t p = 0; p < c->pools_n; p++)
		for (size_t g = 0; g < c->pools[p]->n; g++)
			for (size_t i = 0; i < c->pools[p]->groups[g].n; i++)
				visit(&c->pools[p]->groups[g].channels[i], with);
}

static void raise_slots(const struct channel *ch, void *with)
{
	size_t *n = with;
	if (atomic_load(&shm_shared(ch->slot)->weight) > DRAINED && ch->slot >= *n)
		*n = (size_t)ch->slot + 1;
}

struct weights {
	uint32_t *by_slot; /* plus one; 0: the channel is new */
	size_t n;
};

static void note_weight(const struct channel *ch, void *with)
{
	const struct weights *w = with;
	if (ch->slot < w->n)
		w->by_slot[ch->slot] = ch->weight + 1;
}

static void drop_changed(const struct channel *ch, void *with)
{
	const struct weights *w = with;
	_Atomic uint32_t *live = &shm_shared(ch->slot)->weight;
	if (ch->slot < w->n && w->by_slot[ch->slot] != 0 && w->by_slot[ch->slot] != ch->weight + 1 && atomic_load(live) > DRAINED)
		atomic_store(live, 0);
}

bool channel_reconcile(const struct conf *old, const struct conf *coming)
{
	struct weights w = {0};
	/* As a rule nobody has set a weight, and nothing is to be done. */
	each(old, raise_slots, &w.n);
	if (w.n == 0)
		return true;
	if ((w.by_slot = calloc(w.n, sizeof *w.by_slot)) == NULL)
		return false;
	each(old, note_weight, &w);
	each(coming, drop_changed, &w);
	free(w.by_slot);
	return true;
}
