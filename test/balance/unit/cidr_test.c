// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "cidr.h"

static void ranges(void **state)
{
	static const struct {
		const char *range, *address;
		bool in;
	} rows[] = {
	    {"10.0.0.0/8", "10.255.255.255:1", true}, {"10.0.0.0/8", "11.0.0.0:1", false}, {"10.1.2.3", "10.1.2.3:1", true},
	    {"10.1.2.3", "10.1.2.4:1", false}, {"10.1.2.3/32", "10.1.2.3:1", true}, {"0.0.0.0/0", "1.2.3.4:1", true},
	    {"0.0.0.0/0", "[::1]:1", false}, {"::/0", "[::1]:1", true}, {"::/0", "1.2.3.4:1", false}, {"192.0.2.128/25", "192.0.2.127:1", false},
	    {"192.0.2.128/25", "192.0.2.128:1", true}, {"192.0.2.4/31", "192.0.2.5:1", true}, {"192.0.2.4/31", "192.0.2.6:1", false},
	    {"128.0.0.0/1", "128.0.0.1:1", true}, {"128.0.0.0/1", "127.0.0.1:1", false}, {"2001:db8::/33", "[2001:db8:7fff::1]:1", true},
	    {"2001:db8::/33", "[2001:db8:8000::1]:1", false}, {"2001:db8::1", "[2001:db8::1]:1", true}, {"2001:db8::1/128", "[2001:db8::2]:1", false},
	    {"fe80::/10", "[febf::1]:1", true}, {"fe80::/10", "[fec0::1]:1", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena arena = {0};
		struct cidr_set set = {0};
		struct cidr c;
		struct addr a;
		struct guarded g = guard(rows[i].range, strlen(rows[i].range));
		assert_true(cidr_parse(&c, (char *)g.at, strlen(rows[i].range)));
		unguard(g);
		assert_true(cidr_add(&arena, &set, &c));
		assert_true(addr_parse(&a, rows[i].address, strlen(rows[i].address)));
		if (cidr_contains(&set, &a) != rows[i].in)
			fail_msg("%s in %s", rows[i].address, rows[i].range);
		assert_false(cidr_contains(&set, &(struct addr){0}));
		arena_free(&arena);
	}
}

static void bad_ranges(void **state)
{
	static const char *const rows[] = {
	    "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", " 10.0.0.0/8", "10.0.0.1/8", "10.0.0/8", "10/8", "256.0.0.1",
	    "10.0.0.0/8/8", "::1/129", "::1/127", "fe80::1%eth0", "[::1]", "::ffff:1.2.3.4/100", "localhost", "10.0.0.0/+8", "10.0.0.0/0x8", "1.2.3.4:80",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cidr c;
		struct guarded g = guard(rows[i], strlen(rows[i]));
		if (cidr_parse(&c, (char *)g.at, strlen(rows[i])))
			fail_msg("\"%s\" is a range", rows[i]);
		unguard(g);
	}
}

/* Every prefix length, against a walk bit by bit. */
static void bit_by_bit(void **state)
{
	uint64_t seed = 5;
	(void)state;
	for (int i = 0; i < 50000; i++) {
		struct cidr c = {.v6 = random_next(&seed) % 2};
		struct cidr_set set = {.at = &c, .n = 1};
		struct addr a = {.len = sizeof a.in6};
		const unsigned width = c.v6 ? 128 : 32;
		uint8_t *bytes = c.v6 ? a.in6.sin6_addr.s6_addr : (uint8_t *)&a.in.sin_addr;
		a.sa.sa_family = c.v6 ? AF_INET6 : AF_INET;
		c.bits = (uint8_t)(random_next(&seed) % (width + 1));
		for (unsigned b = 0; b < width / 8; b++)
			c.bytes[b] = bytes[b] = (uint8_t)random_next(&seed);
		for (unsigned b = c.bits; b < width; b++)
			c.bytes[b / 8] &= (uint8_t)~(0x80u >> b % 8);
		assert_true(cidr_contains(&set, &a));
		const unsigned flip = random_next(&seed) % width;
		bytes[flip / 8] ^= (uint8_t)(0x80u >> flip % 8);
		assert_int_equal(cidr_contains(&set, &a), flip >= c.bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ranges), cmocka_unit_test(bad_ranges), cmocka_unit_test(bit_by_bit)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
