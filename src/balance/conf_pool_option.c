// SPDX-License-Identifier: Apache-2.0
/* conf_pool_option: what a pool line says before its channels. */
#include "conf_parse.h"

#include <stdio.h>
#include <string.h>

void pool_defaults(struct pool *pool)
{
	pool->connect_ms = 5000;
	pool->response_ms = 60000;
	pool->queue_ms = 5000;
	pool->limit_slot = NO_SLOT;
	pool->check = (struct check){.interval_ms = 5000, .timeout_ms = 2000, .rise = 2, .fall = 3};
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

bool take_pool_switch(struct parse *p, struct pool *pool, struct word option)
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

static bool take_seconds(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	return word_seconds(value, SECONDS_MAX, at) ||
	       parse_fail(p, "pool %s: %s wants a number of seconds, not \"%.*s\"", pool->name, o->key, SHOW(value));
}

static bool take_count(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	return word_number(value, 0, UINT32_MAX, at) ||
	       parse_fail(p, "pool %s: %s wants a number, not \"%.*s\"", pool->name, o->key, SHOW(value));
}

static bool take_choice(struct parse *p, const struct pool *pool, const struct pool_option *o, struct word value, void *at)
{
	struct words words = {o->words, o->words + strlen(o->words)};
	struct word w;
	for (int i = 0; words_next(&words, &w); i++) {
		if (w.len == value.len && memcmp(w.at, value.at, w.len) == 0) {
			memcpy(at, &i, sizeof i); /* an enumeration is as wide as an int here; see the assertion */
			return true;
		}
	}
	return parse_fail(p, "pool %s: %s is one of %s, not \"%.*s\"", pool->name, o->key, o->words, SHOW(value));
}
_Static_assert(sizeof(enum lb) == sizeof(int) && sizeof(enum send_proxy) == sizeof(int), "take_choice writes ints");

static const struct pool_option options[] = {
    {"lb", take_choice, offsetof(struct pool, lb), "rr leastconn p2c hash first"},
    {"slow-start", take_seconds, offsetof(struct pool, slow_start_ms), NULL},
    {"maxconn", take_count, offsetof(struct pool, maxconn), NULL},
    {"client-limit", take_count, offsetof(struct pool, client_limit), NULL},
    {"queue", take_count, offsetof(struct pool, queue), NULL},
    {"queue-timeout", take_seconds, offsetof(struct pool, queue_ms), NULL},
    {"send-proxy", take_choice, offsetof(struct pool, send_proxy), "none v1 v2 v2-ssl"},
    {"retry", take_seconds, offsetof(struct pool, retry_ms), NULL},
    {"eject", take_eject, offsetof(struct pool, eject), NULL},
    {"check", take_check, offsetof(struct pool, check), NULL},
    {"check-interval", take_check_seconds, offsetof(struct pool, check.interval_ms), NULL},
    {"check-timeout", take_check_seconds, offsetof(struct pool, check.timeout_ms), NULL},
    {"rise", take_check_results, offsetof(struct pool, check.rise), NULL},
    {"fall", take_check_results, offsetof(struct pool, check.fall), NULL},
};
_Static_assert(sizeof options / sizeof *options <= 32, "struct pool has a bit for each");

bool take_pool_option(struct parse *p, struct pool *pool, struct word w)
{
	const char *equals = memchr(w.at, '=', w.len);
	const struct word key = {w.at, (size_t)(equals - w.at)};
	const struct word value = {equals + 1, w.len - key.len - 1};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		const struct pool_option *o = &options[i];
		if (!word_is(key, o->key))
			continue;
		if (pool->options & 1u << i)
			return parse_fail(p, "pool %s: %s is given twice", pool->name, o->key);
		pool->options |= 1u << i;
		return o->take(p, pool, o, value, (unsigned char *)pool + o->offset);
	}
	return parse_fail(p, "pool %s: unknown option \"%.*s\"", pool->name, SHOW(key));
}
