// SPDX-License-Identifier: Apache-2.0
/* report: the answers of the control socket. */
#include "report.h"

#include "health.h"
#include "json.h"
#include "ops.h"
#include "shm.h"
#include "version.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static void number(FILE *f, const char *key, uint64_t value)
{
	fprintf(f, ",\"%s\":%" PRIu64, key, value);
}

static void text(FILE *f, const char *key, const char *value)
{
	fprintf(f, ",\"%s\":", key);
	json_string(f, value);
}

static bool is_kind(const struct slot_owner *o, const char *kind)
{
	return strncmp(o->key, kind, strlen(kind)) == 0;
}

struct worker_sum {
	unsigned worker;
	uint64_t connections;
};

static void add_connections(void *with, const struct slot_owner *o)
{
	struct worker_sum *s = with;
	if (is_kind(o, "listener "))
		s->connections += atomic_load(&shm_cell(o->slot, s->worker)->v[V_ACTIVE]);
}

static void report_workers(FILE *f, const struct master *m)
{
	fputs(",\"workers\":[", f);
	for (unsigned i = 0; i < m->workers_n; i++) {
		const struct worker_process *w = &m->workers[i];
		struct worker_sum sum = {.worker = i};
		slots_each(&m->slots, add_connections, &sum);
		fprintf(f, "%s{\"pid\":%d", i ? "," : "", (int)w->pid);
		number(f, "generation", w->generation);
		number(f, "connections", sum.connections);
		number(f, "restarts", w->restarts);
		fputc('}', f);
	}
	fputc(']', f);
}

static void report_listeners(FILE *f, const struct master *m)
{
	fputs(",\"listeners\":[", f);
	for (size_t i = 0; i < m->conf->listeners_n; i++) {
		const struct listener *l = m->conf->listeners[i];
		fprintf(f, "%s{\"name\":", i ? "," : "");
		json_string(f, l->name);
		text(f, "address", l->address);
		number(f, "accepted", shm_sum(l->slot, V_TOTAL));
		number(f, "active", shm_sum(l->slot, V_ACTIVE));
		number(f, "proxy_errors", shm_sum(l->slot, V_PROXY_ERRORS));
		number(f, "no_route", shm_sum(l->slot, V_NO_ROUTE));
		number(f, "no_channel", shm_sum(l->slot, V_NO_CHANNEL));
		fputc('}', f);
	}
	fputc(']', f);
}

void report_status(FILE *f, const struct master *m)
{
	uint64_t up = master_now_ms() - m->started_ms;
	fputs("{\"ok\":true", f);
	text(f, "version", BALANCE_VERSION);
	number(f, "generation", m->generation);
	text(f, "hash", m->conf->hash);
	number(f, "pid", (uint64_t)getpid());
	fprintf(f, ",\"uptime\":%" PRIu64 ".%03" PRIu64, up / 1000, up % 1000);
	fprintf(f, ",\"draining\":%s", m->draining ? "true" : "false");
	report_workers(f, m);
	if (m->checks)
		fprintf(f, ",\"checker\":{\"pid\":%d,\"restarts\":%u}", (int)m->checker.pid, m->checker.restarts);
	report_listeners(f, m);
	fprintf(f, ",\"reloads\":{\"ok\":%" PRIu64 ",\"failed\":%" PRIu64 "}", m->reloads_ok, m->reloads_failed);
	if (m->last_error[0] != '\0')
		text(f, "last_error", m->last_error);
	else
		fputs(",\"last_error\":null", f);
	fputs("}\n", f);
}

static void report_channel(FILE *f, const struct pool *p, const char *address, uint32_t max, uint32_t slot)
{
	fputs("{\"channel\":", f);
	json_string(f, address);
	number(f, "max", max);
	fprintf(f, ",\"enabled\":%s", atomic_load(&shm_shared(slot)->disabled) ? "false" : "true");
	text(f, "state", p == NULL ? "draining" : health_state(p, slot, master_now_ms()));
	number(f, "ejections", atomic_load(&shm_shared(slot)->ejections));
	number(f, "active", shm_sum(slot, V_ACTIVE));
	number(f, "total", shm_sum(slot, V_TOTAL));
	number(f, "failed", shm_sum(slot, V_FAILED));
	number(f, "requests", shm_sum(slot, V_REQUESTS));
	number(f, "bytes_in", shm_sum(slot, V_IN));
	number(f, "bytes_out", shm_sum(slot, V_OUT));
	fputc('}', f);
}

static void report_group(FILE *f, const struct pool *p, const struct group *g)
{
	char address[ADDR_TEXT];
	fprintf(f, "{\"mode\":\"%s\",\"channels\":[", g->hash ? "hash" : "rr");
	for (size_t i = 0; i < g->n; i++) {
		if (i > 0)
			fputc(',', f);
		addr_format(&g->channels[i].addr, address);
		report_channel(f, p, address, g->channels[i].max, g->channels[i].slot);
	}
	fputs("]}", f);
}

struct leaving {
	FILE *f;
	uint64_t generation;
};

/* `channel POOL GROUP ADDRESS`: neither part holds a blank. */
static bool split_key(const struct slot_owner *o, const char **pool, size_t *pool_len, const char **address)
{
	const char *name = o->key + strlen("channel ");
	const char *blank = strchr(name, ' ');
	const char *second = blank == NULL ? NULL : strchr(blank + 1, ' ');
	if (second == NULL)
		return false;
	*pool = name;
	*pool_len = (size_t)(blank - name);
	*address = second + 1;
	return true;
}

static void report_leaving(void *with, const struct slot_owner *o)
{
	const struct leaving *l = with;
	const char *pool, *address;
	size_t len;
	if (o->generation >= l->generation || !is_kind(o, "channel ") || shm_sum(o->slot, V_ACTIVE) == 0 ||
	    !split_key(o, &pool, &len, &address))
		return;
	fprintf(l->f, "{\"pool\":\"%.*s\",\"draining\":[", (int)len, pool);
	report_channel(l->f, NULL, address, 0, o->slot);
	fputs("]}\n", l->f);
}

static void report_answers(FILE *f, uint32_t slot)
{
	fputs(",\"http\":{\"active\":", f);
	fprintf(f, "%" PRIu64, shm_sum(slot, V_ACTIVE));
	for (unsigned class = 1; class <= 5; class++)
		fprintf(f, ",\"%uxx\":%" PRIu64, class, shm_sum(slot, H_1XX + class - 1));
	number(f, "microseconds", shm_sum(slot, H_MICROSECONDS));
	fputc('}', f);
}

static void report_limits(FILE *f, const struct pool *p)
{
	static const struct {
		const char *key;
		unsigned v;
	} numbers[] = {{"places", V_ACTIVE}, {"queued", L_QUEUED}, {"limited", L_LIMITED}, {"queue_timeouts", L_TIMEOUTS}};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		number(f, numbers[i].key, p->limit_slot == NO_SLOT ? 0 : shm_sum(p->limit_slot, numbers[i].v));
}

void report_pools(FILE *f, const struct master *m)
{
	for (size_t i = 0; i < m->conf->pools_n; i++) {
		const struct pool *p = m->conf->pools[i];
		fputs("{\"pool\":", f);
		json_string(f, p->name);
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
	struct leaving leaving = {.f = f, .generation = m->generation};
	slots_each(&m->slots, report_leaving, &leaving);
	fprintf(f, "{\"ok\":true,\"pools\":%zu}\n", m->conf->pools_n);
}

static uint64_t code_count(const struct conf *c, unsigned code)
{
	return shm_sum(c->code_slot[(code - 100) / V_COUNT], (code - 100) % V_COUNT);
}

static uint64_t duration_number(const struct conf *c, unsigned i)
{
	return shm_sum(c->time_slot[i / V_COUNT], i % V_COUNT);
}

void report_http(FILE *f, const struct master *m)
{
	const char *comma = "";
	uint64_t count = 0, sum = duration_number(m->conf, DURATION_SUM);
	fputs("{\"ok\":true,\"codes\":{", f);
	for (unsigned code = 100; code < 600; code++) {
		uint64_t n = code_count(m->conf, code);
		if (n == 0)
			continue;
		fprintf(f, "%s\"%u\":%" PRIu64, comma, code, n);
		comma = ",";
	}
	fputs("},\"duration\":{\"buckets\":[", f);
	for (unsigned i = 0; i < DURATION_BUCKETS; i++) {
		uint64_t n = duration_number(m->conf, i);
		count += n;
		if (i < DURATION_BUCKETS - 1)
			fprintf(f, "%s[%g,%" PRIu64 "]", i ? "," : "", (double)duration_bounds[i] / 1e6, n);
		else
			fprintf(f, ",[null,%" PRIu64 "]", n);
	}
	fprintf(f, "],\"sum\":%" PRIu64 ".%06" PRIu64 ",\"count\":%" PRIu64 "}}\n", sum / 1000000, sum % 1000000, count);
}
