// SPDX-License-Identifier: Apache-2.0
/* report: the answers of the control socket. */
#include "report_parts.h"

#include "guests.h"
#include "ops.h"
#include "shm.h"
#include "version.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

void report_number(FILE *f, const char *key, uint64_t value)
{
	fprintf(f, ",\"%s\":%" PRIu64, key, value);
}

void report_text(FILE *f, const char *key, const char *value)
{
	fprintf(f, ",\"%s\":", key);
	json_string(f, value);
}

bool report_is_kind(const struct slot_owner *o, const char *kind)
{
	return strncmp(o->key, kind, strlen(kind)) == 0;
}

void report_refusal(FILE *f, const char *why, struct word which)
{
	char text[512];
	if (which.len > 0)
		snprintf(text, sizeof text, "%s %.*s", why, (int)(which.len > 255 ? 255 : which.len), which.at);
	else
		snprintf(text, sizeof text, "%s", why);
	fputs("{\"ok\":false,\"error\":", f);
	json_string(f, text);
	fputs("}\n", f);
}

struct worker_sum {
	unsigned worker;
	uint64_t connections;
};

static void add_connections(void *with, const struct slot_owner *o)
{
	struct worker_sum *s = with;
	if (report_is_kind(o, "listener "))
		s->connections += atomic_load(&shm_cell(o->slot, s->worker)->v[V_ACTIVE]);
}

/* Those numbered from `from` to below `to`; of guests, only the ones that are there. */
static void report_workers(FILE *f, const struct master *m, const char *what, unsigned from, unsigned to)
{
	const char *comma = "";
	fprintf(f, ",\"%s\":[", what);
	for (unsigned i = from; i < to; i++) {
		const struct worker_process *w = &m->workers[i];
		struct worker_sum sum = {.worker = i};
		if (guests_has(m, i) && w->pid == 0)
			continue;
		slots_each(&m->slots, add_connections, &sum);
		fprintf(f, "%s{\"pid\":%d", comma, (int)w->pid);
		comma = ",";
		report_number(f, "generation", w->generation);
		report_number(f, "connections", sum.connections);
		report_number(f, "restarts", w->restarts);
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
		report_text(f, "address", l->address);
		report_number(f, "accepted", count_of(l->slot, V_TOTAL));
		report_number(f, "active", count_of(l->slot, V_ACTIVE));
		report_number(f, "proxy_errors", count_of(l->slot, V_PROXY_ERRORS));
		report_number(f, "no_route", count_of(l->slot, V_NO_ROUTE));
		report_number(f, "no_channel", count_of(l->slot, V_NO_CHANNEL));
		fputc('}', f);
	}
	fputc(']', f);
}

void report_status(FILE *f, const struct master *m)
{
	uint64_t up = master_now_ms() - m->started_ms;
	fputs("{\"ok\":true", f);
	report_text(f, "version", BALANCE_VERSION);
	report_number(f, "generation", m->generation);
	report_text(f, "hash", m->conf->hash);
	report_number(f, "pid", (uint64_t)getpid());
	fprintf(f, ",\"uptime\":%" PRIu64 ".%03" PRIu64, up / 1000, up % 1000);
	fprintf(f, ",\"draining\":%s", m->draining ? "true" : "false");
	report_workers(f, m, "workers", 0, m->workers_n);
	if (m->all_n > m->workers_n)
		report_workers(f, m, "guests", m->workers_n, m->all_n);
	if (m->checks)
		fprintf(f, ",\"checker\":{\"pid\":%d,\"restarts\":%u}", (int)m->checker.pid, m->checker.restarts);
	report_listeners(f, m);
	fprintf(f, ",\"reloads\":{\"ok\":%" PRIu64 ",\"failed\":%" PRIu64 "}", m->reloads_ok, m->reloads_failed);
	if (m->last_error[0] != '\0')
		report_text(f, "last_error", m->last_error);
	else
		fputs(",\"last_error\":null", f);
	fputs("}\n", f);
}

static uint64_t code_count(const struct conf *c, unsigned code)
{
	return count_of(c->code_slot[(code - 100) / V_COUNT], (code - 100) % V_COUNT);
}

static uint64_t duration_number(const struct conf *c, unsigned i)
{
	return count_of(c->time_slot[i / V_COUNT], i % V_COUNT);
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
