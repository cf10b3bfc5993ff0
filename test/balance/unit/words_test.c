// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "words.h"

static struct word word(const char *s)
{
	return (struct word){s, strlen(s)};
}

/* Cuts a line that ends at an unmapped page and joins its words with bars. */
static const char *cut(const char *line)
{
	static char out[512];
	struct guarded g = guard(line, strlen(line));
	struct words w;
	struct word one;
	size_t bad, n = 0;
	assert_true(words_start(&w, (char *)g.at, strlen(line), &bad));
	while (words_next(&w, &one)) {
		assert_true(one.len > 0 && n + one.len + 1 < sizeof out);
		memcpy(out + n, one.at, one.len);
		n += one.len;
		out[n++] = '|';
	}
	out[n] = '\0';
	assert_false(words_next(&w, &one));
	unguard(g);
	return out;
}

static void cuts_at_blanks_and_comments(void **state)
{
	(void)state;
	assert_string_equal(cut(""), "");
	assert_string_equal(cut("a"), "a|");
	assert_string_equal(cut("  a\tb \t c  "), "a|b|c|");
	assert_string_equal(cut("a#b # c d"), "a#b|");
	assert_string_equal(cut("#"), "");
	assert_string_equal(cut(" # x"), "");
	assert_string_equal(cut("a \"b c\" \\ '"), "a|\"b|c\"|\\|'|");
}

static void refuses_every_other_byte(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char line[] = {'a', ' ', '#', (char)c};
		struct words w;
		size_t bad = 99;
		const bool good = c == ' ' || c == '\t' || (c > 0x20 && c < 0x7f);
		assert_int_equal(words_start(&w, line, sizeof line, &bad), good);
		assert_int_equal(bad, good ? 99 : 3);
	}
}

static void compares_words(void **state)
{
	(void)state;
	assert_true(word_is(word("abc"), "abc"));
	assert_false(word_is(word("abc"), "ab"));
	assert_false(word_is(word("ab"), "abc"));
	assert_true(word_starts(word("abc"), "ab"));
	assert_true(word_starts(word("abc"), ""));
	assert_false(word_starts(word("a"), "ab"));
	assert_true(word_only(word("aZ09-."), "-."));
	assert_false(word_only(word("a/b"), "-."));
	assert_true(word_only((struct word){"", 0}, ""));
	/* strchr would find the end of the set. */
	assert_false(word_only((struct word){"a\0b", 3}, "-"));
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		uint32_t min, max;
		bool ok;
		uint32_t value;
	} table[] = {
	    {"0", 0, 9, true, 0},          {"9", 0, 9, true, 9},
	    {"10", 0, 9, false, 0},        {"0", 1, 9, false, 0},
	    {"007", 0, 9, true, 7},        {"4294967295", 0, UINT32_MAX, true, UINT32_MAX},
	    {"4294967296", 0, UINT32_MAX, false, 0}, {"9999999999", 0, UINT32_MAX, false, 0},
	    {"00000000001", 0, 9, false, 0}, {"", 0, 9, false, 0},
	    {"-1", 0, 9, false, 0},        {"+1", 0, 9, false, 0},
	    {"1x", 0, 9, false, 0},        {"0x1", 0, 9, false, 0},
	    {"1.", 0, 9, false, 0},        {"18446744073709551617", 0, UINT32_MAX, false, 0},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		uint32_t v = 0;
		assert_int_equal(word_number(word(table[i].text), table[i].min, table[i].max, &v), table[i].ok);
		assert_int_equal(v, table[i].value);
	}
}

static void reads_seconds(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t ms;
	} table[] = {
	    {"0", true, 0},       {"1", true, 1000},    {"1.5", true, 1500},   {"0.05", true, 50},     {"0.001", true, 1},
	    {"1.0000", false, 0}, {".5", false, 0},     {"1.", false, 0},      {"1.x", false, 0},      {"1.5.5", false, 0},
	    {"-1", false, 0},     {"1e3", false, 0},    {"1,5", false, 0},     {"", false, 0},         {"1000000", true, 1000000000},
	    {".", false, 0},      {"1000001", false, 0}, {"0.0001", false, 0}, {"99999999999", false, 0}, {"0.999", true, 999},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		uint32_t ms = 0;
		assert_int_equal(word_seconds(word(table[i].text), 1000000, &ms), table[i].ok);
		assert_int_equal(ms, table[i].ms);
	}
}

static void lowers_letters_only(void **state)
{
	char s[] = "AZaz@[`{09\xc3\x84";
	(void)state;
	word_lower(s, sizeof s - 1);
	assert_string_equal(s, "azaz@[`{09\xc3\x84");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cuts_at_blanks_and_comments), cmocka_unit_test(refuses_every_other_byte),
	    cmocka_unit_test(compares_words),              cmocka_unit_test(reads_numbers),
	    cmocka_unit_test(reads_seconds),               cmocka_unit_test(lowers_letters_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
