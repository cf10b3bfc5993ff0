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

/* Pieces that are too long to be joined. */
static void put_long(ringbuffer *rb, char c)
{
	memset(ringbuffer_write_ptr(rb), c, COPY + 1);
	ringbuffer_write_append(rb, COPY + 1);
}

static void take_long(ringbuffer *rb, char c)
{
	int n;
	const char *at = ringbuffer_read_next(rb, &n);
	assert_int_equal(n, COPY + 1);
	assert_int_equal(at[0], c);
	assert_int_equal(at[COPY], c);
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
		put_long(&rb, '1');
		put_long(&rb, '2');
		take_long(&rb, '1');
		put_long(&rb, '3');
		put_long(&rb, '4');
		assert_true(ringbuffer_is_full(&rb));
		assert_int_equal(ringbuffer_size(&rb), DEF_RING_SLOTS);
		take_long(&rb, '2');
		take_long(&rb, '3');
		take_long(&rb, '4');
	}
	assert_int_equal(rb.bytes_written, 5 * 4 * (COPY + 1));
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

/* Small pieces share a buffer, as far as it goes, and come out as one. */
static void joins_what_waits(void **state)
{
	(void)state;
	ringbuffer rb;
	ringbuffer_init(&rb, 0, 0);
	put(&rb, "header ");
	put(&rb, "request");
	assert_int_equal(ringbuffer_size(&rb), 1);
	ringbuffer_read_skip(&rb, 3);
	put(&rb, " more");
	take(&rb, "der request more");
	assert_true(ringbuffer_is_empty(&rb));
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
	    cmocka_unit_test_teardown(joins_what_waits, drop_spare),
	    cmocka_unit_test_teardown(skips_within_one, drop_spare),
	    cmocka_unit_test_teardown(holds_a_buffer_only_while_it_holds_bytes, drop_spare),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
