// SPDX-License-Identifier: Apache-2.0
/* conf: a configuration file, read whole and checked whole (docs/balance-config.md). */
#include "conf_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_fail(struct parse *p, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(p->error->reason, sizeof p->error->reason, format, ap);
	va_end(ap);
	return false;
}

bool parse_no_memory(struct parse *p)
{
	return parse_fail(p, "out of memory");
}

bool parse_once(struct parse *p, bool *seen, const char *what)
{
	if (*seen)
		return parse_fail(p, "%s is given twice", what);
	*seen = true;
	return true;
}

bool parse_one_word(struct parse *p, struct word *out, const char *what)
{
	if (!words_next(&p->words, out))
		return parse_fail(p, "%s: a value is missing", what);
	struct word more;
	if (words_next(&p->words, &more))
		return parse_fail(p, "%s: unexpected \"%.*s\"", what, SHOW(more));
	return true;
}

char *parse_keep(struct parse *p, struct word w)
{
	return arena_copy(&p->conf->arena, w.at, w.len);
}

static bool take_text(struct parse *p, const char **out, bool *seen, const char *what)
{
	struct word w;
	if (!parse_once(p, seen, what) || !parse_one_word(p, &w, what))
		return false;
	*out = parse_keep(p, w);
	return *out != NULL || parse_no_memory(p);
}

static bool take_hash(struct parse *p)
{
	return take_text(p, &p->conf->hash, &p->seen_hash, "hash");
}

static bool take_workers(struct parse *p)
{
	struct word w;
	if (!parse_once(p, &p->seen_workers, "workers") || !parse_one_word(p, &w, "workers"))
		return false;
	if (!word_number(w, 1, WORKERS_MAX, &p->conf->workers))
		return parse_fail(p, "workers: \"%.*s\" is not a number from 1 to %d", SHOW(w), WORKERS_MAX);
	return true;
}

bool parse_unix_path(struct parse *p, struct word w, const char *what, const char **path)
{
	struct sockaddr_un un;
	if (!word_starts(w, "unix:"))
		return parse_fail(p, "%s: \"%.*s\" does not begin with unix:", what, SHOW(w));
	char *text = parse_keep(p, (struct word){w.at + 5, w.len - 5});
	if (text == NULL)
		return parse_no_memory(p);
	if (text[0] != '/' || !addr_unix(&un, text))
		return parse_fail(p, "%s: not an absolute path of at most %zu bytes", what, sizeof un.sun_path - 1);
	*path = text;
	return true;
}

static bool take_control(struct parse *p)
{
	struct word w;
	return parse_once(p, &p->seen_control, "control") && parse_one_word(p, &w, "control") &&
	       parse_unix_path(p, w, "control", &p->conf->control);
}

static bool take_guests(struct parse *p)
{
	struct word number, path, more;
	if (!parse_once(p, &p->seen_guests, "guests"))
		return false;
	if (!words_next(&p->words, &number) || !words_next(&p->words, &path) || words_next(&p->words, &more))
		return parse_fail(p, "guests: N unix:PATH expected");
	if (!word_number(number, 1, WORKERS_MAX - 1, &p->conf->guests))
		return parse_fail(p, "guests: \"%.*s\" is not a number from 1 to %d", SHOW(number), WORKERS_MAX - 1);
	return parse_unix_path(p, path, "guests", &p->conf->guests_path);
}

static bool take_grace(struct parse *p)
{
	struct word w;
	if (!parse_once(p, &p->seen_grace, "grace") || !parse_one_word(p, &w, "grace"))
		return false;
	if (!word_seconds(w, SECONDS_MAX, &p->conf->grace_ms))
		return parse_fail(p, "grace: \"%.*s\" is not a number of seconds", SHOW(w));
	return true;
}

bool parse_name(struct parse *p, const char *what, struct word *w)
{
	if (!words_next(&p->words, w))
		return parse_fail(p, "%s: a name is missing", what);
	if (w->len > NAME_MAX_LEN || !word_only(*w, "._-/:") || !word_is_alnum(w->at[0]))
		return parse_fail(p, "%s: \"%.*s\" is not a name (letters, digits and ._-/: up to 255 bytes)", what, SHOW(*w));
	return true;
}

bool parse_host(struct parse *p, const char *what, struct word w, char **host)
{
	const bool wildcard = word_starts(w, "*.");
	struct word bare = wildcard ? (struct word){w.at + 2, w.len - 2} : w;
	if (!word_is(w, "*") && (bare.len == 0 || w.len > HOST_MAX || bare.at[0] == '.' || !word_only(bare, "-._")))
		return parse_fail(p, "%s: \"%.*s\" is not a host name", what, SHOW(w));
	if ((*host = parse_keep(p, w)) == NULL)
		return parse_no_memory(p);
	word_lower(*host, w.len);
	return true;
}

static const struct {
	const char *word;
	bool (*take)(struct parse *);
} directives[] = {
    {"hash", take_hash},   {"workers", take_workers}, {"control", take_control}, {"grace", take_grace},
    {"listen", take_listen}, {"pool", take_pool},       {"route", take_route},     {"rule", take_rule},
    {"default", take_default}, {"http", take_http},     {"trust", take_trust},     {"access-log", take_access_log},
    {"guests", take_guests},
};

static bool parse_line(struct parse *p, const char *line, size_t n)
{
	size_t bad;
	struct word first;
	if (!words_start(&p->words, line, n, &bad))
		return parse_fail(p, "byte 0x%02x in column %zu is not allowed", (unsigned char)line[bad], bad + 1);
	if (!words_next(&p->words, &first))
		return true;
	for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
		if (word_is(first, directives[i].word))
			return directives[i].take(p);
	return parse_fail(p, "unknown directive \"%.*s\"", SHOW(first));
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
		return parse_fail(p, "no listen directive");
	if (p->conf->workers + p->conf->guests > WORKERS_MAX)
		return parse_fail(p, "%u workers and %u guests: together they may be %d", p->conf->workers, p->conf->guests, WORKERS_MAX);
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
	c->http = (struct http_conf){
	    .head_ms = 30000,
	    .idle_ms = 75000,
	    .body_ms = 60000,
	    .tunnel_ms = 3600000,
	    .http_port = 80,
	    .https_port = 443,
	};
	struct parse p = {.conf = c, .error = error};
	if (!parse_text(&p, text, n)) {
		conf_free(c);
		return NULL;
	}
	conf_slots(c, number_slot, &c->slots);
	return c;
}

static void routes_free(struct routes *r)
{
	map_free(&r->exact);
	map_free(&r->wildcard);
}

void conf_free(struct conf *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->listeners_n; i++) {
		if (c->listeners[i] == NULL)
			continue; /* memory ran out right there */
		routes_free(&c->listeners[i]->routes);
		for (size_t k = 0; k < c->listeners[i]->ports_n; k++)
			routes_free(&c->listeners[i]->ports[k].routes);
	}
	for (size_t i = 0; i < c->tables_n; i++)
		if (c->tables[i] != NULL)
			table_free(c->tables[i]);
	map_free(&c->table_by_name);
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
	int n = snprintf(key, sizeof key, "http %s", pool->name);
	if (!visit(with, &pool->http_slot, key, (size_t)n))
		return false;
	if (pool_has_limits(pool)) {
		n = snprintf(key, sizeof key, CONF_LIMIT_KEY "%s", pool->name);
		if (!visit(with, &pool->limit_slot, key, (size_t)n))
			return false;
	}
	for (size_t g = 0; g < pool->n; g++) {
		struct group *group = &pool->groups[g];
		n = snprintf(key, sizeof key, "group %s %zu", pool->name, g);
		if (!visit(with, &group->slot, key, (size_t)n))
			return false;
		/* The group is part of the key only by its number: a backup channel is not its primary twin. A large cluster has many channels and
		 * reloads often, so only the address is written for each. */
		n = snprintf(key, sizeof key, "channel %s %zu ", pool->name, g);
		for (size_t i = 0; i < group->n; i++) {
			if (group->channels[i].id != 0) {
				n = snprintf(key, sizeof key, "channel %s #%u", pool->name, group->channels[i].id);
				if (!visit(with, &group->channels[i].slot, key, (size_t)n))
					return false;
				continue;
			}
			addr_format(&group->channels[i].addr, text);
			size_t len = strlen(text);
			memcpy(key + n, text, len + 1);
			if (!visit(with, &group->channels[i].slot, key, (size_t)n + len))
				return false;
		}
	}
	return true;
}

static bool visit_numbered(uint32_t *slots, unsigned count, const char *kind, conf_visit *visit, void *with)
{
	char key[32];
	for (unsigned i = 0; i < count; i++) {
		int n = snprintf(key, sizeof key, "%s %u", kind, i);
		if (!visit(with, &slots[i], key, (size_t)n))
			return false;
	}
	return true;
}

bool conf_slots(struct conf *c, conf_visit *visit, void *with)
{
	char key[KEY_MAX];
	if (!visit_numbered(c->code_slot, CODE_SLOTS, "code", visit, with) ||
	    !visit_numbered(c->time_slot, TIME_SLOTS, "time", visit, with))
		return false;
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

const struct pool *routes_find(const struct routes *l, const char *host, size_t len)
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

const struct pool *conf_route(const struct listener *l, const char *host, size_t len)
{
	return routes_find(&l->routes, host, len);
}

const struct routes *conf_port_routes(const struct listener *l, unsigned port)
{
	for (size_t i = 0; i < l->ports_n; i++)
		if (l->ports[i].port == port)
			return &l->ports[i].routes;
	return NULL;
}

const struct listener *conf_listener(const struct conf *c, uint32_t slot)
{
	for (size_t i = 0; i < c->listeners_n; i++)
		if (c->listeners[i]->slot == slot)
			return c->listeners[i];
	return NULL;
}

const struct pool *conf_pool(const struct conf *c, uint32_t http_slot)
{
	for (size_t i = 0; i < c->pools_n; i++)
		if (c->pools[i]->http_slot == http_slot)
			return c->pools[i];
	return NULL;
}
