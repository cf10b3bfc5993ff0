// SPDX-License-Identifier: Apache-2.0
/* report_pools: what the control socket tells of pools and channels. */
#include "report_parts.h"

#include "channel_state.h"
#include "pool.h"
#include "shm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void report_channel_counts(FILE *f, uint32_t slot)
{
	report_number(f, "active", count_of(slot, V_ACTIVE));
	report_number(f, "total", count_of(slot, V_TOTAL));
	report_number(f, "failed", count_of(slot, V_FAILED));
	report_number(f, "requests", count_of(slot, V_REQUESTS));
	report_number(f, "bytes_in", count_of(slot, V_IN));
	report_number(f, "bytes_out", count_of(slot, V_OUT));
}

static void report_channel(FILE *f, const struct pool *p, const struct channel *ch)
{
	char address[ADDR_TEXT];
	addr_format(&ch->addr, address);
	fputs("{\"channel\":", f);
	json_string(f, address);
	report_number(f, "max", ch->max);
	report_number(f, "weight", pool_weight(ch));
	fprintf(f, ",\"enabled\":%s", atomic_load(&shm_shared(ch->slot)->disabled) ? "false" : "true");
	report_text(f, "state", channel_state_name(channel_state(p, ch, master_now_ms())));
	report_number(f, "ejections", atomic_load(&shm_shared(ch->slot)->ejections));
	report_channel_counts(f, ch->slot);
	fputc('}', f);
}

static void report_group(FILE *f, const struct pool *p, const struct group *g)
{
	fprintf(f, "{\"mode\":\"%s\",\"channels\":[", g->hash ? "hash" : "rr");
	for (size_t i = 0; i < g->n; i++) {
		if (i > 0)
			fputc(',', f);
		report_channel(f, p, &g->channels[i]);
	}
	fputs("]}", f);
}

struct leaving {
	FILE *f;
	uint64_t generation;
	struct word pool; /* len 0: all */
};

/* `channel POOL GROUP ADDRESS`: neither part holds a blank. */
static bool split_key(const struct slot_owner *o, struct word *pool, const char **address)
{
	const char *name = o->key + strlen("channel ");
	const char *blank = strchr(name, ' ');
	const char *second = blank == NULL ? NULL : strchr(blank + 1, ' ');
	if (second == NULL)
		return false;
	*pool = (struct word){name, (size_t)(blank - name)};
	*address = second + 1;
	return true;
}

static bool same_word(struct word a, struct word b)
{
	return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static void report_leaving(void *with, const struct slot_owner *o)
{
	const struct leaving *l = with;
	struct word pool;
	const char *address;
	if (o->generation >= l->generation || !report_is_kind(o, "channel ") || shm_sum(o->slot, V_ACTIVE) == 0 ||
	    !split_key(o, &pool, &address) || (l->pool.len > 0 && !same_word(pool, l->pool)))
		return;
	fprintf(l->f, "{\"pool\":\"%.*s\",\"draining\":[{\"channel\":", (int)pool.len, pool.at);
	json_string(l->f, address);
	report_number(l->f, "max", 0);
	report_number(l->f, "weight", 0);
	fputs(",\"enabled\":true,\"state\":\"draining\"", l->f);
	report_number(l->f, "ejections", atomic_load(&shm_shared(o->slot)->ejections));
	report_channel_counts(l->f, o->slot);
	fputs("}]}\n", l->f);
}

static void report_answers(FILE *f, uint32_t slot)
{
	fprintf(f, ",\"http\":{\"active\":%" PRIu64, count_of(slot, V_ACTIVE));
	for (unsigned class = 1; class <= 5; class++)
		fprintf(f, ",\"%uxx\":%" PRIu64, class, count_of(slot, H_1XX + class - 1));
	report_number(f, "microseconds", count_of(slot, H_MICROSECONDS));
	fputc('}', f);
}

static const char *lb_name(enum lb lb)
{
	static const char *const names[] = {
	    [LB_RR] = "rr", [LB_LEASTCONN] = "leastconn", [LB_P2C] = "p2c", [LB_HASH] = "hash", [LB_FIRST] = "first"};
	return names[lb];
}

static void report_limits(FILE *f, const struct pool *p)
{
	static const struct {
		const char *key;
		unsigned v;
	} numbers[] = {{"places", V_ACTIVE}, {"queued", L_QUEUED}, {"limited", L_LIMITED}, {"queue_timeouts", L_TIMEOUTS}};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		report_number(f, numbers[i].key, p->limit_slot == NO_SLOT ? 0 : count_of(p->limit_slot, numbers[i].v));
}

static void report_pool(FILE *f, const struct pool *p)
{
	fputs("{\"pool\":", f);
	json_string(f, p->name);
	report_text(f, "lb", lb_name(p->lb));
	report_answers(f, p->http_slot);
	report_limits(f, p);
	fputs(",\"groups\":[", f);
	for (size_t g = 0; g < p->n; g++) {
		if (g > 0)
			fputc(',', f);
		report_group(f, p, &p->groups[g]);
	}
	fputs("]}\n", f);
}

void report_pools(FILE *f, const struct master *m, struct word only)
{
	const struct conf *c = m->conf;
	const struct pool *one = only.len == 0 ? NULL : map_get(&c->pool_by_name, only.at, only.len);
	if (only.len > 0 && one == NULL) {
		report_refusal(f, "there is no pool", only);
		return;
	}
	for (size_t i = 0; i < c->pools_n; i++)
		if (one == NULL || one == c->pools[i])
			report_pool(f, c->pools[i]);
	struct leaving leaving = {.f = f, .generation = m->generation, .pool = only};
	slots_each(&m->slots, report_leaving, &leaving);
	fprintf(f, "{\"ok\":true,\"pools\":%zu}\n", one != NULL ? 1 : c->pools_n);
}

/* A pool's channels, added up. */
struct load {
	const struct pool *pool;
	uint64_t under_way; /* what it is sorted by */
	uint64_t active, http, total, failed, requests, in, out;
	size_t channels;
};

static struct load add_up(const struct pool *p)
{
	struct load l = {.pool = p, .http = count_of(p->http_slot, V_ACTIVE)};
	for (size_t g = 0; g < p->n; g++) {
		for (size_t i = 0; i < p->groups[g].n; i++, l.channels++) {
			const uint32_t slot = p->groups[g].channels[i].slot;
			l.active += count_of(slot, V_ACTIVE);
			l.total += count_of(slot, V_TOTAL);
			l.failed += count_of(slot, V_FAILED);
			l.requests += count_of(slot, V_REQUESTS);
			l.in += count_of(slot, V_IN);
			l.out += count_of(slot, V_OUT);
		}
	}
	/* A request that has a pod counts on its channel as well; those that wait for one, or had none, only here. */
	l.under_way = l.active > l.http ? l.active : l.http;
	return l;
}

static int busier(const void *one, const void *other)
{
	const struct load *a = one, *b = other;
	if (a->under_way != b->under_way)
		return a->under_way < b->under_way ? 1 : -1;
	const uint64_t a_all = a->total + a->requests, b_all = b->total + b->requests;
	if (a_all != b_all)
		return a_all < b_all ? 1 : -1;
	return strcmp(a->pool->name, b->pool->name);
}

static void report_load(FILE *f, const struct load *l)
{
	fputs("{\"pool\":", f);
	json_string(f, l->pool->name);
	report_number(f, "channels", l->channels);
	report_number(f, "active", l->active);
	report_number(f, "requests_active", l->http);
	report_number(f, "total", l->total);
	report_number(f, "failed", l->failed);
	report_number(f, "requests", l->requests);
	report_number(f, "bytes_in", l->in);
	report_number(f, "bytes_out", l->out);
	fputs("}\n", f);
}

void report_top(FILE *f, const struct master *m, uint32_t most)
{
	const size_t n = m->conf->pools_n;
	struct load *loads = malloc((n + 1) * sizeof *loads);
	if (loads == NULL) {
		report_refusal(f, "out of memory", (struct word){0});
		return;
	}
	for (size_t i = 0; i < n; i++)
		loads[i] = add_up(m->conf->pools[i]);
	qsort(loads, n, sizeof *loads, busier);
	for (size_t i = 0; i < n && i < most; i++)
		report_load(f, &loads[i]);
	free(loads);
	fprintf(f, "{\"ok\":true,\"pools\":%zu}\n", n);
}
