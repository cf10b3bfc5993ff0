// SPDX-License-Identifier: Apache-2.0
/* Turns by weight: shares, evenness, and the price of odd weights. */
#include "test.h"

#include "schedule.h"

enum { MOST = 3000 };

static struct arena arena;

static struct schedule *schedule(const uint32_t *weights, uint32_t n)
{
	struct schedule *s = schedule_new(&arena, n);
	assert_non_null(s);
	memcpy(s->end, weights, n * sizeof *weights);
	schedule_make(s);
	return s;
}

static int forget(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

/* Over a round everybody has what its weight says, exactly, whatever the weights are and wherever the round begins. */
static void a_round_is_exact(void **state)
{
	uint64_t random = 7;
	static uint32_t weights[MOST], had[MOST];
	(void)state;
	for (int run = 0; run < 200; run++) {
		const uint32_t n = 1 + random_next(&random) % (run % 10 == 0 ? MOST : 12);
		const uint32_t most = run % 3 == 0 ? 3 : 257;
		uint32_t total = 0;
		for (uint32_t i = 0; i < n; i++)
			total += weights[i] = random_next(&random) % most;
		struct schedule *s = schedule(weights, n);
		if (total == 0) {
			assert_int_equal(s->total, 0);
			continue;
		}
		const uint64_t start = (uint64_t)random_next(&random) << run % 32;
		memset(had, 0, sizeof had);
		for (uint64_t t = start; t < start + s->total; t++)
			had[schedule_turn(s, t).channel]++;
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal((uint64_t)had[i] * total, (uint64_t)weights[i] * s->total);
	}
}

/* How far a channel's turns run ahead of its share or fall behind, at the worst moment of a round. */
static double worst(const struct schedule *s, uint32_t channel, uint32_t weight, uint32_t total)
{
	double worst = 0, had = 0;
	for (uint64_t t = 0; t < s->total; t++) {
		had += schedule_turn(s, t).channel == channel;
		const double off = had - (double)(t + 1) * weight / total;
		if (off > worst || -off > worst)
			worst = off < 0 ? -off : off;
	}
	return worst;
}

/* No bursts: at no moment is anybody more than a few turns away from its share, be its weight 1 among heavy ones or 256 among light ones. */
static void turns_lie_evenly(void **state)
{
	static const struct {
		uint32_t n, weights[8];
	} cases[] = {
	    {2, {1, 1}},
	    {2, {1, 2}},
	    {3, {5, 1, 1}},
	    {3, {3, 2, 1}},
	    {4, {256, 1, 1, 1}},
	    {4, {256, 255, 254, 253}},
	    {5, {10, 20, 30, 40, 0}},
	    {8, {1, 2, 3, 4, 5, 6, 7, 8}},
	    {8, {97, 89, 83, 79, 73, 71, 67, 61}},
	    {6, {128, 64, 32, 16, 8, 4}},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct schedule *s = schedule(cases[i].weights, cases[i].n);
		uint32_t total = 0;
		for (uint32_t j = 0; j < cases[i].n; j++)
			total += cases[i].weights[j];
		for (uint32_t j = 0; j < cases[i].n; j++) {
			const double off = worst(s, j, cases[i].weights[j], total);
			if (off > 3)
				fail_msg("case %zu: channel %u is %g turns off", i, j, off);
		}
	}
}

/* A channel of half the weight of all never has more than two turns in a row. */
static void a_heavy_channel_does_not_burst(void **state)
{
	static uint32_t weights[129] = {128};
	(void)state;
	for (uint32_t i = 1; i < 129; i++)
		weights[i] = 1;
	struct schedule *s = schedule(weights, 129);
	unsigned row = 0, longest = 0;
	for (uint64_t t = 0; t < 5000; t++) {
		row = schedule_turn(s, t).channel == 0 ? row + 1 : 0;
		if (row > longest)
			longest = row;
	}
	assert_in_range(longest, 1, 2);
}

/* Looking for a number visits few channels, also where many light ones stand together. */
static void thousands_of_channels(void **state)
{
	static uint32_t weights[MOST];
	(void)state;
	for (uint32_t i = 0; i < MOST; i++)
		weights[i] = i < MOST / 2 ? 1 : 256;
	struct schedule *s = schedule(weights, MOST);
	uint32_t number = 0;
	for (uint32_t i = 0; i < MOST; i++) {
		for (uint32_t k = 0; k < weights[i]; k++, number++) {
			assert_int_equal(schedule_find(s, number), i);
			assert_true(i - s->guide[number >> s->shift] <= 512);
		}
	}
	assert_int_equal(number, s->total);
}

/* The n-th turn of a channel: each number once, in any round. */
static void turns_are_numbered(void **state)
{
	static const uint32_t uneven[] = {3, 1, 0, 4}, even[] = {2, 2, 2, 2};
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct schedule *s = schedule(i == 0 ? uneven : even, 4);
		uint64_t seen[4] = {0}, had[4] = {0};
		for (uint64_t t = 0; t < s->total * 7; t++) {
			struct turn turn = schedule_turn(s, t);
			assert_true(turn.nth < 64 && (seen[turn.channel] >> turn.nth & 1) == 0);
			seen[turn.channel] |= 1ull << turn.nth;
			had[turn.channel]++;
		}
		for (int j = 0; j < 4; j++)
			assert_int_equal(seen[j], (1ull << had[j]) - 1);
	}
}

static void lots_follow_the_weights(void **state)
{
	static const uint32_t weights[] = {1, 0, 2, 7};
	uint64_t random = 3;
	unsigned had[4] = {0};
	(void)state;
	struct schedule *s = schedule(weights, 4);
	for (int i = 0; i < 100000; i++)
		had[schedule_draw(s, (uint64_t)random_next(&random) << 32)]++;
	for (int i = 0; i < 4; i++)
		assert_in_range(had[i], weights[i] * 9800, weights[i] * 10200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_round_is_exact, forget),
	    cmocka_unit_test_teardown(turns_lie_evenly, forget),
	    cmocka_unit_test_teardown(a_heavy_channel_does_not_burst, forget),
	    cmocka_unit_test_teardown(thousands_of_channels, forget),
	    cmocka_unit_test_teardown(turns_are_numbered, forget),
	    cmocka_unit_test_teardown(lots_follow_the_weights, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
