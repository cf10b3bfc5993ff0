// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "../../../src/dataplane/hitch_ring.c"

static int drop_spare(void **state)
{
	(void)state;
	while (spare.n > 0)
		free(spare.at[--spare.n]);
	return 0;
}

static void put(ringbuffer *rb, const char *s)
{
	memcpy(ringbuffer_write_ptr(rb), s, strlen(s));
	ringbuffer_write_append(rb, (int)strlen(s));
}

static void take(ringbuffer *rb, const char *expected)
{
	int n;
	const char *at = ringbuffer_read_next(rb, &n);
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(at, expected, n);
	ringbuffer_read_pop(rb);
}

static void gives_back_in_order(void **state)
{
	(void)state;
	ringbuffer rb;
	ringbuffer_init(&rb, 0, 0);
	assert_int_equal(ringbuffer_capacity(&rb), DEF_RING_SLOTS);
	for (int round = 0; round < 5; round++) {
		assert_true(ringbuffer_is_empty(&rb));
		put(&rb, "one");
		put(&rb, "two");
		take(&rb, "one");
		put(&rb, "three");
		put(&rb, "four");
		assert_true(ringbuffer_is_full(&rb));
		assert_int_equal(ringbuffer_size(&rb), DEF_RING_SLOTS);
		take(&rb, "two");
		take(&rb, "three");
		take(&rb, "four");
	}
	ringbuffer_cleanup(&rb);
}

static void skips_within_one(void **state)
{
	(void)state;
	ringbuffer rb;
	int n;
	ringbuffer_init(&rb, 0, 0);
	put(&rb, "abcdef");
	ringbuffer_read_skip(&rb, 4);
	assert_memory_equal(ringbuffer_read_next(&rb, &n), "ef", 2);
	assert_int_equal(n, 2);
	ringbuffer_cleanup(&rb);
}

/* A read that finds nothing takes no buffer, and two rings never share one that holds bytes. */
static void holds_a_buffer_only_while_it_holds_bytes(void **state)
{
	(void)state;
	enum { RINGS = 100 };
	static ringbuffer rb[RINGS];
	char text[24];
	for (int i = 0; i < RINGS; i++) {
		ringbuffer_init(&rb[i], 0, 0);
		assert_non_null(ringbuffer_write_ptr(&rb[i]));
	}
	assert_int_equal(spare.n, 1);
	for (int i = 0; i < RINGS; i++) {
		snprintf(text, sizeof text, "ring %d", i);
		put(&rb[i], text);
	}
	for (int i = 0; i < RINGS; i++) {
		snprintf(text, sizeof text, "ring %d", i);
		take(&rb[i], text);
		assert_int_equal(ringbuffer_is_empty(&rb[i]), 1);
	}
	assert_int_equal(spare.n, SPARE);
	for (int i = 0; i < RINGS; i++)
		ringbuffer_cleanup(&rb[i]);
	assert_int_equal(spare.n, SPARE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(gives_back_in_order, drop_spare),
	    cmocka_unit_test_teardown(skips_within_one, drop_spare),
	    cmocka_unit_test_teardown(holds_a_buffer_only_while_it_holds_bytes, drop_spare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
