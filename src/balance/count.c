// SPDX-License-Identifier: Apache-2.0
/* count: counters as the control socket tells them. */
#include "count.h"

#include "shm.h"

#include <stdlib.h>
#include <string.h>

/* Where the numbers stood at the last reset, by slot; none until there was one. */
static struct base {
	uint64_t v[V_COUNT];
} *bases;
static uint32_t bases_n;

uint64_t count_of(uint32_t slot, unsigned v)
{
	return shm_sum(slot, v) - (slot < bases_n ? bases[slot].v[v] : 0);
}

static void note(void *with, const struct slot_owner *o)
{
	struct base *b = &((struct base *)with)[o->slot];
	for (unsigned v = 0; v < V_COUNT; v++)
		b->v[v] = slots_is_gauge(o, v) ? 0 : shm_sum(o->slot, v);
	/* Not a worker's cell but a word that all add to atomically. */
	atomic_store(&shm_shared(o->slot)->ejections, 0);
}

bool count_reset(const struct slots *s)
{
	if (s->used > bases_n) {
		struct base *more = realloc(bases, s->used * sizeof *more);
		if (more == NULL)
			return false;
		memset(more + bases_n, 0, (s->used - bases_n) * sizeof *more);
		bases = more;
		bases_n = s->used;
	}
	slots_each(s, note, bases);
	return true;
}

void count_forget(uint32_t slot)
{
	if (slot < bases_n)
		bases[slot] = (struct base){0};
}
