// SPDX-License-Identifier: Apache-2.0
/* timer: a hashed wheel for many timeouts that rarely fire. */
#include "timer.h"

#include <stddef.h>

enum { MASK = TIMER_SLOTS - 1, WORD = 64 };

static void mark_used(struct timer_wheel *w, size_t i)
{
	w->used[i / WORD] |= (uint64_t)1 << (i % WORD);
	w->words |= 1u << (i / WORD);
}

static void mark_unused(struct timer_wheel *w, size_t i)
{
	w->used[i / WORD] &= ~((uint64_t)1 << (i % WORD));
	if (w->used[i / WORD] == 0)
		w->words &= ~(1u << (i / WORD));
}

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
	mark_used(w, i);
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
		mark_unused(w, i);
	}
	return NULL;
}

/* Slots from the next one to the first that may hold a timer; TIMER_SLOTS when none does. Called before each wait, so without a loop. */
static uint64_t slots_until_used(const struct timer_wheel *w)
{
	const size_t i = w->tick & MASK, word = i / WORD, bit = i % WORD;
	const uint64_t here = w->used[word] >> bit;
	if (here != 0)
		return (uint64_t)__builtin_ctzll(here);
	/* The words behind this one, in a circle; at its end this one again, for the slots before the next one. */
	const uint32_t after = (uint32_t)((((uint64_t)w->words << TIMER_WORDS | w->words) >> (word + 1)) & ((1u << TIMER_WORDS) - 1));
	if (after == 0)
		return TIMER_SLOTS;
	const size_t ahead = (size_t)__builtin_ctz(after);
	return WORD - bit + ahead * WORD + (uint64_t)__builtin_ctzll(w->used[(word + 1 + ahead) % TIMER_WORDS]);
}

int timer_wait(const struct timer_wheel *w, uint64_t now_ms)
{
	const uint64_t n = slots_until_used(w);
	if (n >= TIMER_SLOTS)
		return -1;
	const uint64_t when = (w->tick + n) << TIMER_TICK_SHIFT;
	return when <= now_ms ? 0 : (int)(when - now_ms);
}
