// SPDX-License-Identifier: Apache-2.0
/* channel_state: what becomes of a channel right now, and what somebody at the control socket makes of it. */
#include "channel_state.h"

#include "shm.h"

#include <stdlib.h>
#include <string.h>

const char *channel_state_name(enum channel_state s)
{
	static const char *const names[] = {
	    [CHANNEL_UP] = "up",           [CHANNEL_DOWN] = "down",         [CHANNEL_EJECTED] = "ejected",
	    [CHANNEL_PROBING] = "probing", [CHANNEL_DISABLED] = "disabled", [CHANNEL_DRAINING] = "draining",
	};
	return names[s];
}

uint32_t channel_weight(const struct channel *ch)
{
	const uint32_t live = atomic_load_explicit(&shm_shared(ch->slot)->weight, memory_order_relaxed);
	return live > 0 ? live - 1 : 1;
}

/* What somebody decided comes before what was found out. */
enum channel_state channel_state(const struct pool *p, const struct channel *ch)
{
	(void)p;
	if (atomic_load_explicit(&shm_shared(ch->slot)->disabled, memory_order_relaxed) != 0)
		return CHANNEL_DISABLED;
	return channel_weight(ch) == 0 ? CHANNEL_DRAINING : CHANNEL_UP;
}

static void change(const struct channel *ch, const struct control_line *line)
{
	struct shm_shared *s = shm_shared(ch->slot);
	switch (line->change) {
	case CHANGE_DISABLE:
		atomic_store(&s->disabled, 1);
		return;
	case CHANGE_ENABLE:
		/* A drain is lifted too; another weight is nothing that keeps it from serving. */
		if (atomic_load(&s->weight) == 1)
			atomic_store(&s->weight, 0);
		atomic_store(&s->disabled, 0);
		return;
	case CHANGE_DRAIN:
		atomic_store(&s->weight, 1);
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

size_t channel_change(const struct pool *p, const struct control_line *line)
{
	size_t n = 0;
	for (size_t g = 0; g < p->n; g++) {
		for (size_t i = 0; i < p->groups[g].n; i++) {
			const struct channel *ch = &p->groups[g].channels[i];
			if (!same_address(&ch->addr, &line->channel))
				continue;
			change(ch, line);
			n++;
		}
	}
	return n;
}
