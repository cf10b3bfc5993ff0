// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "addr.h"

static bool parse(const char *s, struct addr *a)
{
	struct guarded g = guard(s, strlen(s));
	bool ok = addr_parse(a, (char *)g.at, strlen(s));
	unguard(g);
	return ok;
}

static void reads_and_writes(void **state)
{
	static const char *const table[][2] = {
	    {"127.0.0.1:1", "127.0.0.1:1"},       {"255.255.255.255:65535", "255.255.255.255:65535"},
	    {"[::1]:80", "[::1]:80"},             {"[0:0:0:0:0:0:0:1]:80", "[::1]:80"},
	    {"[2001:DB8::A]:8", "[2001:db8::a]:8"}, {"[::ffff:1.2.3.4]:9", "[::ffff:1.2.3.4]:9"},
	    {"[::]:443", "[::]:443"},             {"0.0.0.0:80", "0.0.0.0:80"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct addr a, b;
		char text[ADDR_TEXT];
		assert_true(parse(table[i][0], &a));
		addr_format(&a, text);
		assert_string_equal(text, table[i][1]);
		assert_true(parse(text, &b));
		assert_int_equal(a.len, b.len);
		assert_memory_equal(&a.sa, &b.sa, a.len);
	}
}

static void refuses(void **state)
{
	static const char *const table[] = {
	    "",           ":",          ":80",          "1.2.3.4",        "1.2.3.4:",      "1.2.3.4:0",     "1.2.3.4:65536",
	    "1.2.3.4:-1", "1.2.3.4:8x", "1.2.3.4:080",  "1.2.3.4:100000", "1.2.3:80",      "1.2.3.256:80",  "a.example:80",
	    "[]:80",      "[::1]",      "[::1]80",      "[::1]:",         "[::1",          "[",             "::1:80",
	    "[1.2.3.4]:80", "[::1%lo]:80", "[::g]:80",  "1.2.3.4:80:90",  "[::1]:80:90",   " 1.2.3.4:80",   "1.2.3.4 :80",
	    "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:80", "0x7f.0.0.1:80", "127.1:80", "[[::1]]:80",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct addr a;
		if (parse(table[i], &a))
			fail_msg("accepted \"%s\"", table[i]);
	}
}

static void every_cut_of_an_address_is_harmless(void **state)
{
	const char whole[] = "[1111:2222:3333:4444:5555:6666:255.255.255.255]:65535";
	struct addr a;
	char text[ADDR_TEXT];
	(void)state;
	assert_true(parse(whole, &a));
	addr_format(&a, text);
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		struct guarded g = guard(whole, n);
		(void)addr_parse(&a, (char *)g.at, n);
		unguard(g);
	}
}

static void unknown_is_a_dash(void **state)
{
	struct addr a = {0};
	char text[ADDR_TEXT];
	(void)state;
	addr_format(&a, text);
	assert_string_equal(text, "-");
}

static void hash_ignores_the_port_and_spreads(void **state)
{
	struct addr a, b;
	char text[64];
	unsigned seen[8] = {0};
	(void)state;
	assert_true(parse("10.1.2.3:1", &a) && parse("10.1.2.3:2", &b));
	assert_true(addr_hash(&a) == addr_hash(&b));
	assert_true(parse("[2001:db8::1]:1", &a) && parse("[2001:db8::1]:2", &b));
	assert_true(addr_hash(&a) == addr_hash(&b));
	for (unsigned i = 0; i < 4096; i++) {
		snprintf(text, sizeof text, "10.0.%u.%u:1", i / 256, i % 256);
		assert_true(parse(text, &a));
		seen[addr_hash(&a) % COUNT(seen)]++;
	}
	for (size_t i = 0; i < COUNT(seen); i++)
		assert_in_range(seen[i], 4096 / 8 / 2, 4096 / 8 * 2);
}

static void unix_paths_have_a_limit(void **state)
{
	struct sockaddr_un un;
	char path[sizeof un.sun_path + 1];
	(void)state;
	memset(path, 'a', sizeof path);
	path[sizeof un.sun_path - 1] = '\0';
	assert_true(addr_unix(&un, path));
	assert_int_equal(un.sun_path[sizeof un.sun_path - 1], 0);
	path[sizeof un.sun_path - 1] = 'a';
	path[sizeof un.sun_path] = '\0';
	assert_false(addr_unix(&un, path));
	assert_false(addr_unix(&un, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_and_writes),   cmocka_unit_test(refuses),
	    cmocka_unit_test(unknown_is_a_dash),  cmocka_unit_test(every_cut_of_an_address_is_harmless),
	    cmocka_unit_test(unix_paths_have_a_limit), cmocka_unit_test(hash_ignores_the_port_and_spreads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
