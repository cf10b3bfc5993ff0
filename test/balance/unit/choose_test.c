// SPDX-License-Identifier: Apache-2.0
/* Strategies: who gets a connection, and how much of them. */
#include "test.h"

#include "pool_case.h"

#include "health.h"
#include "rank.h"

#include <signal.h>
#include <sys/wait.h>

enum { MANY = 1000, NOW = 1000000 };

static const struct channel *take(const struct conf *c, unsigned who, unsigned worker, uint64_t now)
{
	const struct addr a = client(who);
	struct attempt attempt = {0};
	return pool_take(c->pools[0], &attempt, &a, worker, now);
}

static size_t index_of(const struct conf *c, const struct channel *ch)
{
	assert_non_null(ch);
	return (size_t)(ch - c->pools[0]->groups[0].channels);
}

static struct shm_shared *row(const struct conf *c, size_t i)
{
	return shm_shared(c->pools[0]->groups[0].channels[i].slot);
}

static uint64_t active(const struct conf *c, size_t i)
{
	return shm_sum(c->pools[0]->groups[0].channels[i].slot, V_ACTIVE);
}

/* What a command does. */
static void weigh(const struct conf *c, size_t i, uint32_t weight)
{
	atomic_store(&row(c, i)->weight, weight + 1);
	atomic_fetch_add(&shm_shared(c->pools[0]->groups[0].slot)->weights_version, 1);
}

/* Takes and gives back `rounds` times, clients one after the other, and says who had how many. */
static void spread(const struct conf *c, unsigned rounds, uint64_t now, unsigned *had)
{
	for (unsigned i = 0; i < rounds; i++) {
		const struct channel *ch = take(c, i, i % WORKERS, now);
		had[index_of(c, ch)]++;
		pool_release(ch->slot, i % WORKERS);
	}
}

static struct conf *many(const char *options, unsigned n, const char *suffix)
{
	char *text = malloc(n * 32 + 100);
	assert_non_null(text);
	size_t at = (size_t)sprintf(text, "pool p %s", options);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, " 10.9.%u.%u:80%s", i / 250, i % 250, suffix);
	struct conf *c = load(text);
	free(text);
	return c;
}

static void clear_active(const struct conf *c)
{
	for (size_t i = 0; i < c->pools[0]->groups[0].n; i++)
		for (unsigned w = 0; w < WORKERS; w++)
			atomic_store(&shm_cell(c->pools[0]->groups[0].channels[i].slot, w)->v[V_ACTIVE], 0);
}

static void weights_share_the_turns(void **state)
{
	static const unsigned weights[] = {1, 2, 0, 5, 256};
	unsigned had[5] = {0};
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1*2 1.1.1.3:1*0 1.1.1.4:1:9*5#3 1.1.1.5:1*256");
	spread(c, 264 * 10, NOW, had);
	for (int i = 0; i < 5; i++)
		assert_int_equal(had[i], weights[i] * 10);
	unload(c);
	c = load("pool p 1.1.1.1:1*0 1.1.1.2:1*0 ! 2.2.2.2:1");
	assert_ptr_equal(take(c, 0, 0, NOW), c->pools[0]->groups[1].channels);
	pool_release(c->pools[0]->groups[1].channels[0].slot, 0);
	unload(c);
}

/* What one channel leaves is shared by all others, not inherited by its neighbour. */
static void a_missing_channel_burdens_all_alike(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 1.1.1.4:1 1.1.1.5:1");
	unsigned had[5] = {0};
	row(c, 2)->disabled = 1;
	spread(c, 4001, NOW, had);
	for (int i = 0; i < 5; i++)
		assert_in_range(had[i], i == 2 ? 0 : 1000, i == 2 ? 0 : 1001);
	/* Nor when it is full. */
	unload(c);
	c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1:1 1.1.1.4:1 1.1.1.5:1");
	unsigned rest[5] = {0};
	shm_add(shm_cell(c->pools[0]->groups[0].channels[2].slot, 3), V_ACTIVE, 1);
	spread(c, 4001, NOW, rest);
	for (int i = 0; i < 5; i++)
		assert_in_range(rest[i], i == 2 ? 0 : 1000, i == 2 ? 0 : 1001);
	shm_add(shm_cell(c->pools[0]->groups[0].channels[2].slot, 3), V_ACTIVE, (uint64_t)-1);
	unload(c);
	/* Of thousands, with most of them gone in one piece, those that are left still have about the same. */
	c = many("", MANY, "");
	static unsigned of[MANY];
	for (unsigned i = 0; i < MANY - 10; i++)
		row(c, i)->disabled = 1;
	spread(c, 10000, NOW, of);
	for (unsigned i = 0; i < MANY; i++)
		assert_in_range(of[i], i < MANY - 10 ? 0 : 850, i < MANY - 10 ? 0 : 1150);
	unload(c);
}

/* Nor when it does not answer: the second try goes to anybody, by weight. */
static void second_tries_go_to_anybody(void **state)
{
	unsigned had[5] = {0};
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1*2 1.1.1.4:1 1.1.1.5:1");
	for (unsigned i = 0; i < 30000; i++) {
		const struct addr who = client(i);
		struct attempt a = {0};
		const struct channel *ch = pool_take(c->pools[0], &a, &who, 0, NOW);
		pool_release(ch->slot, 0);
		if (index_of(c, ch) == 1) {
			ch = pool_take(c->pools[0], &a, &who, 0, NOW);
			pool_release(ch->slot, 0);
			had[index_of(c, ch)]++;
		}
	}
	for (int i = 0; i < 5; i++)
		assert_in_range(had[i], i == 1 ? 0 : i == 2 ? 1850 : 900, i == 1 ? 0 : i == 2 ? 2150 : 1100);
	unload(c);
}

/* Whatever the strategy: each channel once, then the next group, then nothing, however often one asks. */
static void each_channel_is_tried_once(void **state)
{
	static const char *const options[] = {"", "lb=leastconn", "lb=p2c", "lb=hash", "lb=first", "lb=hash slow-start=9"};
	static const char *const suffixes[] = {"", ":100", "*3"};
	(void)state;
	for (size_t o = 0; o < COUNT(options); o++) {
		for (size_t s = 0; s < COUNT(suffixes); s++) {
			for (unsigned n = 1; n <= 320; n = n * 3 + n % 2) {
				struct conf *c = many(options[o], n, suffixes[s]);
				struct attempt a = {0};
				const struct addr who = client(n);
				unsigned char seen[512] = {0};
				row(c, n / 2)->disabled = n > 1;
				for (unsigned i = n > 1; i < n; i++) {
					const struct channel *ch = pool_take(c->pools[0], &a, &who, 0, NOW);
					assert_int_equal(seen[index_of(c, ch)]++, 0);
					assert_false(n > 1 && index_of(c, ch) == n / 2);
					pool_release(ch->slot, 0);
				}
				assert_null(pool_take(c->pools[0], &a, &who, 0, NOW));
				assert_null(pool_take(c->pools[0], &a, &who, 0, NOW));
				assert_false(a.full);
				unload(c);
			}
		}
	}
}

static void when_all_are_full_it_says_so(void **state)
{
	static const char *const options[] = {"", "lb=leastconn", "lb=p2c", "lb=hash", "lb=first", "-H"};
	(void)state;
	for (size_t o = 0; o < COUNT(options); o++) {
		char line[200];
		snprintf(line, sizeof line, "pool p %s 1.1.1.1:1:2 1.1.1.2:1:1 1.1.1.3:1:1 %s", options[o], o == 5 ? "%" : "");
		struct conf *c = load(line);
		for (unsigned i = 0; i < 4; i++)
			assert_non_null(take(c, i, i, NOW));
		for (unsigned i = 0; i < 10; i++) {
			const struct addr who = client(i);
			struct attempt a = {0};
			assert_null(pool_take(c->pools[0], &a, &who, i % WORKERS, NOW));
			assert_true(a.full);
		}
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(active(c, i), i == 0 ? 2 : 1);
		clear_active(c);
		unload(c);
	}
}

static void a_weight_by_command_is_obeyed(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1*4");
	unsigned before[3] = {0}, drained[3] = {0}, heavy[3] = {0}, kept[3] = {0};
	spread(c, 600, NOW, before);
	assert_int_equal(before[0], 100);
	weigh(c, 2, 0);
	spread(c, 600, NOW, drained);
	assert_in_range(drained[0], 299, 301);
	assert_int_equal(drained[2], 0);
	weigh(c, 1, 10);
	weigh(c, 2, 1);
	spread(c, 1200, NOW, heavy);
	assert_in_range(heavy[0], 99, 101);
	assert_in_range(heavy[1], 998, 1002);
	/* It outlives a reload, in which the channel may stand elsewhere. */
	struct conf *d = load("pool p 1.1.1.2:1 1.1.1.3:1*4 1.1.1.1:1");
	conf_free(c);
	spread(d, 1200, NOW, kept);
	assert_in_range(kept[0], 998, 1002);
	assert_in_range(kept[1], 99, 101);
	unload(d);
}

/* The other strategies give a drained channel nothing either, at once. */
static void drain_holds_for_every_strategy(void **state)
{
	static const char *const options[] = {"", "lb=leastconn", "lb=p2c", "lb=hash", "lb=first", "-H"};
	(void)state;
	for (size_t o = 0; o < COUNT(options); o++) {
		char line[200];
		unsigned before[3] = {0}, after[3] = {0};
		snprintf(line, sizeof line, "pool p %s 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 %s", options[o], o == 5 ? "%" : "");
		struct conf *c = load(line);
		spread(c, 300, NOW, before);
		assert_true(before[0] > 0);
		weigh(c, 0, 0);
		spread(c, 300, NOW, after);
		assert_int_equal(after[0], 0);
		assert_int_equal(after[1] + after[2], 300);
		unload(c);
	}
}

/* Who is found dead gets nothing from any strategy; when all are, all are tried, for who knows. */
static void health_holds_for_every_strategy(void **state)
{
	static const char *const options[] = {"", "lb=leastconn", "lb=p2c", "lb=hash", "lb=first", "slow-start=9", "-H"};
	(void)state;
	for (size_t o = 0; o < COUNT(options); o++) {
		char line[200];
		unsigned had[3] = {0};
		snprintf(line, sizeof line, "pool p check=tcp fall=1 %s 1.1.1.1:1:5 1.1.1.2:1*2 1.1.1.3:1 %s", options[o], o == 6 ? "%" : "");
		struct conf *c = load(line);
		const struct pool *p = c->pools[0];
		health_checked(&p->check, p->groups[0].channels[0].slot, NOW, false);
		spread(c, 300, NOW, had);
		assert_int_equal(had[0], 0);
		assert_int_equal(had[1] + had[2], 300);
		/* The second try of one connection does not go there either, while there are others. */
		const struct addr who = client(1);
		struct attempt a = {0};
		for (int i = 0; i < 2; i++) {
			const struct channel *ch = pool_take(p, &a, &who, 0, NOW);
			assert_int_not_equal(index_of(c, ch), 0);
			pool_release(ch->slot, 0);
		}
		health_checked(&p->check, p->groups[0].channels[1].slot, NOW, false);
		health_checked(&p->check, p->groups[0].channels[2].slot, NOW, false);
		unsigned seen = 0;
		a = (struct attempt){0};
		for (int i = 0; i < 3; i++) {
			const struct channel *ch = pool_take(p, &a, &who, 0, NOW);
			seen |= 1u << index_of(c, ch);
			pool_release(ch->slot, 0);
		}
		assert_int_equal(seen, 7);
		assert_null(pool_take(p, &a, &who, 0, NOW));
		unload(c);
	}
}

static void slow_start_rises_from_a_tenth(void **state)
{
	static const char *const options[] = {"slow-start=10", "lb=p2c slow-start=10", "lb=hash slow-start=10",
	                                      "lb=leastconn slow-start=10"};
	(void)state;
	for (size_t o = 0; o < COUNT(options); o++) {
		char line[200];
		snprintf(line, sizeof line, "pool p %s 1.1.1.1:1*2 1.1.1.2:1*2", options[o]);
		struct conf *c = load(line);
		assert_int_equal(row(c, 0)->since_ms, 0); /* all are new: nobody is warmer */
		snprintf(line, sizeof line, "pool p %s 1.1.1.1:1*2 1.1.1.2:1*2 1.1.1.3:1*4\npool q 1.1.1.3:1", options[o]);
		struct conf *d = load(line);
		conf_free(c);
		assert_int_equal(row(d, 0)->since_ms, 0);
		assert_int_equal(shm_shared(d->pools[1]->groups[0].channels[0].slot)->since_ms, 0);
		const uint64_t since = row(d, 2)->since_ms;
		assert_true(since > 0);
		/* 4 × share of 4 + 4 × share: a tenth, half the way (0.55), and all. */
		static const double expected[] = {0.4 / 4.4, 2.2 / 6.2, 0.5, 0.5};
		for (int phase = 0; phase < 4; phase++) {
			unsigned had[3] = {0};
			spread(d, 20000, since + (uint64_t)phase * 5000, had);
			const double share = had[2] / 20000.0;
			const double room = o == 0 ? 0.02 : 0.06;
			if (share < expected[phase] - room || share > expected[phase] + room)
				fail_msg("%s: phase %d: %g instead of %g", options[o], phase, share, expected[phase]);
		}
		unload(d);
	}
}

/* Over four processes that take at the same time and keep what they take. */
static void race(const struct conf *c, unsigned each)
{
	pid_t pids[WORKERS];
	for (unsigned w = 0; w < WORKERS; w++) {
		if ((pids[w] = fork()) != 0)
			continue;
		for (unsigned i = 0; i < each; i++)
			take(c, i, w, NOW);
		_exit(0);
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		int status;
		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
}

static void least_connections_never_part_by_more_than_one(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 200; n = n * 2 + 1) {
		struct conf *c = many("lb=leastconn", n, "");
		race(c, 500);
		uint64_t least = UINT64_MAX, most = 0;
		for (unsigned i = 0; i < n; i++) {
			const uint64_t now = active(c, i);
			least = now < least ? now : least;
			most = now > most ? now : most;
		}
		if (most - least > 1)
			fail_msg("%u channels: from %u to %u", n, (unsigned)least, (unsigned)most);
		/* What goes is what comes next. */
		for (unsigned turn = 0; turn < 100; turn++) {
			const size_t i = turn * 7 % n;
			const uint64_t had = active(c, i);
			for (unsigned w = 0; w < WORKERS; w++) {
				if (atomic_load(&shm_cell(c->pools[0]->groups[0].channels[i].slot, w)->v[V_ACTIVE]) > 0) {
					pool_release(c->pools[0]->groups[0].channels[i].slot, w);
					break;
				}
			}
			take(c, 0, 0, NOW);
			assert_true(active(c, i) + 1 >= had);
		}
		clear_active(c);
		unload(c);
	}
}

static void least_connections_go_by_weight_and_limit(void **state)
{
	(void)state;
	struct conf *c = load("pool p lb=leastconn 1.1.1.1:1*1 1.1.1.2:1*2 1.1.1.3:1*5 1.1.1.4:1:7*2 1.1.1.5:1*0");
	race(c, 100);
	assert_int_equal(active(c, 3), 7);
	assert_int_equal(active(c, 4), 0);
	const double unit = (400 - 7) / 8.0;
	assert_true(active(c, 0) >= unit - 2 && active(c, 0) <= unit + 2);
	assert_true(active(c, 1) >= 2 * unit - 2 && active(c, 1) <= 2 * unit + 2);
	assert_true(active(c, 2) >= 5 * unit - 3 && active(c, 2) <= 5 * unit + 3);
	clear_active(c);
	unload(c);
	/* Without load, turns by weight. */
	unsigned had[2] = {0};
	c = load("pool p lb=leastconn 1.1.1.1:1*1 1.1.1.2:1*3");
	spread(c, 400, NOW, had);
	assert_int_equal(had[0], 100);
	unload(c);
}

/* Too many channels to look at all of them: the lightest of some is nearly as good. */
static void least_connections_of_thousands(void **state)
{
	(void)state;
	struct conf *c = many("lb=leastconn", 2500, "");
	for (unsigned i = 0; i < 25000; i++)
		take(c, 0, i % WORKERS, NOW);
	for (unsigned i = 0; i < 2500; i++)
		assert_in_range(active(c, i), 8, 11);
	clear_active(c);
	unload(c);
}

/* Of two by lot the lighter: far from what lots alone would give (with 20 of 1000, some would have 35 and some 8). */
static void two_choices_keep_close(void **state)
{
	(void)state;
	struct conf *c = many("lb=p2c", MANY, "");
	race(c, MANY * 20 / WORKERS);
	for (unsigned i = 0; i < MANY; i++)
		assert_in_range(active(c, i), 12, 25);
	clear_active(c);
	/* Who is slow to answer gets little. */
	unsigned had[MANY] = {0};
	unload(c);
	c = load("pool p lb=p2c 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 1.1.1.4:1");
	shm_add(shm_cell(c->pools[0]->groups[0].channels[1].slot, 0), V_ACTIVE, 50);
	spread(c, 10000, NOW, had);
	assert_int_equal(had[1], 0);
	assert_in_range(had[0], 3100, 3600);
	clear_active(c);
	unload(c);
	unsigned weighted[2] = {0};
	c = load("pool p lb=p2c 1.1.1.1:1*1 1.1.1.2:1*4");
	race(c, 250);
	weighted[0] = (unsigned)active(c, 0);
	assert_in_range(weighted[0], 190, 215);
	clear_active(c);
	unload(c);
}

static void first_fills_in_order(void **state)
{
	(void)state;
	struct conf *c = load("pool p lb=first 1.1.1.1:1:2 1.1.1.2:1:0*0 1.1.1.3:1:3 1.1.1.4:1 ! 2.2.2.2:1");
	static const size_t order[] = {0, 0, 2, 2, 2, 3, 3, 3};
	for (size_t i = 0; i < COUNT(order); i++)
		assert_int_equal(index_of(c, take(c, (unsigned)i, (unsigned)i % WORKERS, NOW)), order[i]);
	pool_release(c->pools[0]->groups[0].channels[0].slot, 1);
	assert_int_equal(index_of(c, take(c, 9, 1, NOW)), 0);
	clear_active(c);
	unload(c);
}

enum { CLIENTS = 20000 };

static void whose(const struct conf *c, unsigned char *of, unsigned *had)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct channel *ch = take(c, i, i % WORKERS, NOW);
		pool_release(ch->slot, i % WORKERS);
		/* The last byte of its address says who it is, wherever it stands. */
		of[i] = ((const unsigned char *)&ch->addr.in.sin_addr)[3];
		had[of[i]]++;
	}
}

static void a_hash_moves_only_what_it_must(void **state)
{
	static unsigned char all[CLIENTS], mixed[CLIENTS], fewer[CLIENTS], out[CLIENTS], more[CLIENTS];
	unsigned had[256] = {0}, none[256] = {0};
	(void)state;
	struct conf *c = load("pool p lb=hash 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 1.1.1.4:1 1.1.1.5:1");
	whose(c, all, had);
	for (int i = 1; i <= 5; i++)
		assert_in_range(had[i], CLIENTS / 5 * 95 / 100, CLIENTS / 5 * 105 / 100);
	/* The same in any order, … */
	struct conf *d = load("pool p lb=hash 1.1.1.4:1 1.1.1.2:1 1.1.1.5:1 1.1.1.1:1 1.1.1.3:1");
	conf_free(c);
	whose(d, mixed, none);
	assert_memory_equal(all, mixed, CLIENTS);
	/* … and when one cannot be used, only its own clients go, each to a second of its own. */
	unsigned second[256] = {0};
	row(d, 1)->disabled = 1;
	whose(d, out, none);
	row(d, 1)->disabled = 0;
	struct conf *e = load("pool p lb=hash 1.1.1.5:1 1.1.1.3:1 1.1.1.4:1 1.1.1.1:1");
	conf_free(d);
	whose(e, fewer, none);
	assert_memory_equal(out, fewer, CLIENTS);
	for (unsigned i = 0; i < CLIENTS; i++) {
		assert_true(all[i] == 2 || all[i] == fewer[i]);
		if (all[i] == 2)
			second[fewer[i]]++;
	}
	for (int i = 1; i <= 5; i++)
		assert_in_range(second[i], i == 2 ? 0 : had[2] / 4 * 85 / 100, i == 2 ? 0 : had[2] / 4 * 115 / 100);
	/* A newcomer takes only what is then its own. */
	struct conf *f = load("pool p lb=hash 1.1.1.5:1 1.1.1.3:1 1.1.1.4:1 1.1.1.1:1 1.1.1.9:1*3");
	conf_free(e);
	unsigned nine = 0;
	whose(f, more, none);
	for (unsigned i = 0; i < CLIENTS; i++) {
		assert_true(more[i] == 9 || more[i] == fewer[i]);
		nine += more[i] == 9;
	}
	assert_in_range(nine, CLIENTS / 7 * 3 * 97 / 100, CLIENTS / 7 * 3 * 103 / 100);
	unload(f);
}

static void a_hash_has_weights(void **state)
{
	static const unsigned weights[] = {1, 2, 0, 7, 10};
	static unsigned char of[CLIENTS];
	unsigned had[256] = {0};
	(void)state;
	struct conf *c = load("pool p lb=hash 1.1.1.0:1*1 1.1.1.1:1*2 1.1.1.2:1*0 1.1.1.3:1*7 1.1.1.4:1*10");
	whose(c, of, had);
	for (int i = 0; i < 5; i++)
		assert_in_range(had[i], weights[i] * CLIENTS / 20 * 92 / 100, weights[i] * CLIENTS / 20 * 108 / 100);
	unload(c);
}

static void the_logarithm_is_one(void **state)
{
	(void)state;
	uint64_t random = 5;
	double before = rank_log(0);
	assert_true(before >= 63 && before <= 65 && rank_log(UINT64_MAX) > 0);
	for (unsigned i = 1; i < 1u << 16; i++) {
		const uint64_t draw = (uint64_t)i << 48 | random_next(&random);
		const double log = rank_log(draw);
		assert_true(log < before && log >= (double)(int64_t)(~draw >> 1) * RANK_TANGENT);
		before = log;
	}
	/* -log2 of sixteenths. */
	static const double logs[] = {4.000000, 3.000000, 2.415037, 2.000000, 1.678072, 1.415037, 1.192645, 1.000000,
	                              0.830075, 0.678072, 0.540568, 0.415037, 0.299560, 0.192645, 0.093109};
	for (unsigned i = 0; i < COUNT(logs); i++) {
		const double off = rank_log((uint64_t)(i + 1) << 60) - logs[i];
		assert_true(off < 0.0006 && off > -0.0006);
	}
}

/* Channels to one address are told apart by their ids. */
static void a_hash_knows_ids(void **state)
{
	unsigned had[2] = {0};
	(void)state;
	struct conf *c = load("pool p lb=hash 1.1.1.1:1#1 1.1.1.1:1#2");
	spread(c, 2000, NOW, had);
	assert_in_range(had[0], 850, 1150);
	unload(c);
}

/* Workers are killed in the middle of whatever they do; what they held is free again, what the others hold is not. */
static void killed_workers_leak_nothing(void **state)
{
	static const char *const options[] = {"", "lb=leastconn", "lb=p2c", "lb=first"};
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		char line[200];
		snprintf(line, sizeof line, "pool p %s 1.1.1.1:1:3 1.1.1.2:1 1.1.1.3:1:2", options[round % COUNT(options)]);
		struct conf *c = load(line);
		const struct channel *mine = take(c, 0, 0, NOW);
		pid_t pid = fork();
		if (pid == 0) {
			const struct channel *held[8] = {0};
			for (unsigned i = 0;; i++) {
				if (held[i % 8] != NULL)
					pool_release(held[i % 8]->slot, 1);
				held[i % 8] = take(c, i, 1, NOW);
			}
		}
		usleep(300 + round * 37 % 500);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		slots_forget_worker(&slots, 1);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(active(c, i), &c->pools[0]->groups[0].channels[i] == mine);
		pool_release(mine->slot, 0);
		/* All places are there to be taken. */
		unsigned limited = 0;
		for (unsigned i = 0; i < 40; i++)
			limited += index_of(c, take(c, i, 2, NOW)) != 1;
		assert_int_equal(active(c, 0), 3);
		assert_int_equal(active(c, 2), strcmp(options[round % COUNT(options)], "lb=first") == 0 ? 0 : 2);
		assert_true(limited >= 3);
		clear_active(c);
		unload(c);
	}
}

static int set_up(void **state)
{
	(void)state;
	return shm_init(WORKERS, WORKERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(weights_share_the_turns),
	    cmocka_unit_test(a_missing_channel_burdens_all_alike),
	    cmocka_unit_test(second_tries_go_to_anybody),
	    cmocka_unit_test(each_channel_is_tried_once),
	    cmocka_unit_test(when_all_are_full_it_says_so),
	    cmocka_unit_test(a_weight_by_command_is_obeyed),
	    cmocka_unit_test(drain_holds_for_every_strategy),
	    cmocka_unit_test(health_holds_for_every_strategy),
	    cmocka_unit_test(slow_start_rises_from_a_tenth),
	    cmocka_unit_test(least_connections_never_part_by_more_than_one),
	    cmocka_unit_test(least_connections_go_by_weight_and_limit),
	    cmocka_unit_test(least_connections_of_thousands),
	    cmocka_unit_test(two_choices_keep_close),
	    cmocka_unit_test(first_fills_in_order),
	    cmocka_unit_test(a_hash_moves_only_what_it_must),
	    cmocka_unit_test(a_hash_has_weights),
	    cmocka_unit_test(a_hash_knows_ids),
	    cmocka_unit_test(the_logarithm_is_one),
	    cmocka_unit_test(killed_workers_leak_nothing),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
