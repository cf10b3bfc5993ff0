// SPDX-License-Identifier: Apache-2.0
/* An owner for the core's HTTP lane, for unit tests and fuzz targets: no sockets, a clock that is told, pods that answer what they are
 * told. It keeps its side of core.h's contract and checks the core's. */
#ifndef HTTP_OWNER_H
#define HTTP_OWNER_H

#include "http.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER_CHECK(what) ((what) ? (void)0 : owner_fail(#what, __LINE__))

static inline void owner_fail(const char *what, int line)
{
	fprintf(stderr, "owner: line %d: %s does not hold\n", line, what);
	abort();
}

enum { OWNER_ROOM = 1 << 18, OWNER_DONE_MAX = 64 };

struct owner_bytes {
	size_t n;
	char at[OWNER_ROOM];
};

struct owner {
	struct core_env env;
	struct core core;
	struct head head;
	bool closed, connecting;
	bool connected;             /* the core has a pod's connection */
	bool shut[2];
	bool refuse;                /* the next pod can't be reached */
	unsigned idle;              /* pods' connections at rest */
	unsigned others;            /* channels that a search may still go on to */
	unsigned connects, reuses, releases, drops;
	unsigned begun, tickets, ticket_limit;
	size_t pod_from;            /* where the bytes to the present pod's connection begin in got[POD] */
	size_t request_from;        /* … and those of the present request */
	unsigned done;
	struct core_request last[OWNER_DONE_MAX];
	struct owner_bytes got[2];
	void (*on_release)(struct owner *); /* looks at what the pod got on its connection */
};

static struct buf_cache owner_bufs; /* kept from one connection to the next, as a worker does */

static inline struct owner *owner_of(struct core *core)
{
	return (struct owner *)(void *)((unsigned char *)core - offsetof(struct owner, core));
}

static inline void owner_begun(struct core *core, uint32_t slot)
{
	OWNER_CHECK(slot != NO_POOL);
	owner_of(core)->begun++;
}

static inline void owner_done(struct core *core, const struct core_request *r)
{
	struct owner *o = owner_of(core);
	OWNER_CHECK(r->status >= 100 && r->status <= 999 && r->started_us != 0);
	if (r->pool_slot != NO_POOL)
		OWNER_CHECK(o->begun-- > 0);
	o->last[o->done++ % OWNER_DONE_MAX] = *r;
}

static inline uint32_t owner_take(struct core *core, uint32_t rule, uint32_t limit)
{
	struct owner *o = owner_of(core);
	(void)rule;
	if (o->tickets >= limit || o->tickets >= o->ticket_limit)
		return 0;
	return ++o->tickets;
}

static inline void owner_release(struct core *core, uint32_t ticket)
{
	OWNER_CHECK(ticket != 0 && owner_of(core)->tickets-- > 0);
}

static inline uint64_t owner_random(struct core *core)
{
	(void)core;
	return 0;
}

static const struct core_ops owner_ops = {
    .request_begun = owner_begun,
    .request_done = owner_done,
    .client_take = owner_take,
    .client_release = owner_release,
    .random = owner_random,
};

static inline struct conf *owner_parse(const char *text)
{
	struct conf_error e;
	struct conf *c = conf_parse(text, strlen(text), &e);
	if (c == NULL)
		fprintf(stderr, "configuration: line %u: %s\n", e.line, e.reason);
	OWNER_CHECK(c != NULL);
	return c;
}

/* How many buffers the core holds. */
static inline unsigned owner_held(const struct owner *o)
{
	const struct core *c = &o->core;
	unsigned n = 0;
	for (int s = CLIENT; s <= POD; s++)
		n += (c->stream[s] != NULL) + (c->http != NULL && c->http->out[s] != NULL);
	OWNER_CHECK(n <= 4);
	return n;
}

static inline void owner_obey(struct owner *o)
{
	unsigned wants;
	while (!o->closed && (wants = core_wants(&o->core)) != 0) {
		if (wants & CORE_CLOSE) {
			OWNER_CHECK(wants == CORE_CLOSE);
			o->closed = true;
			return;
		}
		if (wants & CORE_RELEASE) {
			OWNER_CHECK(o->connected);
			if (o->on_release != NULL)
				o->on_release(o);
			o->connected = false;
			o->idle++;
			o->releases++;
		}
		if (wants & CORE_DROP) {
			o->drops += o->connected;
			o->connected = o->connecting = false;
		}
		if (wants & CORE_CONNECT) {
			OWNER_CHECK(!o->connected && o->core.pool != NULL);
			o->connecting = true;
		}
		for (int s = CLIENT; s <= POD; s++) {
			if (wants & (s == POD ? CORE_SHUT_POD : CORE_SHUT_CLIENT)) {
				OWNER_CHECK(!o->shut[s] || s == POD);
				o->shut[s] = true;
			}
		}
	}
	owner_held(o);
}

static inline void owner_begin(struct owner *o, const struct conf *conf, const struct addr *peer)
{
	memset(o, 0, offsetof(struct owner, got));
	o->got[CLIENT].n = o->got[POD].n = 0;
	o->on_release = NULL;
	o->ticket_limit = UINT32_MAX;
	o->env = (struct core_env){.conf = conf, .ops = &owner_ops, .bufs = owner_bufs, .head = &o->head};
	o->env.now = 5000;
	o->env.now_us = 5000000;
	core_start(&o->core, &o->env, conf->listeners[0], peer);
	owner_obey(o);
}

static inline void owner_end(struct owner *o)
{
	core_end(&o->core);
	OWNER_CHECK(o->core.stream[CLIENT] == NULL && o->core.stream[POD] == NULL && o->core.http == NULL);
	OWNER_CHECK(o->begun == 0 && o->tickets == 0);
	owner_bufs = o->env.bufs;
}

/* The owner found a pod, or not. */
static inline void owner_connect(struct owner *o)
{
	if (o->closed || !o->connecting)
		return;
	o->connecting = false;
	const bool refused = o->refuse || (o->core.further && o->others == 0);
	o->others -= o->core.further && o->others > 0;
	if (refused) {
		core_unreachable(&o->core, FAILED_CONNECT);
	} else {
		const bool reused = o->idle > 0 && !o->core.fresh;
		o->idle -= reused;
		o->reuses += reused;
		o->connects += !reused;
		if (!reused)
			o->pod_from = o->got[POD].n;
		o->request_from = o->got[POD].n;
		o->connected = true;
		o->shut[POD] = false;
		core_connected(&o->core, reused);
	}
	owner_obey(o);
}

static inline bool owner_may(const struct owner *o, enum side s)
{
	return !o->closed && (s == CLIENT || o->connected);
}

/* Offers up to n bytes of a side; returns how many the core took. */
static inline size_t owner_feed(struct owner *o, enum side from, const char *bytes, size_t n)
{
	if (!owner_may(o, from) || n == 0)
		return 0;
	struct iovec v = core_space(&o->core, from);
	if (v.iov_len == 0) {
		owner_obey(o);
		return 0;
	}
	n = n < v.iov_len ? n : v.iov_len;
	memcpy(v.iov_base, bytes, n);
	core_input(&o->core, from, n);
	owner_obey(o);
	return n;
}

/* Takes up to n bytes for a side. */
static inline size_t owner_drain(struct owner *o, enum side to, size_t n)
{
	if (!owner_may(o, to))
		return 0;
	struct iovec v = core_pending(&o->core, to);
	n = n < v.iov_len ? n : v.iov_len;
	if (n == 0)
		return 0;
	OWNER_CHECK(!o->shut[to]);
	OWNER_CHECK(o->got[to].n + n <= OWNER_ROOM);
	memcpy(o->got[to].at + o->got[to].n, v.iov_base, n);
	o->got[to].n += n;
	core_output(&o->core, to, n);
	owner_obey(o);
	return n;
}

static inline void owner_eof(struct owner *o, enum side from)
{
	if (!owner_may(o, from))
		return;
	core_eof(&o->core, from);
	owner_obey(o);
}

static inline void owner_break(struct owner *o, enum side s)
{
	if (!owner_may(o, s))
		return;
	core_broken(&o->core, s);
	owner_obey(o);
}

static inline void owner_wait(struct owner *o, uint64_t ms)
{
	o->env.now += ms;
	o->env.now_us += ms * 1000;
	if (!o->closed && !o->connecting && core_deadline(&o->core) <= o->env.now)
		core_expired(&o->core);
	owner_obey(o);
}

/* Lets everything that is on its way arrive. */
static inline void owner_settle(struct owner *o)
{
	size_t moved;
	do {
		owner_connect(o);
		moved = owner_drain(o, POD, SIZE_MAX) + owner_drain(o, CLIENT, SIZE_MAX);
	} while (moved > 0 || (o->connecting && !o->closed));
}

#endif
