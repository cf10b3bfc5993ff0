// SPDX-License-Identifier: Apache-2.0
/* timer: a hashed wheel for many timeouts that rarely fire. */
#include "timer.h"

#include <stddef.h>

enum { MASK = TIMER_SLOTS - 1 };

void timer_init(struct timer_wheel *w, uint64_t now_ms)
{
	*w = (struct timer_wheel){.tick = now_ms >> TIMER_TICK_SHIFT};
}

void timer_clear(struct timer *t)
{
	if (t->link == NULL)
		return;
	*t->link = t->next;
	if (t->next != NULL)
		t->next->link = t->link;
	t->link = NULL;
}

void timer_set(struct timer_wheel *w, struct timer *t, uint64_t when_ms)
{
	if (when_ms == UINT64_MAX)
		return;
	/* Rounded up, so that a timer never fires before its time for want of resolution. */
	uint64_t tick = (when_ms >> TIMER_TICK_SHIFT) + 1;
	if (tick < w->tick)
		tick = w->tick;
	if (tick > w->tick + MASK)
		tick = w->tick + MASK;
	if (t->link != NULL) {
		if (t->tick <= tick)
			return;
		timer_clear(t);
	}
	size_t i = tick & MASK;
	t->tick = tick;
	t->next = w->slot[i];
	t->link = &w->slot[i];
	if (t->next != NULL)
		t->next->link = &t->next;
	w->slot[i] = t;
	w->used[i / 64] |= (uint64_t)1 << (i % 64);
}

struct timer *timer_due(struct timer_wheel *w, uint64_t now_ms)
{
	uint64_t now = now_ms >> TIMER_TICK_SHIFT;
	/* After a long stop one round visits every slot; more would find nothing new. */
	if (now > w->tick + TIMER_SLOTS)
		w->tick = now - TIMER_SLOTS;
	for (; w->tick <= now; w->tick++) {
		size_t i = w->tick & MASK;
		struct timer *t = w->slot[i];
		if (t != NULL) {
			timer_clear(t);
			return t;
		}
		w->used[i / 64] &= ~((uint64_t)1 << (i % 64));
	}
	return NULL;
}

int timer_wait(const struct timer_wheel *w, uint64_t now_ms)
{
	for (uint64_t n = 0; n < TIMER_SLOTS;) {
		size_t i = (w->tick + n) & MASK;
		uint64_t bits = w->used[i / 64] >> (i % 64);
		if (bits == 0) {
			n += 64 - i % 64;
			continue;
		}
		n += (uint64_t)__builtin_ctzll(bits);
		uint64_t when = (w->tick + n) << TIMER_TICK_SHIFT;
		return when <= now_ms ? 0 : (int)(when - now_ms);
	}
	return -1;
}
