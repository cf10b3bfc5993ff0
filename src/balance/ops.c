// SPDX-License-Identifier: Apache-2.0
/* ops: what a worker does for its cores. */
#include "ops.h"

#include "access_log.h"
#include "clients.h"
#include "conn.h"
#include "shm.h"

const uint64_t duration_bounds[DURATION_BUCKETS - 1] = {
    1000,   2500,   5000,    10000,   25000,   50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

static void add(const struct worker *w, uint32_t slot, unsigned v, uint64_t n)
{
	shm_add(shm_cell(slot, w->id), v, n);
}

static void request_begun(struct core *core, uint32_t pool_slot)
{
	add(conn_of_core(core)->worker, pool_slot, V_ACTIVE, 1);
}

static void count_duration(const struct worker *w, uint64_t us)
{
	const uint32_t *slots = w->env.conf->time_slot;
	unsigned i = 0;
	while (i < DURATION_BUCKETS - 1 && us > duration_bounds[i])
		i++;
	add(w, slots[i / V_COUNT], i % V_COUNT, 1);
	add(w, slots[DURATION_SUM / V_COUNT], DURATION_SUM % V_COUNT, us);
}

static const char *endpoint_of(const struct conn *c, char text[ADDR_TEXT])
{
	struct addr a = {.len = sizeof a.in6};
	if (c->pod == NULL || getpeername(c->pod->fd, &a.sa, &a.len) < 0)
		return NULL;
	addr_format(&a, text);
	return text;
}

static void request_done(struct core *core, const struct core_request *r)
{
	struct conn *c = conn_of_core(core);
	struct worker *w = c->worker;
	const uint64_t us = w->env.now_us - r->started_us;
	const unsigned class = r->status / 100;
	if (r->status >= 100 && r->status < 600)
		add(w, w->env.conf->code_slot[(r->status - 100) / V_COUNT], (r->status - 100) % V_COUNT, 1);
	count_duration(w, us);
	if (r->pool_slot != NO_POOL) {
		if (class >= 1 && class <= 5)
			add(w, r->pool_slot, H_1XX + class - 1, 1);
		add(w, r->pool_slot, H_MICROSECONDS, us);
		add(w, r->pool_slot, V_ACTIVE, (uint64_t)-1);
	}
	if (w->access_log != NULL) {
		char text[ADDR_TEXT];
		const struct pool *pool = r->pool_slot == NO_POOL ? NULL : conf_pool(w->env.conf, r->pool_slot);
		access_log_add(w->access_log, r, w->env.now_us, pool == NULL ? NULL : pool->name, endpoint_of(c, text));
	}
}

static uint32_t client_take(struct core *core, uint32_t rule, uint32_t limit)
{
	uint64_t key = addr_hash(&core->client) ^ (uint64_t)(rule + 1) * 0x9e3779b97f4a7c15u;
	return clients_take(conn_of_core(core)->worker->id, key, limit);
}

static void client_release(struct core *core, uint32_t ticket)
{
	clients_release(conn_of_core(core)->worker->id, ticket);
}

/* xoroshiro128+ (Blackman, Vigna): request identifiers have to be distinct, not secret. */
static uint64_t next_random(struct core *core)
{
	uint64_t *s = conn_of_core(core)->worker->random;
	uint64_t a = s[0], b = s[1], result = a + b;
	b ^= a;
	s[0] = (a << 24 | a >> 40) ^ b ^ b << 16;
	s[1] = b << 37 | b >> 27;
	return result;
}

const struct core_ops worker_ops = {
    .request_begun = request_begun,
    .request_done = request_done,
    .client_take = client_take,
    .client_release = client_release,
    .random = next_random,
};
