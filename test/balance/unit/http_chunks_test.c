// SPDX-License-Identifier: Apache-2.0
/* Chunked framing: where a body ends, in every split, and what is refused. */
#include "test.h"

#include "http_msg.h"

static void body_begins(llhttp_t *p)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	static struct head h;
	assert_int_equal(head_parse_request(&h, p, head, sizeof head - 1), 0);
	assert_int_equal(h.framing, BODY_CHUNKED);
}

/* How many bytes belong to the body when it comes in pieces that end at the two cuts; SIZE_MAX: broken. */
static size_t take_chunks(const char *text, size_t n, size_t cut, size_t cut2, bool *ended)
{
	llhttp_t p;
	size_t at = 0;
	const size_t ends[] = {cut, cut2, n};
	*ended = false;
	body_begins(&p);
	for (size_t i = 0; i < COUNT(ends) && !*ended; i++) {
		if (ends[i] <= at)
			continue;
		struct guarded g = guard(text + at, ends[i] - at);
		size_t k = chunks_advance(&p, (char *)g.at, ends[i] - at, ended);
		unguard(g);
		if (k == SIZE_MAX)
			return k;
		assert_true(*ended || k == ends[i] - at);
		at += k;
	}
	return at;
}

static void chunks_in_every_split(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* SIZE_MAX: broken; less than all: ended there */
		bool ended;
	} rows[] = {
	    {"0\r\n\r\n", 5, true},
	    {"0\r\n\r\nGET", 5, true},
	    {"000\r\n\r\n", 7, true},
	    {"5\r\nabcde\r\n0\r\n\r\n", 15, true},
	    {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\nx", 35, true},
	    {"1;a\r\nx\r\n0;b=c\r\n\r\n", 17, true},
	    {"1;a=\"b;\\\"c\"\r\nx\r\n0\r\n\r\n", 21, true},
	    {"1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\nGET", 23, true},
	    {"5\r\nabc", 6, false},
	    {"5\r\nabcde\r\n0\r\nA: b\r\n", 19, false},
	    {"", 0, false},
	    {"\r\n", SIZE_MAX, false},
	    {"g\r\n", SIZE_MAX, false},
	    {"-1\r\n", SIZE_MAX, false},
	    {"0x5\r\nabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"5 \r\nabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {" 5\r\nabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"5\nabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"5\r\nabcde\n0\r\n\r\n", SIZE_MAX, false},
	    {"5\r\nabcdef\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"5\r\nabcde0\r\n\r\n", SIZE_MAX, false},
	    {"5\r\nabcde\r\n0\r\n\n", SIZE_MAX, false},
	    {"5\r\nabcde\r\n0\n\n", SIZE_MAX, false},
	    {"5\rabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"5;\x01\r\nabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"5;a\nabcde\r\n0\r\n\r\n", SIZE_MAX, false},
	    {"10000000000000000\r\n", SIZE_MAX, false},
	    {"ffffffffffffffffff\r\n", SIZE_MAX, false},
	    {"0\r\nA : b\r\n\r\n", SIZE_MAX, false},
	    {"0\r\n A: b\r\n\r\n", SIZE_MAX, false},
	    {"0\r\nA: b\r\n c\r\n\r\n", SIZE_MAX, false},
	    {"0\r\nA: b\n\r\n", SIZE_MAX, false},
	};
	(void)state;
	unsigned wrong = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t n = strlen(rows[i].text);
		bool ended, said = false;
		for (size_t a = 0; a <= n; a++) {
			for (size_t b = a; b <= n; b++) {
				size_t k = take_chunks(rows[i].text, n, a, b, &ended);
				if ((k != rows[i].n || (k != SIZE_MAX && ended != rows[i].ended)) && !said) {
					print_error("row %zu cut at %zu and %zu: %zd, ended %d\n", i, a, b, k, ended);
					said = true;
					wrong++;
				}
			}
		}
	}
	assert_int_equal(wrong, 0);
}

static void extras_are_bounded(void **state)
{
	llhttp_t p;
	bool ended;
	char text[64];
	(void)state;
	/* A trailer section, then chunk extensions, without end. */
	for (int kind = 0; kind < 2; kind++) {
		body_begins(&p);
		size_t total = 0, k = 0;
		if (kind == 0)
			assert_int_equal(chunks_advance(&p, "0\r\n", 3, &ended), 3);
		while (total < 1 << 20 && k != SIZE_MAX) {
			int n = kind == 0 ? snprintf(text, sizeof text, "A%06zu: 0123456789012345678901234567890\r\n", total)
			                  : snprintf(text, sizeof text, "1;a=0123456789012345678901234567890\r\nx\r\n");
			k = chunks_advance(&p, text, (size_t)n, &ended);
			total += (size_t)n;
		}
		assert_int_equal(k, SIZE_MAX);
		assert_in_range(total, 4096, 64 * 1024);
	}
	/* Plain chunks have no such bound. */
	body_begins(&p);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(chunks_advance(&p, "1\r\nx\r\n", 6, &ended), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(chunks_in_every_split), cmocka_unit_test(extras_are_bounded)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
