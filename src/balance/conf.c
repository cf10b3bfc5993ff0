// SPDX-License-Identifier: Apache-2.0
/* conf: a configuration file, read whole and checked whole (docs/balance-config.md). */
#include "conf.h"

#include "words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 253, NAME_MAX_LEN = 255, SECONDS_MAX = 1000000, BACKLOG_MAX = 1 << 30 };

struct parse {
	struct conf *conf;
	struct conf_error *error;
	struct words words; /* of the current line */
	bool seen_hash, seen_workers, seen_control, seen_grace;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct parse *p, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(p->error->reason, sizeof p->error->reason, format, ap);
	va_end(ap);
	return false;
}

static bool no_memory(struct parse *p)
{
	return fail(p, "out of memory");
}

/* For messages: a word cut to a length a person can read. */
#define SHOW(w) (int)((w).len > 80 ? 80 : (w).len), (w).at

static bool once(struct parse *p, bool *seen, const char *what)
{
	if (*seen)
		return fail(p, "%s is given twice", what);
	*seen = true;
	return true;
}

static bool one_word(struct parse *p, struct word *out, const char *what)
{
	if (!words_next(&p->words, out))
		return fail(p, "%s: a value is missing", what);
	struct word more;
	if (words_next(&p->words, &more))
		return fail(p, "%s: unexpected \"%.*s\"", what, SHOW(more));
	return true;
}

static char *keep(struct parse *p, struct word w)
{
	return arena_copy(&p->conf->arena, w.at, w.len);
}

static bool take_text(struct parse *p, const char **out, bool *seen, const char *what)
{
	struct word w;
	if (!once(p, seen, what) || !one_word(p, &w, what))
		return false;
	*out = keep(p, w);
	return *out != NULL || no_memory(p);
}

static bool take_hash(struct parse *p)
{
	return take_text(p, &p->conf->hash, &p->seen_hash, "hash");
}

static bool take_workers(struct parse *p)
{
	struct word w;
	if (!once(p, &p->seen_workers, "workers") || !one_word(p, &w, "workers"))
		return false;
	if (!word_number(w, 1, 64, &p->conf->workers))
		return fail(p, "workers: \"%.*s\" is not a number from 1 to 64", SHOW(w));
	return true;
}

static bool unix_path(struct parse *p, struct word w, const char *what, const char **path)
{
	struct sockaddr_un un;
	if (!word_starts(w, "unix:"))
		return fail(p, "%s: \"%.*s\" does not begin with unix:", what, SHOW(w));
	char *text = keep(p, (struct word){w.at + 5, w.len - 5});
	if (text == NULL)
		return no_memory(p);
	if (text[0] != '/' || !addr_unix(&un, text))
		return fail(p, "%s: not an absolute path of at most %zu bytes", what, sizeof un.sun_path - 1);
	*path = text;
	return true;
}

static bool take_control(struct parse *p)
{
	struct word w;
	return once(p, &p->seen_control, "control") && one_word(p, &w, "control") &&
	       unix_path(p, w, "control", &p->conf->control);
}

static bool take_grace(struct parse *p)
{
	struct word w;
	if (!once(p, &p->seen_grace, "grace") || !one_word(p, &w, "grace"))
		return false;
	if (!word_seconds(w, SECONDS_MAX, &p->conf->grace_ms))
		return fail(p, "grace: \"%.*s\" is not a number of seconds", SHOW(w));
	return true;
}

static bool take_name(struct parse *p, const char *what, struct word *w)
{
	if (!words_next(&p->words, w))
		return fail(p, "%s: a name is missing", what);
	if (w->len > NAME_MAX_LEN || !word_only(*w, "._-/:") || !word_is_alnum(w->at[0]))
		return fail(p, "%s: \"%.*s\" is not a name (letters, digits and ._-/: up to 255 bytes)", what, SHOW(*w));
	return true;
}

static bool listener_option(struct parse *p, struct listener *l, struct word w)
{
	uint32_t backlog;
	if (word_is(w, "proxy=none"))
		l->proxy = PROXY_NONE;
	else if (word_is(w, "proxy=v1"))
		l->proxy = PROXY_V1;
	else if (word_is(w, "proxy=v2"))
		l->proxy = PROXY_V2;
	else if (word_is(w, "proxy=any"))
		l->proxy = PROXY_ANY;
	else if (word_is(w, "v6only") && l->path == NULL && l->addr.sa.sa_family == AF_INET6)
		l->v6only = true;
	else if (word_starts(w, "backlog=") &&
	         word_number((struct word){w.at + 8, w.len - 8}, 1, BACKLOG_MAX, &backlog))
		l->backlog = (int)backlog;
	else
		return fail(p, "listen %s: unknown or misplaced option \"%.*s\"", l->name, SHOW(w));
	return true;
}

static bool take_listen(struct parse *p)
{
	struct conf *c = p->conf;
	struct word name, w;
	if (!take_name(p, "listen", &name))
		return false;
	if (map_get(&c->listener_by_name, name.at, name.len) != NULL)
		return fail(p, "listen %.*s: defined twice", SHOW(name));
	struct listener *l = arena_alloc(&c->arena, sizeof *l);
	struct listener **entry = arena_push(&c->arena, &c->listeners, &c->listeners_n, &c->listeners_cap, sizeof *entry);
	if (l == NULL || entry == NULL || (l->name = keep(p, name)) == NULL)
		return no_memory(p);
	*entry = l;
	l->backlog = BACKLOG_MAX; /* the kernel cuts it to net.core.somaxconn */
	if (!words_next(&p->words, &w))
		return fail(p, "listen %s: an address is missing", l->name);
	if ((l->address = keep(p, w)) == NULL)
		return no_memory(p);
	if (word_starts(w, "tcp:")) {
		if (!addr_parse(&l->addr, w.at + 4, w.len - 4))
			return fail(p, "listen %s: \"%.*s\" is not tcp:ADDRESS:PORT", l->name, SHOW(w));
	} else if (!unix_path(p, w, "listen", &l->path)) {
		return false;
	}
	while (words_next(&p->words, &w))
		if (!listener_option(p, l, w))
			return false;
	return map_put(&c->listener_by_name, l->name, name.len, l) || no_memory(p);
}

struct pool_parse {
	struct pool *pool;
	size_t groups_cap, channels_cap;
};

static struct group *open_group(struct parse *p, struct pool_parse *pp)
{
	pp->channels_cap = 0;
	return arena_push(&p->conf->arena, &pp->pool->groups, &pp->pool->n, &pp->groups_cap, sizeof(struct group));
}

/* HOST:PORT[:MAXC]; the port is what follows the address, so cut a second colon off first. */
static bool parse_channel(struct channel *ch, struct word w)
{
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
		return fail(p, "pool %s: \"%.*s\" is not ADDRESS:PORT[:MAXC]", pp->pool->name, SHOW(w));
	if (*open == NULL && (*open = open_group(p, pp)) == NULL)
		return no_memory(p);
	struct group *g = *open;
	struct channel *slot = arena_push(&p->conf->arena, &g->channels, &g->n, &pp->channels_cap, sizeof *slot);
	if (slot == NULL)
		return no_memory(p);
	*slot = ch;
	return true;
}

static bool take_pool_option(struct parse *p, struct pool *pool, struct word option)
{
	struct word w;
	uint32_t *ms = word_is(option, "-t") ? &pool->connect_ms : word_is(option, "-T") ? &pool->idle_ms : NULL;
	if (ms == NULL)
		return fail(p, "pool %s: unknown option \"%.*s\"", pool->name, SHOW(option));
	if (!words_next(&p->words, &w) || !word_seconds(w, SECONDS_MAX, ms))
		return fail(p, "pool %s: %.*s wants a number of seconds", pool->name, SHOW(option));
	if (ms == &pool->connect_ms && *ms == 0)
		return fail(p, "pool %s: a connect timeout of 0 would let no attempt succeed", pool->name);
	return true;
}

static bool take_pool(struct parse *p)
{
	struct conf *c = p->conf;
	struct word name, w;
	if (!take_name(p, "pool", &name))
		return false;
	if (map_get(&c->pool_by_name, name.at, name.len) != NULL)
		return fail(p, "pool %.*s: defined twice", SHOW(name));
	struct pool_parse pp = {.pool = arena_alloc(&c->arena, sizeof(struct pool))};
	struct pool **entry = arena_push(&c->arena, &c->pools, &c->pools_n, &c->pools_cap, sizeof *entry);
	if (pp.pool == NULL || entry == NULL || (pp.pool->name = keep(p, name)) == NULL)
		return no_memory(p);
	*entry = pp.pool;
	pp.pool->connect_ms = 5000;
	struct group *open = NULL;
	while (words_next(&p->words, &w)) {
		if (word_is(w, "!") || word_is(w, "%")) {
			if (open == NULL)
				return fail(p, "pool %s: \"%.*s\" ends a group without channels", pp.pool->name, SHOW(w));
			open->hash = w.at[0] == '%';
			open = NULL;
		} else if (w.at[0] == '-') {
			if (!take_pool_option(p, pp.pool, w))
				return false;
		} else if (!take_channel(p, &pp, &open, w)) {
			return false;
		}
	}
	return map_put(&c->pool_by_name, pp.pool->name, name.len, pp.pool) || no_memory(p);
}

static bool take_route(struct parse *p)
{
	struct conf *c = p->conf;
	struct word name, host, target, more;
	if (!words_next(&p->words, &name) || !words_next(&p->words, &host) || !words_next(&p->words, &target))
		return fail(p, "route: LISTENER HOST POOL expected");
	if (words_next(&p->words, &more))
		return fail(p, "route: unexpected \"%.*s\"", SHOW(more));
	struct listener *l = map_get(&c->listener_by_name, name.at, name.len);
	struct pool *pool = map_get(&c->pool_by_name, target.at, target.len);
	if (l == NULL)
		return fail(p, "route: no listener \"%.*s\" above this line", SHOW(name));
	if (pool == NULL)
		return fail(p, "route: no pool \"%.*s\" above this line", SHOW(target));
	if (word_is(host, "*")) {
		if (l->others != NULL)
			return fail(p, "route: host \"*\" of listener %s is routed twice", l->name);
		l->others = pool;
		return true;
	}
	const bool wildcard = word_starts(host, "*.");
	struct word bare = wildcard ? (struct word){host.at + 2, host.len - 2} : host;
	if (bare.len == 0 || host.len > HOST_MAX || bare.at[0] == '.' || !word_only(bare, "-._"))
		return fail(p, "route: \"%.*s\" is not a host name", SHOW(host));
	char *key = keep(p, bare);
	if (key == NULL)
		return no_memory(p);
	word_lower(key, bare.len);
	struct map *table = wildcard ? &l->wildcard : &l->exact;
	if (map_get(table, key, bare.len) != NULL)
		return fail(p, "route: host \"%.*s\" of listener %s is routed twice", SHOW(host), l->name);
	return map_put(table, key, bare.len, pool) || no_memory(p);
}

static const struct {
	const char *word;
	bool (*take)(struct parse *);
} directives[] = {
    {"hash", take_hash},   {"workers", take_workers}, {"control", take_control}, {"grace", take_grace},
    {"listen", take_listen}, {"pool", take_pool},       {"route", take_route},
};

static bool parse_line(struct parse *p, const char *line, size_t n)
{
	size_t bad;
	struct word first;
	if (!words_start(&p->words, line, n, &bad))
		return fail(p, "byte 0x%02x in column %zu is not allowed", (unsigned char)line[bad], bad + 1);
	if (!words_next(&p->words, &first))
		return true;
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
		if (word_is(first, directives[i].word))
			return directives[i].take(p);
	return fail(p, "unknown directive \"%.*s\"", SHOW(first));
}

static bool number_slot(void *with, uint32_t *slot, const char *key, size_t len)
{
	uint32_t *next = with;
	(void)key;
	(void)len;
	*slot = (*next)++;
	return true;
}

static bool parse_text(struct parse *p, const char *text, size_t n)
{
	const char *end = text + n;
	for (const char *line = text; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		if (stop == NULL)
			stop = end;
		p->error->line++;
		if (!parse_line(p, line, (size_t)(stop - line)))
			return false;
		line = stop + 1;
	}
	p->error->line = 0;
	if (p->conf->listeners_n == 0)
		return fail(p, "no listen directive");
	return true;
}

struct conf *conf_parse(const char *text, size_t n, struct conf_error *error)
{
	*error = (struct conf_error){0};
	struct conf *c = calloc(1, sizeof *c);
	if (c == NULL) {
		snprintf(error->reason, sizeof error->reason, "out of memory");
		return NULL;
	}
	c->hash = "";
	c->workers = 1;
	c->grace_ms = 30000;
	struct parse p = {.conf = c, .error = error};
	if (!parse_text(&p, text, n)) {
		conf_free(c);
		return NULL;
	}
	conf_slots(c, number_slot, &c->slots);
	return c;
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->listeners_n; i++) {
		map_free(&c->listeners[i]->exact);
		map_free(&c->listeners[i]->wildcard);
	}
	map_free(&c->listener_by_name);
	map_free(&c->pool_by_name);
	arena_free(&c->arena);
	free(c);
}

/* A name is at most 255 bytes, an address ADDR_TEXT, and the numbers are short. */
enum { KEY_MAX = NAME_MAX_LEN + ADDR_TEXT + 32 };

static bool visit_pool(struct pool *pool, conf_visit *visit, void *with)
{
	char key[KEY_MAX], text[ADDR_TEXT];
	for (size_t g = 0; g < pool->n; g++) {
		struct group *group = &pool->groups[g];
		int n = snprintf(key, sizeof key, "group %s %zu", pool->name, g);
		if (!visit(with, &group->slot, key, (size_t)n))
			return false;
		for (size_t i = 0; i < group->n; i++) {
			addr_format(&group->channels[i].addr, text);
			/* The group is part of the key only by its number: a backup channel is not its primary twin. */
			n = snprintf(key, sizeof key, "channel %s %zu %s", pool->name, g, text);
			if (!visit(with, &group->channels[i].slot, key, (size_t)n))
				return false;
		}
	}
	return true;
}

bool conf_slots(struct conf *c, conf_visit *visit, void *with)
{
	char key[KEY_MAX];
	for (size_t i = 0; i < c->listeners_n; i++) {
		int n = snprintf(key, sizeof key, "listener %s", c->listeners[i]->name);
		if (!visit(with, &c->listeners[i]->slot, key, (size_t)n))
			return false;
	}
	for (size_t i = 0; i < c->pools_n; i++)
		if (!visit_pool(c->pools[i], visit, with))
			return false;
	return true;
}

const struct pool *conf_route(const struct listener *l, const char *host, size_t len)
{
	char lower[HOST_MAX + 1];
	if (len > 0 && host[len - 1] == '.')
		len--; /* a fully qualified name's final dot (RFC 1034 §3.1) */
	if (len == 0 || len > HOST_MAX)
		return l->others;
	memcpy(lower, host, len);
	word_lower(lower, len);
	const struct pool *pool = map_get(&l->exact, lower, len);
	if (pool != NULL)
		return pool;
	const char *dot = memchr(lower, '.', len);
	if (dot != NULL && dot > lower) {
		size_t rest = len - (size_t)(dot + 1 - lower);
		pool = map_get(&l->wildcard, dot + 1, rest);
	}
	return pool != NULL ? pool : l->others;
}

const struct listener *conf_listener(const struct conf *c, uint32_t slot)
{
	for (size_t i = 0; i < c->listeners_n; i++)
		if (c->listeners[i]->slot == slot)
			return c->listeners[i];
	return NULL;
}
