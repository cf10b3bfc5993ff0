// SPDX-License-Identifier: Apache-2.0
/* http_table: which rule serves a host and a path. */
#include "http_table.h"

#include <stdlib.h>
#include <string.h>

const struct vhost *table_host(const struct table *t, const char *host, size_t len)
{
	const struct vhost *v = map_get(&t->hosts, host, len);
	if (v != NULL)
		return v;
	const char *dot = memchr(host, '.', len);
	if (dot != NULL && dot > host)
		v = map_get(&t->wildcards, dot + 1, len - (size_t)(dot + 1 - host));
	return v != NULL ? v : t->any;
}

const struct rule *vhost_rule(const struct vhost *v, const char *path, size_t len)
{
	const struct rule *r = map_get(&v->exact, path, len);
	if (r != NULL)
		return r;
	/* From the whole path down, one element less each time. What is longer than any prefix need not be looked up. */
	size_t n = len;
	while (n > 0 && path[n - 1] == '/')
		n--;
	for (;;) {
		if (n <= v->longest && (r = map_get(&v->prefix, path, n)) != NULL)
			return r;
		if (n == 0)
			return NULL;
		do
			n--;
		while (path[n] != '/');
	}
}

struct vhost *table_add_host(struct arena *a, struct table *t, const char *key, size_t len)
{
	struct map *map = &t->hosts;
	if (len == 1 && key[0] == '*') {
		if (t->any == NULL)
			t->any = arena_alloc(a, sizeof *t->any);
		return t->any;
	}
	if (len > 2 && key[0] == '*' && key[1] == '.') {
		map = &t->wildcards;
		key += 2;
		len -= 2;
	}
	struct vhost *v = map_get(map, key, len);
	if (v != NULL)
		return v;
	v = arena_alloc(a, sizeof *v);
	return v != NULL && map_put(map, key, len, v) ? v : NULL;
}

enum table_added vhost_add(struct vhost *v, struct rule *r)
{
	struct map *map = r->exact ? &v->exact : &v->prefix;
	if (map_get(map, r->path, r->path_len) != NULL)
		return TABLE_TWICE;
	if (!map_put(map, r->path, r->path_len, r))
		return TABLE_MEMORY;
	if (!r->exact && r->path_len > v->longest)
		v->longest = r->path_len;
	return TABLE_OK;
}

static void free_vhost(struct vhost *v)
{
	if (v == NULL)
		return;
	map_free(&v->exact);
	map_free(&v->prefix);
}

static void free_hosts(struct map *hosts)
{
	for (size_t i = 0; i < hosts->cap; i++)
		free_vhost(hosts->at[i].value);
	map_free(hosts);
}

void table_free(struct table *t)
{
	free_hosts(&t->hosts);
	free_hosts(&t->wildcards);
	free_vhost(t->any);
}
