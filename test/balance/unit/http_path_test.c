// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "http_path.h"

static const struct {
	const char *path, *normal; /* NULL: refused */
} rows[] = {
    {"/", "/"}, {"/a", "/a"}, {"/a/", "/a/"}, {"//", "/"}, {"/a//b", "/a/b"}, {"///a////", "/a/"}, {"//admin", "/admin"},
    /* RFC 3986 §5.2.4, §5.4: what is left once they are merged with their base */
    {"/a/b/c/./../../g", "/a/g"}, {"/b/c/./g", "/b/c/g"}, {"/b/c/g/", "/b/c/g/"}, {"/b/c/.", "/b/c/"}, {"/b/c/./", "/b/c/"},
    {"/b/c/..", "/b/"}, {"/b/c/../", "/b/"}, {"/b/c/../g", "/b/g"}, {"/b/c/../..", "/"}, {"/b/c/../../", "/"},
    {"/b/c/../../g", "/g"}, {"/b/c/../../../g", "/g"}, {"/b/c/../../../../g", "/g"}, {"/./g", "/g"}, {"/../g", "/g"},
    {"/b/c/g.", "/b/c/g."}, {"/b/c/.g", "/b/c/.g"}, {"/b/c/g..", "/b/c/g.."}, {"/b/c/..g", "/b/c/..g"}, {"/b/c/./../g", "/b/g"},
    {"/b/c/./g/.", "/b/c/g/"}, {"/b/c/g/./h", "/b/c/g/h"}, {"/b/c/g/../h", "/b/c/h"}, {"/b/c/g;x=1/./y", "/b/c/g;x=1/y"},
    {"/b/c/g;x=1/../y", "/b/c/y"}, {"/..", "/"}, {"/.", "/"}, {"/...", "/..."}, {"/../..", "/"}, {"//..", "/"}, {"//../a", "/a"},
    {"/a//../b", "/b"}, {"/a/..//b", "/b"}, {"/%2f/", "/%2F/"},
    /* RFC 3986 §6.2.2.1, §6.2.2.2 */
    {"/%7Eu", "/~u"}, {"/%7eu", "/~u"}, {"/%41%5a%30", "/AZ0"}, {"/%2d%2e%5f", "/-._"}, {"/%e4", "/%E4"}, {"/%c3%A4", "/%C3%A4"},
    {"/%2f", "/%2F"}, {"/a%2Fb", "/a%2Fb"}, {"/%3f%23", "/%3F%23"}, {"/%25", "/%25"}, {"/%252e", "/%252e"}, {"/%20", "/%20"}, {"/%5c", "/%5C"},
    {"/a/%2e", "/a/"}, {"/a/%2E%2e/b", "/b"}, {"/a/.%2e", "/"}, {"/a/%2e./b", "/b"}, {"/a%2f../b", "/a%2F../b"}, {"/a/%2e%2e%2fb", "/a/..%2Fb"},
    {"/%2e%2e%2f%2e%2e", "/..%2F.."},
    {"/%00", NULL}, {"/a%00b", NULL}, {"/%", NULL}, {"/%4", NULL}, {"/%g0", NULL}, {"/%0g", NULL}, {"/a%", NULL}, {"/%-1", NULL}, {"/%%41", NULL},
};

static void by_table(void **state)
{
	char out[64];
	size_t n;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t len = strlen(rows[i].path);
		struct guarded g = guard(rows[i].path, len), room = guard("", 0);
		unguard(room);
		room = guard(rows[i].path, len); /* what is written ends where the input's length does */
		bool ok = path_normalise((char *)room.at, &n, (char *)g.at, len);
		const bool normal = path_is_normal((char *)g.at, len);
		if (ok)
			memcpy(out, room.at, n);
		unguard(g);
		unguard(room);
		out[ok ? n : 0] = '\0';
		if (ok != (rows[i].normal != NULL) || (ok && strcmp(out, rows[i].normal) != 0))
			fail_msg("%s became %s", rows[i].path, ok ? out : "nothing");
		assert_true(!normal || (ok && strcmp(out, rows[i].path) == 0));
	}
}

static void settles_at_once_and_never_grows(void **state)
{
	static const char *const pieces[] = {"/", "/", ".", "..", "%2e", "%2E", "a", "%41", "%2f", "%", "~", "%7e", "%e4"};
	uint64_t seed = 7;
	(void)state;
	for (int i = 0; i < 200000; i++) {
		char path[64] = "/", once[64], twice[64];
		size_t n, again;
		for (uint32_t k = random_next(&seed) % 12; k > 0; k--)
			strcat(path, pieces[random_next(&seed) % COUNT(pieces)]);
		if (!path_normalise(once, &n, path, strlen(path)))
			continue;
		assert_true(n >= 1 && n <= strlen(path) && once[0] == '/');
		assert_true(path_normalise(twice, &again, once, n));
		assert_int_equal(again, n);
		assert_memory_equal(once, twice, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(by_table), cmocka_unit_test(settles_at_once_and_never_grows)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
