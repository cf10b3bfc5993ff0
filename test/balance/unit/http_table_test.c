// SPDX-License-Identifier: Apache-2.0
/* Which rule serves a host and a path: the tables of the Kubernetes Ingress page ("Path types", "Hostname wildcards"), then many hosts and
 * paths against a reading of the specification that is slow and plain. */
#include "test.h"

#include "http_table.h"

static struct rule pool_of_rules[4096];
static size_t rules_n;

static void add(struct vhost *v, bool exact, const char *path)
{
	struct rule *r = &pool_of_rules[rules_n++];
	*r = (struct rule){.path = path, .path_len = strlen(path), .exact = exact};
	while (!exact && r->path_len > 0 && path[r->path_len - 1] == '/')
		r->path_len--; /* as conf_http.c does */
	assert_int_equal(vhost_add(v, r), TABLE_OK);
}

static const char *serves(const struct vhost *v, const char *path)
{
	struct guarded g = guard(path, strlen(path));
	const struct rule *r = vhost_rule(v, (char *)g.at, strlen(path));
	unguard(g);
	return r == NULL ? NULL : r->path;
}

static void clear(struct vhost *v)
{
	map_free(&v->exact);
	map_free(&v->prefix);
	*v = (struct vhost){0};
	rules_n = 0;
}

/* kubernetes.io/docs/concepts/services-networking/ingress, "Examples" of path matching, row by row. */
static void kubernetes_paths(void **state)
{
	static const struct {
		const char *kind; /* P or E for each path */
		const char *paths[3];
		const char *request;
		const char *match; /* NULL: none */
	} rows[] = {
	    {"P", {"/"}, "/", "/"}, {"P", {"/"}, "/any/path", "/"}, {"P", {"/"}, "//", "/"},
	    {"E", {"/foo"}, "/foo", "/foo"}, {"E", {"/foo"}, "/bar", NULL}, {"E", {"/foo"}, "/foo/", NULL}, {"E", {"/foo/"}, "/foo", NULL},
	    {"E", {"/foo"}, "/FOO", NULL}, {"E", {"/foo/"}, "/foo/", "/foo/"}, {"E", {"/"}, "/foo", NULL},
	    {"P", {"/foo"}, "/foo", "/foo"}, {"P", {"/foo"}, "/foo/", "/foo"}, {"P", {"/foo/"}, "/foo", "/foo/"}, {"P", {"/foo/"}, "/foo/", "/foo/"},
	    {"P", {"/aaa/bb"}, "/aaa/bbb", NULL}, {"P", {"/aaa/bbb"}, "/aaa/bbb", "/aaa/bbb"}, {"P", {"/aaa/bbb/"}, "/aaa/bbb", "/aaa/bbb/"},
	    {"P", {"/aaa/bbb"}, "/aaa/bbb/", "/aaa/bbb"}, {"P", {"/aaa/bbb"}, "/aaa/bbb/ccc", "/aaa/bbb"}, {"P", {"/aaa/bbb"}, "/aaa/bbbxyz", NULL},
	    {"PP", {"/", "/aaa"}, "/aaa/ccc", "/aaa"}, {"PPP", {"/", "/aaa", "/aaa/bbb"}, "/aaa/bbb", "/aaa/bbb"},
	    {"PPP", {"/", "/aaa", "/aaa/bbb"}, "/ccc", "/"}, {"P", {"/aaa"}, "/ccc", NULL},
	    {"PE", {"/foo", "/foo"}, "/foo", "E/foo"}, {"PE", {"/foo", "/foo"}, "/foo/", "/foo"}, {"PE", {"/", "/foo"}, "/foo", "E/foo"},
	    {"P", {"/foo"}, "/Foo", NULL}, {"P", {"/foo"}, "/foo//", "/foo"}, {"P", {"/foo"}, "/", NULL}, {"P", {"/foo"}, "/fo", NULL},
	    {"EP", {"/a/b", "/a"}, "/a/b/", "/a"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vhost v = {0};
		for (size_t k = 0; rows[i].kind[k] != '\0'; k++)
			add(&v, rows[i].kind[k] == 'E', rows[i].paths[k]);
		struct guarded g = guard(rows[i].request, strlen(rows[i].request));
		const struct rule *r = vhost_rule(&v, (char *)g.at, strlen(rows[i].request));
		unguard(g);
		const char *want = rows[i].match;
		const bool exact = want != NULL && want[0] == 'E';
		if ((r == NULL) != (want == NULL) || (r != NULL && (strcmp(r->path, want + exact) != 0 || (exact && !r->exact))))
			fail_msg("row %zu: %s is served by %s", i, rows[i].request, r == NULL ? "nothing" : r->path);
		clear(&v);
	}
}

static void kubernetes_hosts(void **state)
{
	static const struct {
		const char *host, *request;
		bool match;
	} rows[] = {
	    {"*.foo.com", "bar.foo.com", true}, {"*.foo.com", "baz.bar.foo.com", false}, {"*.foo.com", "foo.com", false},
	    {"*.foo.com", ".foo.com", false}, {"*.foo.com", "foo.com.", false}, {"*.foo.com", "xfoo.com", false}, {"foo.com", "foo.com", true},
	    {"foo.com", "bar.foo.com", false}, {"foo.com", "", false}, {"*", "", true}, {"*", "x", true}, {"*", "a.b.c", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct arena a = {0};
		struct table t = {0};
		assert_non_null(table_add_host(&a, &t, rows[i].host, strlen(rows[i].host)));
		struct guarded g = guard(rows[i].request, strlen(rows[i].request));
		assert_int_equal(table_host(&t, (char *)g.at, strlen(rows[i].request)) != NULL, rows[i].match);
		unguard(g);
		table_free(&t);
		arena_free(&a);
	}
	/* The best has the say: exact, then the wildcard, then any; a rule that does not match does not send on to another host. */
	struct arena a = {0};
	struct table t = {0};
	struct vhost *any = table_add_host(&a, &t, "*", 1), *wild = table_add_host(&a, &t, "*.b.c", 5), *exact = table_add_host(&a, &t, "a.b.c", 5);
	assert_ptr_equal(table_add_host(&a, &t, "a.b.c", 5), exact);
	assert_ptr_equal(table_add_host(&a, &t, "*.b.c", 5), wild);
	assert_ptr_equal(table_host(&t, "a.b.c", 5), exact);
	assert_ptr_equal(table_host(&t, "x.b.c", 5), wild);
	assert_ptr_equal(table_host(&t, "b.c", 3), any);
	assert_ptr_equal(table_host(&t, "y.x.b.c", 7), any);
	table_free(&t);
	arena_free(&a);
}

static void a_rule_is_there_once(void **state)
{
	struct vhost v = {0};
	(void)state;
	add(&v, false, "/a");
	struct rule same = {.path = "/a", .path_len = 2}, exact = {.path = "/a", .path_len = 2, .exact = true};
	assert_int_equal(vhost_add(&v, &same), TABLE_TWICE);
	assert_int_equal(vhost_add(&v, &exact), TABLE_OK);
	assert_string_equal(serves(&v, "/a"), "/a");
	clear(&v);
}

/* --- a thousand paths, slowly --------------------------------------------------------------------------------- */

static const struct rule *slow(const char *path, size_t len)
{
	const struct rule *best = NULL;
	for (size_t i = 0; i < rules_n; i++) {
		const struct rule *r = &pool_of_rules[i];
		if (r->exact && r->path_len == len && memcmp(r->path, path, len) == 0)
			return r;
		if (r->exact || len < r->path_len || memcmp(r->path, path, r->path_len) != 0 || (len > r->path_len && path[r->path_len] != '/'))
			continue;
		if (best == NULL || r->path_len > best->path_len)
			best = r;
	}
	return best;
}

static size_t make_path(char *out, uint64_t *seed)
{
	static const char *const elements[] = {"/a", "/b", "/aa", "/ab", "/", "/x"};
	out[0] = '\0';
	for (uint32_t n = 1 + random_next(seed) % 7; n > 0; n--)
		strcat(out, elements[random_next(seed) % COUNT(elements)]);
	return strlen(out);
}

static void a_thousand_paths(void **state)
{
	static char paths[1000][32];
	struct vhost v = {0};
	uint64_t seed = 3;
	unsigned served = 0;
	(void)state;
	while (rules_n < COUNT(paths)) {
		char *path = paths[rules_n];
		make_path(path, &seed);
		struct rule *r = &pool_of_rules[rules_n];
		*r = (struct rule){.path = path, .path_len = strlen(path), .exact = random_next(&seed) % 3 == 0};
		while (!r->exact && r->path_len > 0 && path[r->path_len - 1] == '/')
			r->path_len--;
		if (r->path_len == 0 || vhost_add(&v, r) != TABLE_OK)
			continue; /* without the root, so that some find nothing */
		rules_n++;
	}
	for (int i = 0; i < 20000; i++) {
		char path[64];
		size_t n = make_path(path, &seed);
		const struct rule *r = vhost_rule(&v, path, n);
		assert_ptr_equal(r, slow(path, n));
		served += r != NULL;
	}
	assert_in_range(served, 1000, 19999);
	clear(&v);
}

static void ten_thousand_hosts(void **state)
{
	static char names[10000][32];
	static struct vhost *hosts[10000];
	struct arena a = {0};
	struct table t = {0};
	(void)state;
	for (unsigned i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof names[i], "%sh%u.z%u.example", i % 4 == 0 ? "*." : "", i, i % 50);
		assert_non_null(hosts[i] = table_add_host(&a, &t, names[i], strlen(names[i])));
	}
	for (unsigned i = 0; i < COUNT(names); i++) {
		char name[40];
		const bool wild = i % 4 == 0;
		int n = snprintf(name, sizeof name, "%s%s", wild ? "q" : "", names[i] + wild);
		assert_ptr_equal(table_host(&t, name, (size_t)n), hosts[i]);
		n = snprintf(name, sizeof name, "a.b.%s", names[i] + 2 * wild);
		assert_null(table_host(&t, name, (size_t)n));
	}
	table_free(&t);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kubernetes_paths), cmocka_unit_test(kubernetes_hosts), cmocka_unit_test(a_rule_is_there_once),
	    cmocka_unit_test(a_thousand_paths), cmocka_unit_test(ten_thousand_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
