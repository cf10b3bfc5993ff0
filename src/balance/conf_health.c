// SPDX-License-Identifier: Apache-2.0
/* conf_health: what a pool line says about the health of its channels. */
#include "conf_parse.h"

#include <string.h>

enum {
	FAILS_MAX = 1000,
	BASE_MS = 2000,
	MAX_MS = 60000,
	INTERVAL_MIN_MS = 100, /* the checker's clock ticks in 64 ms */
	RESULTS_MAX = 1000,
};

/* The part of a list up to a comma; false when nothing is left. */
static bool next_part(struct word *list, struct word *part)
{
	if (list->at == NULL)
		return false;
	const char *comma = memchr(list->at, ',', list->len);
	part->at = list->at;
	part->len = comma == NULL ? list->len : (size_t)(comma - list->at);
	list->len -= comma == NULL ? list->len : part->len + 1;
	list->at = comma == NULL ? NULL : comma + 1;
	return true;
}

/* FAILS[,BASE[,MAX]] */
bool take_eject(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	struct eject *e = at;
	struct word list = value, part;
	bool good = next_part(&list, &part) && word_number(part, 0, FAILS_MAX, &e->fails);
	e->base_ms = BASE_MS;
	if (good && next_part(&list, &part))
		good = word_seconds(part, SECONDS_MAX, &e->base_ms) && e->base_ms > 0;
	e->max_ms = e->base_ms > MAX_MS ? e->base_ms : MAX_MS;
	if (good && next_part(&list, &part))
		good = word_seconds(part, SECONDS_MAX, &e->max_ms);
	if (!good || list.at != NULL)
		return parse_fail(p, "pool %s: %s wants FAILURES[,SECONDS[,MOST SECONDS]], not \"%.*s\"", pool->name, o->key, SHOW(value));
	return e->max_ms >= e->base_ms ||
	       parse_fail(p, "pool %s: %s: the longest time is shorter than the first", pool->name, o->key);
}

/* A request target in origin form (RFC 9112 §3.2.1). A comma ends it, so one of its own is written %2C. */
static bool is_path(struct word w)
{
	return w.len > 0 && w.len <= CHECK_PATH_MAX && w.at[0] == '/' && word_only(w, "-._~!$&'()*+;=:@%/?");
}

static bool is_host(struct word w)
{
	return w.len > 0 && w.len <= HOST_PORT_MAX && word_only(w, "-._:[]");
}

/* `tcp`, or `http,PATH[,HOST]` */
bool take_check(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	struct check *c = at;
	struct word list = value, kind, path, host = {0};
	bool good = next_part(&list, &kind);
	if (good && word_is(kind, "tcp")) {
		c->kind = CHECK_TCP;
	} else {
		c->kind = CHECK_HTTP;
		good = word_is(kind, "http") && next_part(&list, &path) && is_path(path) && (!next_part(&list, &host) || is_host(host));
	}
	if (!good || list.at != NULL)
		return parse_fail(p, "pool %s: %s is tcp or http,PATH[,HOST], not \"%.*s\"", pool->name, o->key, SHOW(value));
	if (c->kind == CHECK_HTTP && (c->path = parse_keep(p, path)) == NULL)
		return parse_no_memory(p);
	return host.len == 0 || (c->host = parse_keep(p, host)) != NULL || parse_no_memory(p);
}

bool take_check_seconds(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	uint32_t ms;
	if (!word_seconds(value, SECONDS_MAX, &ms) || ms < INTERVAL_MIN_MS)
		return parse_fail(p, "pool %s: %s wants at least 0.1 seconds, not \"%.*s\"", pool->name, o->key, SHOW(value));
	memcpy(at, &ms, sizeof ms);
	return true;
}

bool take_check_results(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	return word_number(value, 1, RESULTS_MAX, at) ||
	       parse_fail(p, "pool %s: %s wants a number from 1 to %d, not \"%.*s\"", pool->name, o->key, RESULTS_MAX, SHOW(value));
}
