// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "map.h"
#include "refuse.h"

enum { KEYS = 400 };

static char keys[KEYS][24];
static size_t lens[KEYS];

static void name_keys(void)
{
	/* Lengths around the eight bytes that are hashed at a time, and keys that are prefixes of one another. */
	for (int i = 0; i < KEYS; i++) {
		memset(keys[i], 'x', sizeof keys[i]);
		lens[i] = (size_t)snprintf(keys[i], sizeof keys[i], "%.*s%d", i % 17, "aaaaaaaaaaaaaaaaaaaa", i / 17);
	}
}

static void check(const struct map *m, void *const *oracle)
{
	size_t count = 0;
	for (int i = 0; i < KEYS; i++) {
		assert_ptr_equal(map_get(m, keys[i], lens[i]), oracle[i]);
		count += oracle[i] != NULL;
	}
	assert_int_equal(m->count, count);
}

/* Random puts and removals against a plain array; removal moves entries about, so everything is looked up again and again. */
static void behaves_like_an_array(void **state)
{
	uint64_t random = 42;
	(void)state;
	for (int round = 0; round < 8; round++) {
		struct map m = {0};
		void *oracle[KEYS] = {0};
		const int range = KEYS / (1 << round);
		for (int step = 0; step < 6000; step++) {
			int k = (int)(random_next(&random) % (uint32_t)range);
			/* Distinct keys with equal text are one key: the first stands for both. */
			for (int i = 0; i < k; i++)
				if (lens[i] == lens[k] && memcmp(keys[i], keys[k], lens[k]) == 0)
					k = i;
			if (random_next(&random) % 100 < 50) {
				void *value = keys + random_next(&random) % KEYS;
				assert_true(map_put(&m, keys[k], lens[k], value));
				oracle[k] = value;
			} else {
				assert_ptr_equal(map_remove(&m, keys[k], lens[k]), oracle[k]);
				oracle[k] = NULL;
			}
			if (step % 50 == 0)
				check(&m, oracle);
		}
		check(&m, oracle);
		map_free(&m);
	}
}

static void seeding_changes_nothing_that_is_seen(void **state)
{
	map_seed();
	behaves_like_an_array(state);
}

static void empty_map_and_empty_key(void **state)
{
	struct map m = {0};
	int value;
	(void)state;
	assert_null(map_get(&m, "a", 1));
	assert_null(map_remove(&m, "a", 1));
	assert_true(map_put(&m, "", 0, &value));
	assert_ptr_equal(map_get(&m, "", 0), &value);
	assert_null(map_get(&m, "\0", 1));
	assert_ptr_equal(map_remove(&m, "", 0), &value);
	map_free(&m);
	assert_null(map_get(&m, "", 0));
}

static void unchanged_when_memory_is_refused(void **state)
{
	struct map m = {0};
	void *oracle[KEYS] = {0};
	int refusals = 0;
	(void)state;
	for (int k = 0; k < KEYS; k++) {
		if (map_get(&m, keys[k], lens[k]) != NULL)
			continue;
		refuse_after = 0;
		if (map_put(&m, keys[k], lens[k], keys[k])) {
			oracle[k] = keys[k];
		} else {
			refusals++;
			refuse_after = -1;
			check(&m, oracle);
			assert_true(map_put(&m, keys[k], lens[k], keys[k]));
			oracle[k] = keys[k];
		}
		refuse_after = -1;
	}
	assert_true(refusals > 3);
	map_free(&m);
}

/* Finds its key whatever follows it: nothing past the end is read. */
static void reads_no_further_than_the_key(void **state)
{
	struct map m = {0};
	int value;
	(void)state;
	for (size_t n = 0; n < 40; n++) {
		char key[40];
		memset(key, 'k', sizeof key);
		struct guarded g = guard(key, n);
		assert_true(map_put(&m, (char *)g.at, n, &value));
		assert_ptr_equal(map_get(&m, (char *)g.at, n), &value);
		assert_ptr_equal(map_remove(&m, (char *)g.at, n), &value);
		unguard(g);
	}
	map_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(behaves_like_an_array),
	    cmocka_unit_test(empty_map_and_empty_key),
	    cmocka_unit_test(unchanged_when_memory_is_refused),
	    cmocka_unit_test(reads_no_further_than_the_key),
	    cmocka_unit_test(seeding_changes_nothing_that_is_seen),
	};
	name_keys();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
