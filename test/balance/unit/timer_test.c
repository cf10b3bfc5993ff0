// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "timer.h"

enum { TICK = 1 << TIMER_TICK_SHIFT, ROUND = TIMER_SLOTS * TICK };

/* A timer as its owners use it: what counts is `due`, and one that comes up early is set again. */
struct owner {
	struct timer timer;
	uint64_t due; /* 0: not waiting */
	unsigned fired;
};

static struct owner *owner_of(struct timer *t)
{
	return (struct owner *)(void *)((char *)t - offsetof(struct owner, timer));
}

/* Fires what is due; returns how many came up early. */
static unsigned sweep(struct timer_wheel *w, uint64_t now)
{
	unsigned early = 0, steps = 0;
	for (struct timer *t; (t = timer_due(w, now)) != NULL;) {
		struct owner *o = owner_of(t);
		assert_null(t->link);
		assert_true(++steps < 100000);
		if (o->due > now) {
			early++;
			timer_set(w, t, o->due);
			continue;
		}
		o->fired++;
		o->due = 0;
	}
	return early;
}

static void fires_on_time_and_never_early(void **state)
{
	(void)state;
	for (uint64_t delay = 0; delay < 3 * TICK; delay++) {
		for (uint64_t start = 1000000; start < 1000000 + TICK; start += 7) {
			struct timer_wheel w;
			struct owner o = {.due = start + delay};
			timer_init(&w, start);
			timer_set(&w, &o.timer, o.due);
			for (uint64_t now = start; o.fired == 0; now++) {
				assert_int_equal(sweep(&w, now), 0);
				if (o.fired)
					assert_in_range(now, start + delay, start + delay + TICK);
			}
		}
	}
}

static void beyond_a_round_is_set_again(void **state)
{
	struct timer_wheel w;
	struct owner o = {.due = 5 * (uint64_t)ROUND + 12345};
	unsigned early = 0;
	uint64_t now = 0;
	(void)state;
	timer_init(&w, 0);
	timer_set(&w, &o.timer, o.due);
	while (o.fired == 0) {
		int wait = timer_wait(&w, now);
		assert_in_range(wait, 0, ROUND);
		now += wait > 0 ? (uint64_t)wait : 1;
		early += sweep(&w, now);
	}
	assert_in_range(now, 5 * (uint64_t)ROUND + 12345, 5 * (uint64_t)ROUND + 12345 + TICK);
	assert_in_range(early, 5, 6); /* once a round */

	assert_int_equal(timer_wait(&w, now + ROUND), -1);
}

static void a_later_deadline_costs_nothing(void **state)
{
	struct timer_wheel w;
	struct owner o = {.due = 10 * TICK};
	(void)state;
	timer_init(&w, 0);
	timer_set(&w, &o.timer, o.due);
	const uint64_t tick = o.timer.tick;
	timer_set(&w, &o.timer, 500 * TICK);
	assert_int_equal(o.timer.tick, tick);
	timer_set(&w, &o.timer, UINT64_MAX);
	assert_int_equal(o.timer.tick, tick);
	timer_set(&w, &o.timer, 3 * TICK);
	assert_int_equal(o.timer.tick, 4);
	timer_clear(&o.timer);
	timer_clear(&o.timer);
	assert_null(timer_due(&w, 1000 * TICK));
}

/* Many owners, random deadlines, random clock steps with long stops among them: all fire, none early, none late by more than a
 * tick after the clock was looked at. */
static void random_use(void **state)
{
	enum { OWNERS = 300 };
	static struct owner owners[OWNERS];
	struct timer_wheel w;
	uint64_t random = 7, now = 123456789;
	(void)state;
	timer_init(&w, now);
	for (int step = 0; step < 20000; step++) {
		struct owner *o = &owners[random_next(&random) % OWNERS];
		switch (random_next(&random) % 4) {
		case 0:
			timer_clear(&o->timer);
			o->due = 0;
			break;
		default:
			if (o->due == 0) {
				timer_clear(&o->timer);
				o->due = now + random_next(&random) % (step % 3 ? 5000 : 3 * ROUND);
				timer_set(&w, &o->timer, o->due);
			}
		}
		now += random_next(&random) % 64;
		if (step % 500 == 0)
			now += random_next(&random) % (4 * ROUND); /* stopped, or idle without a timer */
		sweep(&w, now);
		for (int i = 0; i < OWNERS; i++)
			if (owners[i].due != 0)
				assert_true(owners[i].due + TICK > now);
		if (step % 100 == 0) {
			int wait = timer_wait(&w, now);
			for (int i = 0; i < OWNERS; i++)
				if (owners[i].due != 0)
					assert_true(wait >= 0 && now + (uint64_t)wait <= owners[i].due + TICK);
		}
	}
}

/* A worker that slept without timers sees the clock jump before its first timer is set: that one must still be waited for. */
static void set_with_a_stale_wheel(void **state)
{
	(void)state;
	for (uint64_t idle = 0; idle < 4 * (uint64_t)ROUND; idle += 777) {
		struct timer_wheel w;
		struct owner o = {.due = idle + 60000};
		timer_init(&w, 0);
		timer_set(&w, &o.timer, o.due);
		assert_true(sweep(&w, idle) <= 2);
		assert_int_equal(o.fired, 0);
		uint64_t now = idle;
		for (unsigned turns = 0; o.fired == 0; turns++) {
			assert_true(turns < 4);
			int wait = timer_wait(&w, now);
			assert_true(wait >= 0);
			now += (uint64_t)wait;
			sweep(&w, now);
		}
		assert_in_range(now, o.due, idle + 60000 + TICK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fires_on_time_and_never_early), cmocka_unit_test(beyond_a_round_is_set_again),
	    cmocka_unit_test(a_later_deadline_costs_nothing), cmocka_unit_test(random_use),
	    cmocka_unit_test(set_with_a_stale_wheel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
