// SPDX-License-Identifier: Apache-2.0
/* conf_pool: pool lines, which are Balance argument lists. */
#include "conf_parse.h"

#include <stdio.h>
#include <string.h>

struct pool_parse {
	struct pool *pool;
	size_t groups_cap, channels_cap;
};

static struct group *open_group(struct parse *p, struct pool_parse *pp)
{
	pp->channels_cap = 0;
	return arena_push(&p->conf->arena, &pp->pool->groups, &pp->pool->n, &pp->groups_cap, sizeof(struct group));
}

/* HOST:PORT[:MAXC][#ID]; the port is what follows the address, so cut a second colon off first. */
static bool parse_channel(struct channel *ch, struct word w)
{
	const char *id = memchr(w.at, '#', w.len);
	if (id != NULL) {
		if (!word_number((struct word){id + 1, (size_t)(w.at + w.len - id - 1)}, 1, UINT32_MAX, &ch->id))
			return false;
		w.len = (size_t)(id - w.at);
	}
	const char *after = w.at[0] == '[' ? memchr(w.at, ']', w.len) : w.at;
	if (after == NULL)
		return false;
	const char *end = w.at + w.len;
	const char *port = memchr(after, ':', (size_t)(end - after));
	const char *max = port == NULL ? NULL : memchr(port + 1, ':', (size_t)(end - port - 1));
	if (max != NULL && !word_number((struct word){max + 1, (size_t)(end - max - 1)}, 0, UINT32_MAX, &ch->max))
		return false;
	return addr_parse(&ch->addr, w.at, (size_t)((max == NULL ? end : max) - w.at));
}

static bool take_channel(struct parse *p, struct pool_parse *pp, struct group **open, struct word w)
{
	struct channel ch = {0};
	if (!parse_channel(&ch, w))
		return parse_fail(p, "pool %s: \"%.*s\" is not ADDRESS:PORT[:MAXC][#ID]", pp->pool->name, SHOW(w));
	if (*open == NULL && (*open = open_group(p, pp)) == NULL)
		return parse_no_memory(p);
	struct group *g = *open;
	struct channel *slot = arena_push(&p->conf->arena, &g->channels, &g->n, &pp->channels_cap, sizeof *slot);
	if (slot == NULL)
		return parse_no_memory(p);
	*slot = ch;
	return true;
}

/* -B ADDRESS: an address without port, read as one with a port that is then forgotten. */
static bool take_from(struct parse *p, struct pool *pool)
{
	struct word w;
	char text[ADDR_TEXT];
	if (!words_next(&p->words, &w) || w.len > ADDR_TEXT - sizeof "[]:1")
		return parse_fail(p, "pool %s: -B wants an address", pool->name);
	const bool v6 = memchr(w.at, ':', w.len) != NULL;
	int n = snprintf(text, sizeof text, v6 ? "[%.*s]:1" : "%.*s:1", (int)w.len, w.at);
	if (!addr_parse(&pool->from, text, (size_t)n))
		return parse_fail(p, "pool %s: -B wants an address, not \"%.*s\"", pool->name, SHOW(w));
	if (v6)
		pool->from.in6.sin6_port = 0;
	else
		pool->from.in.sin_port = 0;
	return true;
}

static bool take_pool_option(struct parse *p, struct pool *pool, struct word option)
{
	struct word w;
	if (word_is(option, "-B"))
		return take_from(p, pool);
	if (word_is(option, "-a"))
		return pool->autodisable = true;
	if (word_is(option, "-H") || word_is(option, "-S")) {
		pool->strict_hash = option.at[1] == 'S';
		return true;
	}
	uint32_t *ms = word_is(option, "-t")   ? &pool->connect_ms
	               : word_is(option, "-T") ? &pool->idle_ms
	               : word_is(option, "-r") ? &pool->response_ms
	                                       : NULL;
	if (ms == NULL)
		return parse_fail(p, "pool %s: unknown option \"%.*s\"", pool->name, SHOW(option));
	if (!words_next(&p->words, &w) || !word_seconds(w, SECONDS_MAX, ms))
		return parse_fail(p, "pool %s: %.*s wants a number of seconds", pool->name, SHOW(option));
	if (ms != &pool->idle_ms && *ms == 0)
		return parse_fail(p, "pool %s: %.*s 0 would let nothing succeed", pool->name, SHOW(option));
	return true;
}

bool take_pool(struct parse *p)
{
	struct conf *c = p->conf;
	struct word name, w;
	if (!parse_name(p, "pool", &name))
		return false;
	if (map_get(&c->pool_by_name, name.at, name.len) != NULL)
		return parse_fail(p, "pool %.*s: defined twice", SHOW(name));
	struct pool_parse pp = {.pool = arena_alloc(&c->arena, sizeof(struct pool))};
	struct pool **entry = arena_push(&c->arena, &c->pools, &c->pools_n, &c->pools_cap, sizeof *entry);
	if (pp.pool == NULL || entry == NULL || (pp.pool->name = parse_keep(p, name)) == NULL)
		return parse_no_memory(p);
	*entry = pp.pool;
	pp.pool->connect_ms = 5000;
	pp.pool->response_ms = 60000;
	struct group *open = NULL;
	while (words_next(&p->words, &w)) {
		if (word_is(w, "!") || word_is(w, "%")) {
			if (open == NULL)
				return parse_fail(p, "pool %s: \"%.*s\" ends a group without channels", pp.pool->name, SHOW(w));
			open->hash = w.at[0] == '%';
			open = NULL;
		} else if (w.at[0] == '-') {
			if (!take_pool_option(p, pp.pool, w))
				return false;
		} else if (!take_channel(p, &pp, &open, w)) {
			return false;
		}
	}
	return map_put(&c->pool_by_name, pp.pool->name, name.len, pp.pool) || parse_no_memory(p);
}
