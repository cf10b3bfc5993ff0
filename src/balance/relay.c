// SPDX-License-Identifier: Apache-2.0
/* relay: the TCP lane of the core. PROXY header, route, connect, then bytes as they come. */
#include "core.h"

#include <stdlib.h>
#include <string.h>

enum { READ_PROXY, CONNECTING, RELAYING, CLOSED };

static void close_for(struct core *c, enum core_why why)
{
	if (c->state == CLOSED)
		return;
	c->state = CLOSED;
	c->why = (uint8_t)why;
	c->wants = CORE_CLOSE;
}

static void route(struct core *c)
{
	const struct listener *l = conf_listener(c->env->conf, c->listener);
	c->pool = l == NULL ? NULL : conf_route(l, c->sni == NULL ? "" : c->sni, c->sni_len);
	if (c->pool == NULL) {
		close_for(c, WHY_NO_ROUTE);
		return;
	}
	c->state = CONNECTING;
	c->idle_ms = c->pool->idle_ms;
	c->wants |= CORE_CONNECT;
}

void core_start(struct core *c, struct core_env *env, const struct listener *l, const struct addr *peer)
{
	memset(c, 0, sizeof *c);
	c->env = env;
	c->listener = l->slot;
	c->proxy = (uint8_t)l->proxy;
	c->client = *peer;
	c->last = env->now;
	c->state = READ_PROXY;
	if (l->proxy == PROXY_NONE)
		route(c);
}

static void drop_stream(struct core *c, enum side s)
{
	if (c->stream[s] != NULL)
		buf_put(&c->env->bufs, c->stream[s]);
	c->stream[s] = NULL;
}

void core_end(struct core *c)
{
	drop_stream(c, CLIENT);
	drop_stream(c, POD);
	free(c->sni);
	c->sni = NULL;
	c->state = CLOSED;
}

static void read_proxy(struct core *c)
{
	struct buf *b = c->stream[CLIENT];
	struct facts facts;
	size_t used;
	switch (proxy_parse((enum proxy_mode)c->proxy, b->data, b->w, &facts, &used)) {
	case PROXY_MORE:
		return;
	case PROXY_BAD:
		close_for(c, WHY_PROXY);
		return;
	case PROXY_OK:
		break;
	}
	if (facts.client.len != 0)
		c->client = facts.client;
	if (facts.sni_len > 0) {
		c->sni = malloc(facts.sni_len);
		if (c->sni == NULL) {
			close_for(c, WHY_MEMORY);
			return;
		}
		memcpy(c->sni, facts.sni, facts.sni_len);
		c->sni_len = (uint8_t)facts.sni_len;
	}
	b->r = (uint32_t)used;
	if (b->r == b->w)
		drop_stream(c, CLIENT);
	route(c);
}

/* When all that a side sent has been passed on and it has ended, the other side is told. */
static void pass_end(struct core *c, enum side from)
{
	const enum side to = other(from);
	if (c->state != RELAYING || !c->ended[from] || c->stream[from] != NULL || c->shut[to])
		return;
	c->shut[to] = true;
	if (c->shut[from])
		close_for(c, WHY_DONE);
	else
		c->wants |= to == POD ? CORE_SHUT_POD : CORE_SHUT_CLIENT;
}

struct iovec core_space(struct core *c, enum side from)
{
	const struct iovec none = {0};
	/* While a pod is being connected to, the client's bytes wait in the kernel: they can still go to any channel. */
	if (c->state == CLOSED || c->state == CONNECTING || c->ended[from])
		return none;
	if (c->stream[from] == NULL && (c->stream[from] = buf_get(&c->env->bufs)) == NULL) {
		close_for(c, WHY_MEMORY);
		return none;
	}
	struct buf *b = c->stream[from];
	return (struct iovec){b->data + b->w, BUF_SIZE - b->w};
}

void core_input(struct core *c, enum side from, size_t n)
{
	struct buf *b = c->stream[from];
	b->w += (uint32_t)n;
	if (b->r == b->w) {
		drop_stream(c, from);
		return;
	}
	if (c->state == READ_PROXY)
		read_proxy(c);
	else
		c->last = c->env->now; /* a trickled header does not buy time */
}

void core_eof(struct core *c, enum side from)
{
	c->ended[from] = true;
	if (c->state == READ_PROXY) {
		/* Somebody who connects and leaves (a port check) sends no header and breaks none. */
		close_for(c, c->stream[CLIENT] == NULL || c->stream[CLIENT]->w == 0 ? WHY_RESET : WHY_PROXY);
		return;
	}
	if (c->stream[from] != NULL && c->stream[from]->r == c->stream[from]->w)
		drop_stream(c, from);
	pass_end(c, from);
}

void core_broken(struct core *c, enum side s)
{
	if (c->state != RELAYING || s == CLIENT) {
		close_for(c, WHY_RESET);
		return;
	}
	/* The pod takes no more, yet what it has said (an early refusal of an upload, say) is still to be read. */
	drop_stream(c, CLIENT);
	c->ended[CLIENT] = true;
	c->shut[POD] = true;
	if (c->shut[CLIENT])
		close_for(c, WHY_DONE); /* it had ended before it broke: nothing can flow any more */
	else
		pass_end(c, POD);
}

struct iovec core_pending(const struct core *c, enum side to)
{
	const struct buf *b = c->stream[other(to)];
	if (c->state != RELAYING || b == NULL)
		return (struct iovec){0};
	return (struct iovec){(void *)(uintptr_t)(b->data + b->r), b->w - b->r};
}

void core_output(struct core *c, enum side to, size_t n)
{
	const enum side from = other(to);
	struct buf *b = c->stream[from];
	b->r += (uint32_t)n;
	c->last = c->env->now;
	if (b->r < b->w)
		return;
	drop_stream(c, from);
	pass_end(c, from);
}

bool core_passes(const struct core *c, enum side from)
{
	const struct buf *b = c->stream[from];
	return c->state == RELAYING && !c->ended[from] && (b == NULL || b->r == b->w);
}

void core_passed(struct core *c)
{
	c->last = c->env->now;
}

void core_connected(struct core *c)
{
	c->state = RELAYING;
	c->last = c->env->now;
	c->pool = NULL;
	free(c->sni);
	c->sni = NULL;
	pass_end(c, CLIENT);
}

void core_unreachable(struct core *c)
{
	close_for(c, WHY_NO_CHANNEL);
}

void core_reroute(struct core *c)
{
	if (c->state == CONNECTING)
		route(c);
}

unsigned core_wants(struct core *c)
{
	unsigned wants = c->wants;
	c->wants &= CORE_CLOSE;
	return wants;
}

uint64_t core_deadline(const struct core *c)
{
	if (c->state == READ_PROXY)
		return c->last + CORE_PROXY_MS;
	if (c->state == RELAYING && c->idle_ms != 0)
		return c->last + c->idle_ms;
	return UINT64_MAX; /* connecting: the owner keeps the time of each attempt */
}

void core_expired(struct core *c)
{
	close_for(c, WHY_TIMEOUT);
}

bool core_is_connected(const struct core *c)
{
	return c->state == RELAYING;
}
