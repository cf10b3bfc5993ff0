// SPDX-License-Identifier: Apache-2.0
/* timer: a hashed wheel for many timeouts that rarely fire.
 *
 * Activity only moves a deadline kept elsewhere; a timer that comes up early is simply set again by its owner. So a byte relayed costs no
 * timer work, and a connection is touched about once per round of the wheel. */
#ifndef BALANCE_TIMER_H
#define BALANCE_TIMER_H

#include <stdint.h>

enum { TIMER_TICK_SHIFT = 6, TIMER_SLOTS = 1024, TIMER_WORDS = TIMER_SLOTS / 64 }; /* 64 ms a tick, 65 s a round */

struct timer {
	struct timer *next, **link; /* link NULL: not set */
	uint64_t tick;
	unsigned kind; /* for the owner, to tell what the timer is a part of */
};

struct timer_wheel {
	struct timer *slot[TIMER_SLOTS];
	uint64_t used[TIMER_WORDS]; /* slots that may hold a timer */
	uint32_t words;             /* which of these are not all zero */
	uint64_t tick;                   /* everything before it has been fired */
};

void timer_init(struct timer_wheel *, uint64_t now_ms);

/* Fires at `when` or, if it lies beyond a round, earlier; does nothing when the timer is set to fire before that anyway.
 * UINT64_MAX leaves the timer as it is. */
void timer_set(struct timer_wheel *, struct timer *, uint64_t when_ms);
void timer_clear(struct timer *);

/* Removes and returns one timer that is due, or NULL. */
struct timer *timer_due(struct timer_wheel *, uint64_t now_ms);

/* Milliseconds until the next timer may be due, or -1 when none is set. */
int timer_wait(const struct timer_wheel *, uint64_t now_ms);

#endif
