// SPDX-License-Identifier: Apache-2.0
/* An owner for the relay core, for unit tests and the fuzz target alike: it keeps its side of core.h's contract and checks the
 * core's. OWNER_CHECK is how it complains. */
#ifndef RELAY_OWNER_H
#define RELAY_OWNER_H

#include "core.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef OWNER_CHECK
#define OWNER_CHECK(what) ((what) ? (void)0 : owner_fail(#what, __LINE__))
#endif

static inline void owner_fail(const char *what, int line)
{
	fprintf(stderr, "owner: line %d: %s does not hold\n", line, what);
	abort();
}

/* PROXY v2, UNSPEC, authority a.example */
static const unsigned char owner_header[16 + 3 + 9] = "\r\n\r\n\0\r\nQUIT\n\x21\0\0\x0c\x02\0\x09" "a.example";

struct owner_bytes {
	unsigned char at[1 << 17];
	size_t n;
};

struct owner {
	struct core_env env;
	struct core core;
	size_t held; /* buffers in the core's hands */
	bool closed;
	bool ended[2], shut[2], failed[2];
	size_t body;                 /* where the client's own bytes begin in sent[CLIENT] */
	struct owner_bytes sent[2];  /* by a side */
	struct owner_bytes got[2];   /* by a side */
	size_t verified[2];          /* of got */
};

static inline struct conf *owner_conf(const char *routes)
{
	struct conf_error e;
	char text[512];
	int n = snprintf(text, sizeof text,
	                 "listen l tcp:127.0.0.1:1 proxy=v2\nlisten n tcp:127.0.0.1:2\npool p -T 60 1.2.3.4:1\npool q 1.2.3.4:2\n%s", routes);
	struct conf *c = conf_parse(text, (size_t)n, &e);
	OWNER_CHECK(c != NULL);
	return c;
}

/* Kept from one connection to the next, as a worker does. */
static struct conf *owner_first;
static struct buf_cache owner_bufs;

static inline void owner_count(struct owner *o)
{
	o->held = (size_t)(o->core.stream[CLIENT] != NULL) + (size_t)(o->core.stream[POD] != NULL);
}

static inline void owner_start(struct owner *o, bool proxy)
{
	const struct addr nobody = {0};
	if (owner_first == NULL)
		owner_first = owner_conf("route l a.example p\nroute n * p\n");
	o->env = (struct core_env){.conf = owner_first, .bufs = owner_bufs};
	o->env.now = 5000;
	o->held = 0;
	o->closed = false;
	for (int s = CLIENT; s <= POD; s++) {
		o->ended[s] = o->shut[s] = o->failed[s] = false;
		o->sent[s].n = o->got[s].n = o->verified[s] = 0;
	}
	o->body = proxy ? sizeof owner_header : 0;
	core_start(&o->core, &o->env, owner_first->listeners[proxy ? 0 : 1], &nobody);
}

/* Each byte that arrived is the byte that was sent, in order. */
static inline void owner_verify(struct owner *o)
{
	for (int to = CLIENT; to <= POD; to++) {
		const enum side from = other((enum side)to);
		const size_t skip = from == CLIENT ? o->body : 0;
		const size_t at = o->verified[to], n = o->got[to].n - at;
		OWNER_CHECK(n == 0 || at + n + skip <= o->sent[from].n);
		OWNER_CHECK(n == 0 || memcmp(o->got[to].at + at, o->sent[from].at + skip + at, n) == 0);
		o->verified[to] = o->got[to].n;
	}
}

static inline void owner_end(struct owner *o)
{
	owner_verify(o);
	core_end(&o->core);
	owner_count(o);
	OWNER_CHECK(o->held == 0);
	owner_bufs = o->env.bufs;
}

static inline unsigned owner_wants(struct owner *o)
{
	unsigned wants = core_wants(&o->core);
	OWNER_CHECK(!o->closed || wants == CORE_CLOSE);
	/* Closing is said alone, ends are said once, and only when all the other side sent has been passed on. */
	if (wants & CORE_CLOSE) {
		OWNER_CHECK(wants == CORE_CLOSE);
		o->closed = true;
	}
	for (int to = CLIENT; to <= POD; to++) {
		if ((wants & (to == POD ? CORE_SHUT_POD : CORE_SHUT_CLIENT)) == 0)
			continue;
		const enum side from = other((enum side)to);
		OWNER_CHECK(!o->shut[to]);
		OWNER_CHECK(o->ended[from]);
		OWNER_CHECK(core_is_connected(&o->core));
		OWNER_CHECK(o->failed[to] || o->got[to].n + (from == CLIENT ? o->body : 0) == o->sent[from].n);
		o->shut[to] = true;
	}
	return wants;
}

/* Offers bytes of a side, at most `step` at a time; returns how many the core took. */
static inline size_t owner_feed(struct owner *o, enum side from, const unsigned char *bytes, size_t n, size_t step)
{
	size_t taken = 0;
	while (taken < n) {
		struct iovec v = core_space(&o->core, from);
		owner_count(o);
		if (v.iov_len == 0)
			break;
		size_t k = n - taken < step ? n - taken : step;
		k = k < v.iov_len ? k : v.iov_len;
		memcpy(v.iov_base, bytes + taken, k);
		memcpy(o->sent[from].at + o->sent[from].n, bytes + taken, k);
		o->sent[from].n += k;
		taken += k;
		core_input(&o->core, from, k);
		owner_count(o);
		OWNER_CHECK(o->held <= 2);
	}
	return taken;
}

/* Takes up to n bytes for a side. */
static inline size_t owner_drain(struct owner *o, enum side to, size_t n)
{
	struct iovec v = core_pending(&o->core, to);
	size_t k = n < v.iov_len ? n : v.iov_len;
	OWNER_CHECK(v.iov_len == 0 || (!o->closed && !o->shut[to]));
	if (k == 0)
		return 0;
	memcpy(o->got[to].at + o->got[to].n, v.iov_base, k);
	o->got[to].n += k;
	core_output(&o->core, to, k);
	owner_count(o);
	return k;
}

static inline void owner_eof(struct owner *o, enum side from)
{
	o->ended[from] = true;
	core_eof(&o->core, from);
	owner_count(o);
}

enum owner_action {
	ACT_CLIENT_SENDS, ACT_POD_SENDS, ACT_POD_TAKES, ACT_CLIENT_TAKES, ACT_CLIENT_ENDS, ACT_POD_ENDS,
	ACT_CONNECT, ACT_CLIENT_BREAKS, ACT_POD_BREAKS, OWNER_ACTIONS
};

/* One thing that can happen, if it can happen now; then what the core wants is done. */
static inline void owner_act(struct owner *o, enum owner_action what, size_t n)
{
	static const unsigned char noise[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const bool connected = core_is_connected(&o->core);
	const bool reading = o->core.proxy != 0 && !connected && o->core.pool == NULL;
	if (o->closed)
		return;
	switch (what) {
	case ACT_CLIENT_SENDS:
		if (reading && o->sent[CLIENT].n < sizeof owner_header)
			owner_feed(o, CLIENT, owner_header + o->sent[CLIENT].n, sizeof owner_header - o->sent[CLIENT].n, n * 5);
		else if (o->sent[CLIENT].n + sizeof noise < sizeof o->sent[CLIENT].at && !o->ended[CLIENT])
			owner_feed(o, CLIENT, noise, n < sizeof noise ? n : sizeof noise, n);
		break;
	case ACT_POD_SENDS:
		if (connected && o->sent[POD].n + sizeof noise < sizeof o->sent[POD].at)
			owner_feed(o, POD, noise, n < sizeof noise ? n : sizeof noise, n);
		break;
	case ACT_POD_TAKES:
		owner_drain(o, POD, n);
		break;
	case ACT_CLIENT_TAKES:
		owner_drain(o, CLIENT, n);
		break;
	case ACT_CLIENT_ENDS:
		if (!o->ended[CLIENT] && (connected || reading)) /* a side's end is read where its bytes are */
			owner_eof(o, CLIENT);
		break;
	case ACT_POD_ENDS:
		if (connected && !o->ended[POD])
			owner_eof(o, POD);
		break;
	case ACT_CONNECT:
		if (!connected && !reading && n % 4 == 3)
			core_unreachable(&o->core, FAILED_CONNECT);
		else if (!connected && !reading)
			core_connected(&o->core, false);
		break;
	case ACT_CLIENT_BREAKS:
		core_broken(&o->core, CLIENT);
		break;
	case ACT_POD_BREAKS:
		if (connected)
			o->failed[POD] = o->ended[CLIENT] = true, core_broken(&o->core, POD);
		break;
	default:
		break;
	}
	owner_count(o);
	while (owner_wants(o) & ~(unsigned)(CORE_CLOSE | CORE_CONNECT))
		;
	/* When neither side takes anything any more, nothing can happen: it must not stay open. */
	OWNER_CHECK(o->closed || !o->core.shut[CLIENT] || !o->core.shut[POD]);
	owner_verify(o);
}

#endif
