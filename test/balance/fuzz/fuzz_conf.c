// SPDX-License-Identifier: Apache-2.0
/* The configuration parser: any bytes. What is accepted is used; what is refused has a reason. */
#include "conf.h"
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int what)
{
	if (!what)
		abort();
}

struct sum {
	uint64_t hash;
	uint32_t next;
};

static bool add(void *with, uint32_t *slot, const char *key, size_t len)
{
	struct sum *s = with;
	check(*slot == s->next++ && strlen(key) == len);
	for (size_t i = 0; i < len; i++)
		s->hash = (s->hash ^ (unsigned char)key[i]) * 0x100000001b3u;
	return true;
}

/* Every turn falls on a channel that has a weight. */
static void take_turns(const struct group *g)
{
	struct schedule *s = g->schedule;
	check(g->n > 0 && s->n == g->n);
	for (size_t i = 0; i < g->n; i++)
		check((s->end[i] = g->channels[i].weight) <= WEIGHT_MAX);
	schedule_make(s);
	for (uint64_t t = 0; t < 64 && s->total > 0; t++) {
		const uint32_t i = schedule_turn(s, t << t).channel;
		check(i < g->n && g->channels[i].weight > 0);
	}
}

static void use(struct conf *c, const char *text, size_t size)
{
	char host[64];
	size_t len = size < sizeof host ? size : sizeof host;
	memcpy(host, text, len);
	for (size_t i = 0; i < c->listeners_n; i++) {
		const struct listener *l = c->listeners[i];
		check(conf_listener(c, l->slot) == l);
		conf_route(l, host, len);
		conf_route(l, "", 0);
		conf_route(l, "a.b.example.", 12);
	}
	for (size_t i = 0; i < c->pools_n; i++) {
		check(c->pools[i]->connect_ms > 0 && c->pools[i]->lb <= LB_FIRST);
		for (size_t g = 0; g < c->pools[i]->n; g++)
			take_turns(&c->pools[i]->groups[g]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_error e;
	char *text = malloc(size);
	if (text == NULL && size > 0)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	struct conf *c = conf_parse(text, size, &e);
	if (c == NULL) {
		unsigned lines = 1;
		for (size_t i = 0; i < size; i++)
			lines += text[i] == '\n';
		check(e.reason[0] != '\0' && e.line <= lines);
		/* The reason goes into logs and JSON: one printable line. */
		for (const char *p = e.reason; *p != '\0'; p++)
			check(*p >= 0x20 && *p < 0x7f);
		free(text);
		return 0;
	}
	struct sum one = {0}, two = {0};
	check(conf_slots(c, add, &one) && one.next == c->slots);
	use(c, text, size);
	struct conf *again = conf_parse(text, size, &e);
	free(text);
	check(again != NULL && conf_slots(again, add, &two) && one.hash == two.hash);
	conf_free(c);
	conf_free(again);
	return 0;
}
