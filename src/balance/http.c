// SPDX-License-Identifier: Apache-2.0
/* http: the HTTP lane of the core, as its owner sees it. One request at a time: head and answers of our own in http_turn.c, the pod's answer
 * in http_exchange.c, bodies in http_body.c. */
#include "http.h"

#include <stdlib.h>
#include <string.h>

enum {
	LINGER_MS = 5000,
	LAST_IDLE_MS = 5000, /* how long a connection may rest once no more requests are wanted */
};

void http_enter(struct core *c, enum http_state state)
{
	c->http->state = (uint8_t)state;
	c->http->since = c->env->now;
}

void http_start(struct core *c, const struct table *table)
{
	(void)table; /* looked up for each request: rules change while connections live */
	c->http = calloc(1, sizeof *c->http);
	if (c->http == NULL) {
		core_close_for(c, WHY_MEMORY);
		return;
	}
	c->state = CORE_RELAYING;
	c->http->minor = true;
	c->http->request.pool_slot = NO_POOL;
	http_enter(c, AT_WAIT);
	/* Bytes may have come along with the PROXY header. */
	if (c->stream[CLIENT] != NULL) {
		http_enter(c, AT_HEAD);
		http_take_head(c);
	}
}

void http_drop_out(struct core *c, enum side s)
{
	if (c->http->out[s] != NULL)
		buf_put(&c->env->bufs, c->http->out[s]);
	c->http->out[s] = NULL;
}

void http_end(struct core *c)
{
	struct http *h = c->http;
	/* A request that is still going on ends because somebody left. */
	if (h->state == AT_CONNECT || h->state == AT_EXCHANGE) {
		if (!h->answered)
			h->request.status = 499;
		http_account(c);
	}
	http_account(c);
	http_drop_out(c, CLIENT);
	http_drop_out(c, POD);
	free(h);
	c->http = NULL;
}

/* A head has to lie in one piece: when the buffer runs out behind it, it is moved to the front. */
static struct iovec head_room(struct core *c, enum side from)
{
	struct buf *b = c->stream[from];
	if (b != NULL && b->r > 0 && BUF_SIZE - b->r < HTTP_HEAD_MAX) {
		memmove(b->data, b->data + b->r, b->w - b->r);
		b->w -= b->r;
		b->r = 0;
	}
	return core_room(c, from);
}

struct iovec http_space(struct core *c, enum side from)
{
	const struct http *h = c->http;
	switch (h->state) {
	case AT_WAIT:
	case AT_HEAD:
		return from == CLIENT ? head_room(c, from) : (struct iovec){0};
	case AT_EXCHANGE:
		if (from == POD)
			return h->answered ? core_room(c, from) : head_room(c, from);
		/* What follows a complete request waits in the kernel. */
		return h->body[CLIENT].ended || h->deaf ? (struct iovec){0} : core_room(c, from);
	case AT_TUNNEL:
		return core_room(c, from);
	case AT_LINGER:
		return from == CLIENT ? core_room(c, from) : (struct iovec){0};
	default:
		return (struct iovec){0};
	}
}

void http_input(struct core *c, enum side from)
{
	struct http *h = c->http;
	switch (h->state) {
	case AT_WAIT:
		http_enter(c, AT_HEAD);
		http_take_head(c);
		return;
	case AT_HEAD:
		http_take_head(c);
		return;
	case AT_EXCHANGE:
		if (from == POD) {
			http_pod_input(c);
			return;
		}
		if (!http_advance(c, CLIENT))
			http_bad_pod(c, h->max_body == UINT64_MAX ? 400 : 413);
		return;
	case AT_TUNNEL:
		h->pass[from] = c->stream[from]->w - c->stream[from]->r;
		return;
	default:
		core_drop_stream(c, from); /* lingering: read and forgotten */
	}
}

void http_eof(struct core *c, enum side from)
{
	struct http *h = c->http;
	if (from == POD) {
		http_pod_eof(c);
		return;
	}
	switch (h->state) {
	case AT_TUNNEL:
		http_pass_tunnel_end(c, CLIENT);
		return;
	case AT_REPLY:
		return;
	case AT_EXCHANGE:
		if (h->body[CLIENT].ended) {
			h->keep_client = false; /* done asking, and still listening */
			return;
		}
		break;
	default:
		break;
	}
	core_close_for(c, h->state == AT_WAIT || h->state == AT_LINGER ? WHY_DONE : WHY_RESET);
}

void http_broken(struct core *c, enum side s)
{
	struct http *h = c->http;
	if (s == CLIENT) {
		core_close_for(c, WHY_RESET);
		return;
	}
	if (h->state == AT_TUNNEL) {
		core_drop_stream(c, CLIENT);
		h->pass[CLIENT] = 0;
		c->ended[CLIENT] = true;
		c->shut[POD] = true;
		http_pass_tunnel_end(c, POD);
		return;
	}
	/* It may have answered before it stopped listening. */
	h->deaf = true;
	http_skip_body(c);
	if (!h->replayable)
		http_drop_out(c, POD);
}

void http_client_gone(struct core *c)
{
	struct http *h = c->http;
	if (h->state == AT_CONNECT || (h->state == AT_EXCHANGE && h->body[CLIENT].ended))
		core_close_for(c, WHY_RESET);
}

struct iovec http_pending(const struct core *c, enum side to)
{
	const struct http *h = c->http;
	const enum side from = other(to);
	const struct buf *out = h->out[to];
	if (c->state == CORE_CLOSED || (to == POD && (h->deaf || (h->state != AT_EXCHANGE && h->state != AT_TUNNEL))))
		return (struct iovec){0};
	if (out != NULL && out->r < out->w)
		return (struct iovec){(void *)(uintptr_t)(out->data + out->r), out->w - out->r};
	if (h->pass[from] == 0)
		return (struct iovec){0};
	return (struct iovec){c->stream[from]->data + c->stream[from]->r, h->pass[from]};
}

void http_output(struct core *c, enum side to, size_t n)
{
	struct http *h = c->http;
	const enum side from = other(to);
	struct buf *out = h->out[to];
	if (to == CLIENT)
		h->request.bytes_out += n;
	if (out != NULL && out->r < out->w) {
		out->r += (uint32_t)n;
		if (out->r == out->w && !(to == POD && h->replayable))
			http_drop_out(c, to);
	} else {
		c->stream[from]->r += (uint32_t)n;
		h->pass[from] -= (uint32_t)n;
		if (from == CLIENT)
			h->request.bytes_in += n;
		if (c->stream[from]->r == c->stream[from]->w)
			core_drop_stream(c, from);
	}
	if (h->state == AT_TUNNEL)
		http_pass_tunnel_end(c, from);
	else if (to == CLIENT)
		http_settle(c);
}

size_t http_pass_limit(const struct core *c, enum side from)
{
	const struct http *h = c->http;
	const enum side to = other(from);
	if (c->stream[from] != NULL || c->ended[from] || (h->out[to] != NULL && h->out[to]->r < h->out[to]->w))
		return 0;
	if (h->state == AT_TUNNEL)
		return SIZE_MAX;
	if (h->state != AT_EXCHANGE || (from == POD && !h->answered) || (from == CLIENT && h->deaf) || h->body[from].ended)
		return 0;
	if (h->body[from].framing == BODY_UNTIL_CLOSE)
		return SIZE_MAX;
	if (h->body[from].framing != BODY_LENGTH)
		return 0;
	return h->body[from].left < SIZE_MAX ? (size_t)h->body[from].left : SIZE_MAX;
}

void http_passed(struct core *c, enum side from, size_t n)
{
	struct http *h = c->http;
	*(from == CLIENT ? &h->request.bytes_in : &h->request.bytes_out) += n;
	if (h->state == AT_EXCHANGE && h->body[from].framing == BODY_LENGTH) {
		h->body[from].left -= n;
		h->body[from].ended = h->body[from].left == 0;
		if (from == POD)
			http_settle(c);
	}
}

void http_connected(struct core *c, bool reused)
{
	struct http *h = c->http;
	h->reused = reused;
	h->seen = 0;
	if (h->request.connected_us == 0)
		h->request.connected_us = c->env->now_us;
	http_enter(c, AT_EXCHANGE);
}

void http_unreachable(struct core *c, enum core_failure how)
{
	http_reply(c, how == FAILED_NONE ? 503 : how == FAILED_CONNECT ? 502 : 504, NULL);
}

bool http_is_pods_turn(const struct core *c)
{
	return c->http->body[CLIENT].ended;
}

/* Waiting for the rest of a request's body, with everything else passed on. */
static bool waits_for_client(const struct core *c)
{
	const struct http *h = c->http;
	return !h->answered && !h->body[CLIENT].ended && !h->deaf && h->pass[CLIENT] == 0 && h->out[POD] == NULL &&
	       !c->held[CLIENT];
}

uint64_t http_deadline(const struct core *c)
{
	const struct http *h = c->http;
	const struct http_conf *conf = &c->env->conf->http;
	switch (h->state) {
	case AT_WAIT:
		return h->since + (c->env->last && LAST_IDLE_MS < conf->idle_ms ? (uint32_t)LAST_IDLE_MS : conf->idle_ms);
	case AT_HEAD:
		return h->since + conf->head_ms;
	case AT_EXCHANGE:
		if (waits_for_client(c) || h->out[CLIENT] != NULL || h->pass[POD] > 0 || c->held[POD])
			return c->last + conf->body_ms;
		return c->last + h->response_ms;
	case AT_TUNNEL:
		return c->last + conf->tunnel_ms;
	case AT_REPLY:
		return h->since + conf->body_ms;
	case AT_LINGER:
		return h->since + LINGER_MS;
	default:
		return UINT64_MAX; /* connecting: the owner keeps the time of each attempt */
	}
}

void http_expired(struct core *c)
{
	struct http *h = c->http;
	if (h->state == AT_HEAD)
		http_refuse(c, 408);
	else if (h->state == AT_EXCHANGE && !h->answered)
		http_bad_pod(c, waits_for_client(c) ? 408 : 504);
	else
		core_close_for(c, WHY_TIMEOUT);
}
