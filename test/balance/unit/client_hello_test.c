// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "client_hello.h"

#include "hello_build.h"

/* Fed in pieces of every size, from memory that ends at an unmapped page. */
static enum hello_result feed(struct client_hello *h, const unsigned char *bytes, size_t n, size_t piece)
{
	enum hello_result r = HELLO_MORE;
	memset(h, 0, sizeof *h);
	for (size_t i = 0; i < n && r == HELLO_MORE; i += piece) {
		const size_t take = n - i < piece ? n - i : piece;
		struct guarded g = guard(bytes + i, take);
		r = client_hello_feed(h, g.at, take);
		unguard(g);
	}
	return r;
}

static void is_named(const struct hello_bytes *b, const char *name)
{
	static const size_t pieces[] = {1, 2, 3, 7, 100, 1 << 20};
	struct client_hello h;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		assert_int_equal(feed(&h, b->at, b->n, pieces[i]), HELLO_OK);
		assert_int_equal(h.name_len, strlen(name));
		assert_memory_equal(h.name, name, h.name_len);
	}
	/* Whatever is cut off at its end, it is not whole yet. */
	for (size_t n = 0; n < b->n; n++)
		if (feed(&h, b->at, n, n == 0 ? 1 : n) != HELLO_MORE)
			fail_msg("cut at %zu of %zu bytes: not HELLO_MORE", n, b->n);
}

static void is_bad(const struct hello_bytes *b)
{
	struct client_hello h;
	assert_int_equal(feed(&h, b->at, b->n, 1), HELLO_BAD);
	assert_int_equal(feed(&h, b->at, b->n, b->n), HELLO_BAD);
}

static void names(void **state)
{
	(void)state;
	struct hello_bytes b;
	hello_build(&b, "a.example", 0);
	is_named(&b, "a.example");
	hello_build(&b, "A_b-c.EXAMPLE.", 0);
	is_named(&b, "A_b-c.EXAMPLE.");
	hello_build(&b, NULL, 0);
	is_named(&b, "");
	char longest[256];
	memset(longest, 'x', 255);
	longest[255] = '\0';
	hello_build(&b, longest, 0);
	is_named(&b, longest);
}

static void in_many_records(void **state)
{
	(void)state;
	struct hello_bytes b;
	for (size_t piece = 1; piece < 300; piece += piece < 10 ? 1 : 37) {
		hello_build(&b, "a.example", piece);
		is_named(&b, "a.example");
	}
}

static void what_follows_is_not_looked_at(void **state)
{
	(void)state;
	struct hello_bytes b;
	struct client_hello h;
	hello_build(&b, "a.example", 0);
	memset(b.at + b.n, 0xff, 20);
	assert_int_equal(feed(&h, b.at, b.n + 20, b.n + 20), HELLO_OK);
	assert_int_equal(client_hello_feed(&h, b.at, b.n), HELLO_OK);
	assert_int_equal(h.name_len, 9);
}

static void without_extensions(void **state)
{
	(void)state;
	struct hello_bytes b;
	hello_build(&b, NULL, 0);
	/* Cut the extensions off and correct the two lengths. */
	b.n = HELLO_EXTENSIONS_AT;
	hello_lengths(&b);
	is_named(&b, "");
}

static void bad_ones(void **state)
{
	(void)state;
	static const char http[] = "GET / HTTP/1.1\r\n\r\n";
	struct hello_bytes b;
	memcpy(b.at, http, sizeof http);
	b.n = sizeof http;
	is_bad(&b);
	hello_build(&b, "a b", 0);
	is_bad(&b);
	hello_build(&b, "", 0);
	is_bad(&b);
	struct {
		size_t at;
		unsigned char value;
	} const wrong[] = {
	    {0, 21},                       /* an alert */
	    {1, 2},                        /* version */
	    {3, 0xff},                     /* a record of more than 16384 bytes */
	    {5, 2},                        /* ServerHello */
	    {6, 1},                        /* 65536 bytes and more */
	    {HELLO_SESSION_AT, 33},        /* session id too long */
	    {HELLO_SESSION_AT + 2, 3},     /* an odd number of bytes of ciphers */
	    {HELLO_EXTENSIONS_AT, 0xff},   /* extensions beyond the message */
	    {HELLO_NAME_AT - 7, 0xff},     /* an extension beyond the extensions */
	    {HELLO_NAME_AT - 4, 8},        /* names that end before their extension does */
	    {HELLO_NAME_AT - 3, 1},        /* not a host name */
	    {HELLO_NAME_AT - 1, 10},       /* a name beyond its list */
	    {HELLO_NAME_AT - 1, 8},        /* bytes behind the name */
	    {HELLO_NAME_AT + 1, 0},        /* a NUL in the name */
	};
	for (size_t i = 0; i < COUNT(wrong); i++) {
		hello_build(&b, "a.example", 0);
		b.at[wrong[i].at] = wrong[i].value;
		is_bad(&b);
	}
}

static void an_empty_record_is_bad(void **state)
{
	(void)state;
	static const unsigned char empty[] = {22, 3, 1, 0, 0};
	struct hello_bytes b = {.n = sizeof empty};
	memcpy(b.at, empty, sizeof empty);
	is_bad(&b);
}

static void two_server_names_are_bad(void **state)
{
	(void)state;
	struct hello_bytes b;
	hello_build_twice(&b, "a.example", "b.example");
	is_bad(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(in_many_records),
	    cmocka_unit_test(what_follows_is_not_looked_at),
	    cmocka_unit_test(without_extensions),
	    cmocka_unit_test(bad_ones),
	    cmocka_unit_test(an_empty_record_is_bad),
	    cmocka_unit_test(two_server_names_are_bad),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
