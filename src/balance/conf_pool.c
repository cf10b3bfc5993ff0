// SPDX-License-Identifier: Apache-2.0
/* conf_pool: pool lines, which are Balance argument lists. */
#include "conf_parse.h"

#include "health.h"
#include "schedule.h"

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

/* Cuts off what follows a mark, where there is one, and reads it as a number. */
static bool cut_number(struct word *w, char mark, uint32_t min, uint32_t max, uint32_t *out)
{
	const char *at = memchr(w->at, mark, w->len);
	if (at == NULL)
		return true;
	const struct word number = {at + 1, (size_t)(w->at + w->len - at - 1)};
	w->len = (size_t)(at - w->at);
	return w->len > 0 && word_number(number, min, max, out);
}

/* HOST:PORT[:MAXC][*WEIGHT][#ID]; the port is what follows the address, so cut a second colon off first. */
static bool parse_channel(struct channel *ch, struct word w)
{
	ch->weight = 1;
	if (!cut_number(&w, '#', 1, UINT32_MAX, &ch->id) || !cut_number(&w, '*', 0, WEIGHT_MAX, &ch->weight))
		return false;
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
		return parse_fail(p, "pool %s: \"%.*s\" is not ADDRESS:PORT[:MAXC][*WEIGHT][#ID]", pp->pool->name, SHOW(w));
	if (*open == NULL && (*open = open_group(p, pp)) == NULL)
		return parse_no_memory(p);
	struct group *g = *open;
	if (g->n == SCHEDULE_MAX)
		return parse_fail(p, "pool %s: more than %d channels in a group", pp->pool->name, SCHEDULE_MAX);
	struct channel *slot = arena_push(&p->conf->arena, &g->channels, &g->n, &pp->channels_cap, sizeof *slot);
	if (slot == NULL)
		return parse_no_memory(p);
	*slot = ch;
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
	pool_defaults(pp.pool);
	struct group *open = NULL;
	while (words_next(&p->words, &w)) {
		if (word_is(w, "!") || word_is(w, "%")) {
			if (open == NULL)
				return parse_fail(p, "pool %s: \"%.*s\" ends a group without channels", pp.pool->name, SHOW(w));
			open->hash = w.at[0] == '%';
			open = NULL;
		} else if (w.at[0] == '-') {
			if (!take_pool_switch(p, pp.pool, w))
				return false;
		} else if (memchr(w.at, '=', w.len) != NULL) {
			if (!take_pool_option(p, pp.pool, w))
				return false;
		} else if (!take_channel(p, &pp, &open, w)) {
			return false;
		}
	}
	if (pp.pool->send_proxy > c->send_proxy)
		c->send_proxy = pp.pool->send_proxy;
	for (size_t g = 0; g < pp.pool->n; g++) {
		struct group *group = &pp.pool->groups[g];
		group->plain = !group->hash && pp.pool->lb == LB_RR && pp.pool->slow_start_ms == 0 && !health_matters(pp.pool);
		if ((group->schedule = schedule_new(&c->arena, (uint32_t)group->n)) == NULL)
			return parse_no_memory(p);
	}
	return map_put(&c->pool_by_name, pp.pool->name, name.len, pp.pool) || parse_no_memory(p);
}
