// SPDX-License-Identifier: Apache-2.0
/* Paths and the table that they are looked up in: the normal form is a normal form, and the rule found is the one a reading of the
 * specification finds. Lines of the input are rules, the last one is the path. */
#include "http_path.h"
#include "http_table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RULES = 32, PATH = 256 };

static void check(int what)
{
	if (!what)
		abort();
}

static void normal_form(const char *path, size_t n)
{
	char once[PATH], twice[PATH];
	size_t len, again;
	char *exact = malloc(n);
	check(exact != NULL);
	memcpy(exact, path, n);
	if (path_normalise(once, &len, exact, n)) {
		check(len >= 1 && len <= n && once[0] == '/');
		check(path_normalise(twice, &again, once, len));
		check(again == len && memcmp(once, twice, len) == 0);
		check(memmem(once, len, "/../", 4) == NULL && memmem(once, len, "/./", 3) == NULL);
		check(len < 2 || memcmp(once + len - 2, "/.", 2) != 0);
		check(len < 3 || memcmp(once + len - 3, "/..", 3) != 0);
		if (path_is_normal(exact, n))
			check(len == n && memcmp(once, exact, n) == 0);
	} else {
		check(!path_is_normal(exact, n));
	}
	free(exact);
}

/* Kubernetes' table, read slowly: element by element. */
static bool is_prefix(const char *rule, size_t n, const char *path, size_t len)
{
	return n == 0 || (len >= n && memcmp(rule, path, n) == 0 && (len == n || path[n] == '/'));
}

static const struct rule *slow(const struct rule *rules, size_t n, const char *path, size_t len)
{
	const struct rule *best = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = &rules[i];
		if (r->exact && r->path_len == len && memcmp(r->path, path, len) == 0)
			return r;
		if (!r->exact && is_prefix(r->path, r->path_len, path, len) && (best == NULL || r->path_len > best->path_len))
			best = r;
	}
	return best;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rule rules[RULES];
	struct vhost v = {0};
	size_t n = 0;
	const char *at = (const char *)data, *end = at + size;
	for (const char *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
		size_t len = (size_t)(lf - at);
		if (n == RULES || len < 2 || len >= PATH || at[1] != '/')
			continue;
		struct rule *r = &rules[n];
		*r = (struct rule){.path = at + 1, .path_len = len - 1, .exact = at[0] == '='};
		while (!r->exact && r->path_len > 0 && r->path[r->path_len - 1] == '/')
			r->path_len--;
		n += vhost_add(&v, r) == TABLE_OK;
	}
	size_t len = (size_t)(end - at);
	if (len > 0 && len < PATH && at[0] == '/') {
		normal_form(at, len);
		check(vhost_rule(&v, at, len) == slow(rules, n, at, len));
	}
	map_free(&v.exact);
	map_free(&v.prefix);
	return 0;
}
