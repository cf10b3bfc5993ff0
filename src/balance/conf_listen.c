// SPDX-License-Identifier: Apache-2.0
/* conf_listen: listen and route lines. */
#include "conf_parse.h"

#include <string.h>

enum { BACKLOG_MAX = 1 << 30 };

static bool listener_option(struct parse *p, struct listener *l, struct word w)
{
	uint32_t backlog;
	if (word_starts(w, "table=") && w.len > 6)
		return (l->table = conf_table(p, (struct word){w.at + 6, w.len - 6})) != NULL;
	if (word_is(w, "proxy=none"))
		l->proxy = PROXY_NONE;
	else if (word_is(w, "proxy=v1"))
		l->proxy = PROXY_V1;
	else if (word_is(w, "proxy=v2"))
		l->proxy = PROXY_V2;
	else if (word_is(w, "proxy=any"))
		l->proxy = PROXY_ANY;
	else if (word_is(w, "sni"))
		l->sni = true;
	else if (word_is(w, "trusted-only"))
		l->trusted = true;
	else if (word_is(w, "v6only") && l->path == NULL && l->addr.sa.sa_family == AF_INET6)
		l->v6only = true;
	else if (word_starts(w, "backlog=") &&
	         word_number((struct word){w.at + 8, w.len - 8}, 1, BACKLOG_MAX, &backlog))
		l->backlog = (int)backlog;
	else
		return parse_fail(p, "listen %s: unknown or misplaced option \"%.*s\"", l->name, SHOW(w));
	return true;
}

bool take_listen(struct parse *p)
{
	struct conf *c = p->conf;
	struct word name, w;
	if (!parse_name(p, "listen", &name))
		return false;
	if (map_get(&c->listener_by_name, name.at, name.len) != NULL)
		return parse_fail(p, "listen %.*s: defined twice", SHOW(name));
	struct listener *l = arena_alloc(&c->arena, sizeof *l);
	struct listener **entry = arena_push(&c->arena, &c->listeners, &c->listeners_n, &c->listeners_cap, sizeof *entry);
	if (l == NULL || entry == NULL || (l->name = parse_keep(p, name)) == NULL)
		return parse_no_memory(p);
	*entry = l;
	l->backlog = BACKLOG_MAX; /* the kernel cuts it to net.core.somaxconn */
	if (!words_next(&p->words, &w))
		return parse_fail(p, "listen %s: an address is missing", l->name);
	if ((l->address = parse_keep(p, w)) == NULL)
		return parse_no_memory(p);
	if (word_starts(w, "tcp:")) {
		if (!addr_parse(&l->addr, w.at + 4, w.len - 4))
			return parse_fail(p, "listen %s: \"%.*s\" is not tcp:ADDRESS:PORT", l->name, SHOW(w));
	} else if (!parse_unix_path(p, w, "listen", &l->path)) {
		return false;
	}
	/* Two sockets on one TCP address fail to bind, yet the second of two on one path would take the first one's clients. */
	for (size_t i = 0; i + 1 < c->listeners_n; i++)
		if (strcmp(c->listeners[i]->address, l->address) == 0)
			return parse_fail(p, "listen %s: listener %s has %s already", l->name, c->listeners[i]->name, l->address);
	while (words_next(&p->words, &w))
		if (!listener_option(p, l, w))
			return false;
	if (l->sni && l->table != NULL)
		return parse_fail(p, "listen %s: what is relayed as TLS follows no table", l->name);
	return map_put(&c->listener_by_name, l->name, name.len, l) || parse_no_memory(p);
}

/* The routes that HOST or HOST:PORT goes into; cuts the port off. */
static struct routes *routes_for(struct parse *p, struct listener *l, struct word *host)
{
	uint32_t port;
	const char *colon = memchr(host->at, ':', host->len);
	if (colon == NULL)
		return &l->routes;
	const struct word number = {colon + 1, (size_t)(host->at + host->len - colon - 1)};
	if (!word_number(number, 1, 65535, &port)) {
		parse_fail(p, "route: \"%.*s\" is not HOST:PORT", SHOW(*host));
		return NULL;
	}
	host->len = (size_t)(colon - host->at);
	for (size_t i = 0; i < l->ports_n; i++)
		if (l->ports[i].port == port)
			return &l->ports[i].routes;
	struct port_routes *r = arena_push(&p->conf->arena, &l->ports, &l->ports_n, &l->ports_cap, sizeof *r);
	if (r == NULL) {
		parse_no_memory(p);
		return NULL;
	}
	r->port = port;
	return &r->routes;
}

bool take_route(struct parse *p)
{
	struct conf *c = p->conf;
	struct word name, host, target, more;
	if (!words_next(&p->words, &name) || !words_next(&p->words, &host) || !words_next(&p->words, &target))
		return parse_fail(p, "route: LISTENER HOST POOL expected");
	if (words_next(&p->words, &more))
		return parse_fail(p, "route: unexpected \"%.*s\"", SHOW(more));
	struct listener *l = map_get(&c->listener_by_name, name.at, name.len);
	struct pool *pool = map_get(&c->pool_by_name, target.at, target.len);
	if (l == NULL)
		return parse_fail(p, "route: no listener \"%.*s\" above this line", SHOW(name));
	if (pool == NULL)
		return parse_fail(p, "route: no pool \"%.*s\" above this line", SHOW(target));
	char *key;
	struct routes *r = routes_for(p, l, &host);
	if (r == NULL || !parse_host(p, "route", host, &key))
		return false;
	if (word_is(host, "*")) {
		if (r->others != NULL)
			return parse_fail(p, "route: host \"*\" of listener %s is routed twice", l->name);
		if (l->table != NULL && r == &l->routes)
			return parse_fail(p, "route: host \"*\" of listener %s would hide its table %s", l->name, l->table->name);
		r->others = pool;
		return true;
	}
	const bool wildcard = word_starts(host, "*.");
	struct map *hosts = wildcard ? &r->wildcard : &r->exact;
	key += wildcard ? 2 : 0;
	if (map_get(hosts, key, strlen(key)) != NULL)
		return parse_fail(p, "route: host \"%.*s\" of listener %s is routed twice", SHOW(host), l->name);
	return map_put(hosts, key, strlen(key), pool) || parse_no_memory(p);
}
