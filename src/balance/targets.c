// SPDX-License-Identifier: Apache-2.0
/* targets: what a configuration wants checked. */
#include "targets.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 2 * ADDR_TEXT + CHECK_PATH_MAX + HOST_PORT_MAX + 64 };

static size_t write_key(char key[KEY_MAX], const struct pool *p, const struct addr *a)
{
	char address[ADDR_TEXT], from[ADDR_TEXT];
	const struct check *c = &p->check;
	addr_format(a, address);
	addr_format(&p->from, from);
	/* No part holds a blank. */
	return (size_t)snprintf(key, KEY_MAX, "%s %s %d %d %u %u %s %s", address, from, (int)p->send_proxy, (int)c->kind, c->interval_ms, c->timeout_ms,
	                        c->path == NULL ? "" : c->path, c->host == NULL ? "" : c->host);
}

static struct target *new_target(struct targets *t, const struct pool *p, const struct addr *a, const char *key, size_t len)
{
	struct target *target = arena_alloc(&t->arena, sizeof *target);
	struct target **entry = arena_push(&t->arena, &t->at, &t->n, &t->cap, sizeof *entry);
	char *kept = arena_copy(&t->arena, key, len);
	if (entry != NULL && target == NULL)
		t->n--;
	if (target == NULL || entry == NULL || kept == NULL)
		return NULL;
	*entry = target;
	target->plan = (struct check_plan){*a, p};
	target->checking.fd = -1;
	return map_put(&t->by_key, kept, len, target) ? target : NULL;
}

static bool add(struct targets *t, const struct pool *p, const struct channel *ch)
{
	char key[KEY_MAX];
	size_t len = write_key(key, p, &ch->addr);
	struct target *target = map_get(&t->by_key, key, len);
	if (target == NULL && (target = new_target(t, p, &ch->addr, key, len)) == NULL)
		return false;
	struct watcher *w = arena_alloc(&t->arena, sizeof *w);
	if (w == NULL)
		return false;
	*w = (struct watcher){target->watchers, p, ch->slot};
	target->watchers = w;
	return true;
}

bool targets_build(struct targets *t, const struct conf *c)
{
	for (size_t i = 0; i < c->pools_n; i++) {
		const struct pool *p = c->pools[i];
		for (size_t g = 0; p->check.kind != CHECK_NONE && g < p->n; g++)
			for (size_t k = 0; k < p->groups[g].n; k++)
				if (!add(t, p, &p->groups[g].channels[k]))
					return false;
	}
	return true;
}

void targets_match(struct targets *coming, const struct targets *before,
                   void (*visit)(void *with, struct target *, struct target *before), void *with)
{
	for (size_t i = 0; i < coming->by_key.cap; i++) {
		const struct map_entry *e = &coming->by_key.at[i];
		if (e->value != NULL)
			visit(with, e->value, map_get(&before->by_key, e->key, e->len));
	}
}

void targets_free(struct targets *t)
{
	map_free(&t->by_key);
	arena_free(&t->arena);
	*t = (struct targets){0};
}

bool targets_wanted(const struct conf *c)
{
	for (size_t i = 0; i < c->pools_n; i++)
		if (c->pools[i]->check.kind != CHECK_NONE)
			return true;
	return false;
}
