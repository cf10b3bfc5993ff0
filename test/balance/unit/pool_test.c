// SPDX-License-Identifier: Apache-2.0
/* Pools and shared counters: turns, stickiness, limits over processes, slots over reloads. */
#include "test.h"

#include "pool_case.h"

#include <sys/wait.h>
#include <sched.h>

static void round_robin_is_exact(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1");
	unsigned taken[3] = {0};
	const struct addr who = client(0);
	for (int i = 0; i < 3001; i++) {
		struct attempt a = {0};
		const struct channel *ch = pool_take(c->pools[0], &a, &who, (unsigned)i % WORKERS, 0);
		taken[ch - c->pools[0]->groups[0].channels]++;
		pool_release(ch->slot, (unsigned)i % WORKERS);
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(taken[i], 1000, 1001);
	unload(c);
}

static void hash_is_sticky_and_spreads(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 1.1.1.4:1 %");
	unsigned taken[4] = {0};
	for (unsigned i = 0; i < 2000; i++) {
		const struct addr who = client(i);
		const struct channel *first = NULL;
		for (unsigned again = 0; again < 3; again++) {
			struct attempt a = {0};
			const struct channel *ch = pool_take(c->pools[0], &a, &who, again, 0);
			pool_release(ch->slot, again);
			assert_true(first == NULL || ch == first);
			first = ch;
		}
		taken[first - c->pools[0]->groups[0].channels]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(taken[i], 350, 650);
	unload(c);
}

/* Each channel once, group after group, wherever the turn begins; then nothing, however often one asks. */
static void failover_goes_through_the_groups(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 ! 2.2.2.1:1 2.2.2.2:1 % 3.3.3.3:1");
	const struct pool *p = c->pools[0];
	for (unsigned turn = 0; turn < 7; turn++) {
		const struct addr who = client(turn);
		struct attempt a = {0};
		for (size_t g = 0; g < p->n; g++) {
			unsigned seen = 0;
			for (size_t i = 0; i < p->groups[g].n; i++) {
				const struct channel *ch = pool_take(p, &a, &who, 0, 0);
				assert_true(ch >= p->groups[g].channels && ch < p->groups[g].channels + p->groups[g].n);
				assert_int_equal(seen & 1u << (ch - p->groups[g].channels), 0);
				seen |= 1u << (ch - p->groups[g].channels);
				pool_release(ch->slot, 0);
			}
		}
		assert_null(pool_take(p, &a, &who, 0, 0));
		assert_null(pool_take(p, &a, &who, 0, 0));
	}
	unload(c);
	c = load("pool p");
	struct attempt a = {0};
	const struct addr who = client(0);
	assert_null(pool_take(c->pools[0], &a, &who, 0, 0));
	unload(c);
}

static void disabled_channels_are_passed_over(void **state)
{
	(void)state;
	struct conf *c = load("pool p -a 1.1.1.1:1 1.1.1.2:1 ! 2.2.2.1:1\npool q 1.1.1.1:1");
	const struct pool *p = c->pools[0];
	const struct addr who = client(0);
	pool_failed(c->pools[1], c->pools[1]->groups[0].channels[0].slot); /* without -a a failure means nothing */
	assert_int_equal(shm_shared(c->pools[1]->groups[0].channels[0].slot)->disabled, 0);
	pool_failed(p, p->groups[0].channels[1].slot);
	for (int i = 0; i < 5; i++) {
		struct attempt a = {0};
		const struct channel *ch = pool_take(p, &a, &who, 0, 0);
		assert_ptr_equal(ch, p->groups[0].channels);
		pool_release(ch->slot, 0);
	}
	pool_failed(p, p->groups[0].channels[0].slot);
	struct attempt a = {0};
	assert_ptr_equal(pool_take(p, &a, &who, 0, 0), p->groups[1].channels);
	pool_release(p->groups[1].channels[0].slot, 0);
	/* Over a reload it stays as it is, and whoever gets the slot later begins enabled. */
	struct conf *d = load("pool p -a 1.1.1.2:1");
	const uint32_t slot = d->pools[0]->groups[0].channels[0].slot;
	assert_int_equal(shm_shared(slot)->disabled, 1);
	conf_free(c);
	unload(d);
	c = load("pool p 1.1.1.2:1");
	assert_int_equal(shm_shared(c->pools[0]->groups[0].channels[0].slot)->disabled, 0);
	unload(c);
}

/* -S: the channel the hash names or none of the group; -H, as without either: the next one. */
static void a_strict_hash_offers_one_channel(void **state)
{
	(void)state;
	struct conf *c = load("pool p -S 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 % 2.2.2.1:1\npool q -S -H 1.1.1.1:1 1.1.1.2:1 %");
	for (unsigned i = 0; i < 20; i++) {
		const struct addr who = client(i);
		struct attempt a = {0};
		const struct channel *ch = pool_take(c->pools[0], &a, &who, 0, 0);
		assert_true(ch < c->pools[0]->groups[0].channels + 3);
		pool_release(ch->slot, 0);
		ch = pool_take(c->pools[0], &a, &who, 0, 0);
		assert_ptr_equal(ch, c->pools[0]->groups[1].channels);
		pool_release(ch->slot, 0);
		assert_null(pool_take(c->pools[0], &a, &who, 0, 0));
		a = (struct attempt){0};
		for (int j = 0; j < 2; j++)
			pool_release(pool_take(c->pools[1], &a, &who, 0, 0)->slot, 0);
	}
	unload(c);
}

/* An id keeps the counters when the address changes, and tells channels to one address apart. */
static void ids_name_channels(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1#1 1.1.1.1:1:4#2");
	const uint32_t one = c->pools[0]->groups[0].channels[0].slot, two = c->pools[0]->groups[0].channels[1].slot;
	assert_int_not_equal(one, two);
	struct conf *d = load("pool p 3.3.3.3:1 ! 2.2.2.2:2#2 1.1.1.1:1#1");
	assert_int_equal(d->pools[0]->groups[1].channels[0].slot, two);
	assert_int_equal(d->pools[0]->groups[1].channels[1].slot, one);
	conf_free(c);
	unload(d);
}

static void full_channels_are_passed_over(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1:2 1.1.1.2:1:1 ! 2.2.2.1:1:1");
	const struct addr who = client(0);
	const struct channel *taken[5];
	for (int i = 0; i < 5; i++) {
		struct attempt a = {0};
		taken[i] = pool_take(c->pools[0], &a, &who, (unsigned)i % WORKERS, 0);
	}
	assert_true(taken[0] && taken[1] && taken[2]);
	assert_ptr_equal(taken[3], c->pools[0]->groups[1].channels);
	assert_null(taken[4]);
	pool_release(taken[0]->slot, 0);
	struct attempt a = {0};
	assert_ptr_equal(pool_take(c->pools[0], &a, &who, 3, 0), taken[0]);
	pool_release(taken[0]->slot, 3);
	for (int i = 1; i < 4; i++)
		pool_release(taken[i]->slot, (unsigned)i % WORKERS);
	assert_int_equal(shm_sum(taken[0]->slot, V_ACTIVE), 0);
	unload(c);
}

/* Four processes take and give back as fast as they can; a word in shared memory that each holder counts itself into says how many
 * hold a place at once. */
static void limit_holds_over_processes(void **state)
{
	enum { LIMIT = 3, ROUNDS = 60000 };
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1:3");
	const uint32_t slot = c->pools[0]->groups[0].channels[0].slot;
	struct {
		_Atomic long holders, most, successes;
	} *seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(seen != MAP_FAILED);
	for (unsigned w = 0; w < WORKERS; w++) {
		if (fork() != 0)
			continue;
		const struct addr who = client(w);
		unsigned held = 0;
		for (int i = 0; i < ROUNDS; i++) {
			struct attempt a = {0};
			if (held < 2 && pool_take(c->pools[0], &a, &who, w, 0) != NULL) {
				held++;
				atomic_fetch_add(&seen->successes, 1);
				long now = atomic_fetch_add(&seen->holders, 1) + 1, most = seen->most;
				while (now > most && !atomic_compare_exchange_weak(&seen->most, &most, now))
					;
			} else if (held > 0) {
				held--;
				atomic_fetch_sub(&seen->holders, 1);
				pool_release(slot, w);
			}
		}
		for (; held > 0; held--) {
			atomic_fetch_sub(&seen->holders, 1);
			pool_release(slot, w);
		}
		_exit(0);
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		int status;
		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_in_range(seen->most, 1, LIMIT);
	assert_true(seen->successes > ROUNDS / 10); /* the limit is used, not avoided */
	assert_int_equal(shm_sum(slot, V_ACTIVE), 0);
	munmap(seen, sizeof *seen);
	unload(c);
}

/* Simultaneous rushes on one free place. Every loser may step back and come again, but the place must not stay empty for good. */
static void a_place_does_not_stay_empty(void **state)
{
	enum { RUSHES = 300 };
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1:1");
	_Atomic long *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	_Atomic long *start = word, *done = word + 1, *winners = word + 2;
	for (unsigned w = 0; w < WORKERS; w++) {
		if (fork() != 0)
			continue;
		const struct addr who = client(w);
		for (long rush = 1; rush <= RUSHES; rush++) {
			while (*start < rush)
				sched_yield();
			struct attempt a = {0};
			const struct channel *ch = pool_take(c->pools[0], &a, &who, w, 0);
			if (ch != NULL)
				atomic_fetch_add(winners, 1);
			atomic_fetch_add(done, 1);
			while (*done < rush * WORKERS)
				sched_yield();
			if (ch != NULL)
				pool_release(ch->slot, w);
			atomic_fetch_add(done + 2, 1);
		}
		_exit(0);
	}
	for (long rush = 1; rush <= RUSHES; rush++) {
		*start = rush;
		while (done[2] < rush * WORKERS)
			sched_yield();
	}
	while (wait(NULL) > 0)
		;
	assert_true(*winners <= RUSHES);
	assert_true(*winners > RUSHES * 9 / 10);
	munmap((void *)(uintptr_t)word, 4096);
	unload(c);
}

static void counters_survive_a_reload(void **state)
{
	(void)state;
	struct conf *a = load("pool p 1.1.1.1:1 1.1.1.2:1 ! 1.1.1.1:1");
	const uint32_t one = a->pools[0]->groups[0].channels[0].slot, two = a->pools[0]->groups[0].channels[1].slot;
	assert_int_not_equal(one, a->pools[0]->groups[1].channels[0].slot); /* a backup is not its primary twin */
	shm_add(shm_cell(one, 2), V_TOTAL, 7);
	shm_add(shm_cell(two, 1), V_ACTIVE, 1);
	shm_add(shm_cell(two, 1), V_IN, 9);
	struct conf *b = load("pool q 9.9.9.9:1\npool p 1.1.1.9:1 1.1.1.1:1:5");
	assert_int_equal(b->pools[1]->groups[0].channels[1].slot, one); /* place and limit do not matter */
	assert_int_equal(shm_sum(one, V_TOTAL), 7);
	/* The removed one has a connection: it keeps its slot until that is gone. */
	slots_collect(&slots, generation);
	conf_free(a);
	struct conf *d = load("pool p 1.1.1.2:1");
	assert_int_equal(d->pools[0]->groups[0].channels[0].slot, two);
	assert_int_equal(shm_sum(two, V_IN), 9);
	conf_free(b);
	shm_add(shm_cell(two, 1), V_ACTIVE, (uint64_t)-1);
	unload(d);
	/* Now it is free; whoever gets it begins at zero. */
	struct conf *e = load("pool p 1.1.1.2:1");
	assert_int_equal(shm_sum(e->pools[0]->groups[0].channels[0].slot, V_IN), 0);
	unload(e);
}

static void slots_are_used_again(void **state)
{
	(void)state;
	uint32_t used = 0;
	for (int i = 0; i < 2000; i++) {
		char line[128];
		snprintf(line, sizeof line, "pool p%d 1.1.1.1:1 1.1.1.2:1 ! 1.1.1.3:1", i);
		struct conf *c = load(line);
		slots_collect(&slots, generation);
		conf_free(c);
		if (i == 10)
			used = slots.used;
		if (i > 10)
			assert_int_equal(slots.used, used);
	}
}

static void a_dead_worker_is_forgotten(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1:2");
	const uint32_t slot = c->pools[0]->groups[0].channels[0].slot;
	const struct addr who = client(0);
	for (unsigned w = 0; w < 2; w++) {
		struct attempt a = {0};
		assert_non_null(pool_take(c->pools[0], &a, &who, w, 0));
		shm_add(shm_cell(slot, w), V_TOTAL, 1);
	}
	struct attempt a = {0};
	assert_null(pool_take(c->pools[0], &a, &who, 2, 0));
	slots_forget_worker(&slots, 1);
	assert_int_equal(shm_sum(slot, V_ACTIVE), 1);
	assert_int_equal(shm_sum(slot, V_TOTAL), 2);
	a = (struct attempt){0};
	assert_non_null(pool_take(c->pools[0], &a, &who, 2, 0));
	pool_release(slot, 0);
	pool_release(slot, 2);
	unload(c);
}

/* More slots than a chunk holds: all are their own memory, in this process and in one that maps them later. */
static void many_slots(void **state)
{
	enum { MANY = 3 * SHM_CHUNK_SLOTS + 5 };
	(void)state;
	assert_int_equal(shm_map(MANY), 0);
	for (uint32_t i = slots.used; i < MANY; i++)
		for (unsigned w = 0; w < WORKERS; w++)
			for (unsigned v = 0; v < V_COUNT; v++)
				assert_int_equal(atomic_fetch_add(&shm_cell(i, w)->v[v], i * 100 + w * 10 + v), 0);
	for (uint32_t i = slots.used; i < MANY; i++)
		for (unsigned w = 0; w < WORKERS; w++)
			for (unsigned v = 0; v < V_COUNT; v++)
				assert_int_equal(shm_cell(i, w)->v[v], i * 100 + w * 10 + v);
	for (uint32_t i = slots.used; i < MANY; i++)
		shm_clear(i);
}

static int set_up(void **state)
{
	(void)state;
	return shm_init(WORKERS, WORKERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_robin_is_exact),      cmocka_unit_test(hash_is_sticky_and_spreads),
	    cmocka_unit_test(full_channels_are_passed_over), cmocka_unit_test(failover_goes_through_the_groups),
	    cmocka_unit_test(limit_holds_over_processes), cmocka_unit_test(a_place_does_not_stay_empty),
	    cmocka_unit_test(counters_survive_a_reload), cmocka_unit_test(slots_are_used_again),
	    cmocka_unit_test(a_dead_worker_is_forgotten), cmocka_unit_test(many_slots),
	    cmocka_unit_test(disabled_channels_are_passed_over), cmocka_unit_test(a_strict_hash_offers_one_channel),
	    cmocka_unit_test(ids_name_channels),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
