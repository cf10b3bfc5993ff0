// SPDX-License-Identifier: Apache-2.0
/* http: the HTTP lane of the core. One request at a time: head, pod, exchange, next. */
#include "http.h"

#include <stdlib.h>
#include <string.h>

enum {
	LINGER_MS = 5000,
	LAST_IDLE_MS = 5000,      /* how long a connection may rest once no more requests are wanted */
	COALESCE_MAX = 16 * 1024, /* a body's start this long travels in the head's buffer: one write instead of two */
};

static void take_head(struct core *c);
static void again(struct core *c);

static void enter(struct core *c, enum http_state state)
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
	enter(c, AT_WAIT);
	/* Bytes may have come along with the PROXY header. */
	if (c->stream[CLIENT] != NULL) {
		enter(c, AT_HEAD);
		take_head(c);
	}
}

static void drop_out(struct core *c, enum side s)
{
	if (c->http->out[s] != NULL)
		buf_put(&c->env->bufs, c->http->out[s]);
	c->http->out[s] = NULL;
}

/* --- the end of a request ------------------------------------------------------------------------------------- */

static void account(struct core *c)
{
	struct http *h = c->http;
	if (h->ticket != 0)
		c->env->ops->client_release(c, h->ticket);
	h->ticket = 0;
	if (h->request.started_us != 0) {
		h->request.log = h->log;
		c->env->ops->request_done(c, &h->request);
	}
	free(h->log);
	free(h->hsts);
	h->log = h->hsts = NULL;
	h->request = (struct core_request){.pool_slot = NO_POOL};
}

void http_end(struct core *c)
{
	struct http *h = c->http;
	/* A request that is still going on ends because somebody left. */
	if (h->state == AT_CONNECT || h->state == AT_EXCHANGE) {
		if (!h->answered)
			h->request.status = 499;
		account(c);
	}
	account(c);
	drop_out(c, CLIENT);
	drop_out(c, POD);
	free(h);
	c->http = NULL;
}

/* The last answer is out: end the connection without losing it. What the client still sends is read away for a while, because closing with
 * unread bytes makes the kernel send a reset, which can overtake the answer (RFC 9112 §9.6). */
static void end_client(struct core *c)
{
	if (c->ended[CLIENT]) {
		core_close_for(c, WHY_DONE);
		return;
	}
	core_drop_stream(c, CLIENT);
	c->http->pass[CLIENT] = 0;
	c->shut[CLIENT] = true;
	c->wants |= CORE_SHUT_CLIENT;
	enter(c, AT_LINGER);
}

static void next_request(struct core *c)
{
	struct http *h = c->http;
	memset(h->body, 0, sizeof h->body);
	h->seen = 0;
	h->reused = h->replayable = h->retried = h->answered = h->deaf = h->upgrade = false;
	h->method = HTTP_GET; /* a HEAD before has no say in how a refused head is answered */
	enter(c, c->stream[CLIENT] == NULL ? AT_WAIT : AT_HEAD);
	if (c->stream[CLIENT] != NULL)
		take_head(c);
	else if (c->ended[CLIENT])
		core_close_for(c, WHY_DONE);
}

/* What was read of a request's body and will not be sent any more is passed over: the next request begins behind it. */
static void skip_body(struct core *c)
{
	struct buf *b = c->stream[CLIENT];
	if (b == NULL)
		return;
	b->r += c->http->pass[CLIENT];
	c->http->pass[CLIENT] = 0;
	if (b->r == b->w)
		core_drop_stream(c, CLIENT);
}

/* --- answers of our own ----------------------------------------------------------------------------------------- */

static void reply(struct core *c, unsigned status, const char *location)
{
	struct http *h = c->http;
	/* A body that was not read to its end would be taken for the next request. */
	const bool close =
	    !h->keep_client || !h->body[CLIENT].ended || status == 400 || status == 408 || c->env->last;
	h->keep_client = !close;
	h->answered = true;
	h->request.status = (uint16_t)status;
	if (h->request.started_us == 0)
		h->request.started_us = c->env->now_us;
	skip_body(c);
	drop_out(c, POD);
	if (h->out[CLIENT] != NULL && h->out[CLIENT]->r > 0) {
		core_close_for(c, WHY_RESET); /* half an interim response is out: nothing can follow it */
		return;
	}
	drop_out(c, CLIENT);
	if (!http_write_reply(c, status, location, close)) {
		core_close_for(c, WHY_MEMORY);
		return;
	}
	enter(c, AT_REPLY);
}

static void refuse(struct core *c, unsigned status)
{
	c->http->keep_client = false;
	reply(c, status, NULL);
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

/* Lets as many of the bytes behind pass[from] go as belong to the body. False when its framing is broken or it is too long. */
static bool advance(struct core *c, enum side from)
{
	struct http *h = c->http;
	struct body *body = &h->body[from];
	struct buf *b = c->stream[from];
	const size_t have = b == NULL ? 0 : b->w - b->r - h->pass[from];
	size_t n = 0;
	switch ((enum framing)body->framing) {
	case BODY_NONE:
		body->ended = true;
		return true;
	case BODY_LENGTH:
		n = have < body->left ? have : (size_t)body->left;
		body->left -= n;
		body->ended = body->left == 0;
		break;
	case BODY_CHUNKED:
		if (have == 0 || body->ended)
			return true;
		n = chunks_advance(&h->parser[from], (const char *)b->data + b->r + h->pass[from], have, &body->ended);
		if (n == SIZE_MAX) {
			h->max_body = UINT64_MAX; /* broken, not long: 400 */
			return false;
		}
		break;
	case BODY_UNTIL_CLOSE:
		n = have;
		break;
	}
	h->pass[from] += (uint32_t)n;
	if (from != CLIENT || body->framing != BODY_CHUNKED)
		return true;
	if (n > h->max_body)
		return false;
	h->max_body -= h->max_body == UINT64_MAX ? 0 : n;
	return true;
}

/* A short body, or the start of a long one, goes out in one write with the head. */
static void coalesce(struct core *c, enum side from)
{
	struct http *h = c->http;
	struct buf *b = c->stream[from], *out = h->out[other(from)];
	uint32_t n = h->pass[from];
	if (n == 0 || n > COALESCE_MAX || n > BUF_SIZE - out->w)
		return;
	memcpy(out->data + out->w, b->data + b->r, n);
	out->w += n;
	b->r += n;
	h->pass[from] = 0;
	if (from == CLIENT)
		h->request.bytes_in += n;
	if (b->r == b->w)
		core_drop_stream(c, from);
}

/* --- request ------------------------------------------------------------------------------------------------------ */

static bool is_idempotent(unsigned method)
{
	return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS || method == HTTP_PUT ||
	       method == HTTP_DELETE || method == HTTP_TRACE; /* RFC 9110 §9.2.2 */
}

static const struct table *table_of(const struct core *c)
{
	const struct listener *l = conf_listener(c->env->conf, c->listener);
	return l == NULL ? NULL : l->table;
}

static void begin_request(struct core *c, size_t size)
{
	struct http *h = c->http;
	const struct head *head = c->env->head;
	const struct table *table = table_of(c);
	const char *location;
	h->request = (struct core_request){.pool_slot = NO_POOL, .started_us = c->env->now_us, .bytes_in = size};
	h->method = head->method_id;
	h->minor = head->minor == 1;
	h->keep_client = head->keep_alive;
	h->max_body = UINT64_MAX;
	h->body[CLIENT] = (struct body){.framing = head->framing, .left = head->length, .ended = head->framing == BODY_NONE};
	h->replayable = is_idempotent(h->method) && head->framing == BODY_NONE;
	c->stream[CLIENT]->r += (uint32_t)size;
	/* A listener that lost its table serves nothing any more. */
	unsigned status = table == NULL ? 404 : http_take_request(c, table, &location);
	if (table == NULL)
		location = NULL;
	if (c->stream[CLIENT]->r == c->stream[CLIENT]->w)
		core_drop_stream(c, CLIENT);
	if (status == 0 && !advance(c, CLIENT))
		status = h->max_body == UINT64_MAX ? 400 : 413;
	if (status != 0) {
		c->pool = NULL;
		h->request.pool_slot = NO_POOL;
		reply(c, status, location);
		return;
	}
	if (!h->replayable)
		coalesce(c, CLIENT);
	c->env->ops->request_begun(c, h->request.pool_slot);
	c->fresh = false;
	c->wants |= CORE_CONNECT;
	enter(c, AT_CONNECT);
}

static bool could_begin(char c)
{
	/* Methods are upper case here; an empty line before the request is tolerated (RFC 9112 §2.2). */
	return (c >= 'A' && c <= 'Z') || c == '\r' || c == '\n';
}

static void take_head(struct core *c)
{
	struct http *h = c->http;
	struct buf *b = c->stream[CLIENT];
	const char *at = (const char *)b->data + b->r;
	const size_t n = b->w - b->r;
	if (!could_begin(at[0])) {
		refuse(c, 400);
		return;
	}
	size_t size = head_end(at, n, &h->seen);
	if (size == 0 && n < HTTP_HEAD_MAX)
		return;
	if (size == 0 || size > HTTP_HEAD_MAX) {
		refuse(c, memchr(at, '\n', n) == NULL ? 414 : 431);
		return;
	}
	struct head *head = c->env->head;
	unsigned status = head_parse_request(head, &h->parser[CLIENT], at, size);
	head->size = size;
	if (status != 0) {
		refuse(c, status);
		return;
	}
	begin_request(c, size);
}

/* --- response ----------------------------------------------------------------------------------------------------- */

static bool head_is_sent(const struct http *h)
{
	return h->out[POD] == NULL || h->out[POD]->r == h->out[POD]->w;
}

static void finish(struct core *c)
{
	struct http *h = c->http;
	/* Only a connection that owes nothing and is owed nothing can serve another request. */
	const bool reusable = h->keep_pod && h->body[CLIENT].ended && head_is_sent(h) && h->pass[CLIENT] == 0 && !h->deaf &&
	                      !c->ended[POD] && c->stream[POD] == NULL;
	c->wants |= reusable ? CORE_RELEASE : CORE_DROP;
	core_drop_stream(c, POD);
	drop_out(c, POD);
	h->pass[POD] = 0;
	skip_body(c);
	account(c);
	if (!h->keep_client || !h->body[CLIENT].ended)
		end_client(c);
	else
		next_request(c);
}

static void settle(struct core *c)
{
	struct http *h = c->http;
	if (h->out[CLIENT] != NULL)
		return;
	if (h->state == AT_EXCHANGE && h->answered && h->body[POD].ended && h->pass[POD] == 0) {
		finish(c);
	} else if (h->state == AT_REPLY) {
		account(c);
		if (h->keep_client)
			next_request(c);
		else
			end_client(c);
	}
}

static void pass_tunnel_end(struct core *c, enum side from)
{
	const enum side to = other(from);
	if (!c->ended[from] || c->stream[from] != NULL || c->http->out[to] != NULL || c->shut[to])
		return;
	c->shut[to] = true;
	if (c->shut[from])
		core_close_for(c, WHY_DONE);
	else
		c->wants |= to == POD ? CORE_SHUT_POD : CORE_SHUT_CLIENT;
}

static void enter_tunnel(struct core *c)
{
	/* The request is over, yet it goes on counting against the client's limit. */
	const uint32_t ticket = c->http->ticket;
	c->http->ticket = 0;
	account(c);
	c->http->ticket = ticket;
	enter(c, AT_TUNNEL);
	drop_out(c, POD);
	for (int s = CLIENT; s <= POD; s++)
		c->http->pass[s] = c->stream[s] == NULL ? 0 : c->stream[s]->w - c->stream[s]->r;
	pass_tunnel_end(c, CLIENT);
	pass_tunnel_end(c, POD);
}

/* The pod's answer can't be used: tell the client so while that is possible, else just end. */
static void bad_pod(struct core *c, unsigned status)
{
	struct http *h = c->http;
	c->wants |= CORE_DROP;
	if (h->answered) {
		core_close_for(c, WHY_RESET);
		return;
	}
	core_drop_stream(c, POD);
	h->pass[POD] = 0;
	/* What was not read of the request's body stays unread. */
	reply(c, status, NULL);
}

/* Returns false when there is nothing more to look at for now. */
static bool take_response_head(struct core *c)
{
	struct http *h = c->http;
	struct head *head = c->env->head;
	struct buf *b = c->stream[POD];
	const char *at = (const char *)b->data + b->r;
	size_t size = head_end(at, b->w - b->r, &h->seen);
	if (size == 0 && b->w - b->r < HTTP_HEAD_MAX && at[0] == 'H')
		return false;
	if (size == 0 || size > HTTP_HEAD_MAX || at[0] != 'H' ||
	    head_parse_response(head, &h->parser[POD], at, size, h->method == HTTP_HEAD) != 0 ||
	    (head->framing == BODY_CHUNKED && !h->minor) || (head->status == 101 && !(h->upgrade && head_is_sent(h)))) {
		bad_pod(c, 502);
		return false;
	}
	head->size = size;
	h->seen = 0;
	h->replayable = false;
	b->r += (uint32_t)size;
	if (head->status >= 200 || head->status == 101) {
		h->answered = true;
		h->keep_client &= !c->env->last;
		h->request.status = head->status;
		h->request.answered_us = c->env->now_us;
		h->keep_pod = head->keep_alive && head->minor == 1 && h->minor; /* asked in HTTP/1.0 it may close unsaid */
		if (head->framing == BODY_UNTIL_CLOSE)
			h->keep_client = false;
		if (!h->body[CLIENT].ended)
			h->keep_client = false; /* answered early: the rest of the request is not waited for */
		h->body[POD] = (struct body){.framing = head->framing, .left = head->length, .ended = head->framing == BODY_NONE};
	}
	/* HTTP/1.0 knows no interim responses (RFC 9110 §15.2). */
	const bool forward = head->status >= 200 || h->minor;
	if (forward && !http_take_response(c)) {
		h->answered = false;
		bad_pod(c, 502);
		return false;
	}
	if (b->r == b->w)
		core_drop_stream(c, POD);
	if (head->status == 101)
		enter_tunnel(c);
	return h->state == AT_EXCHANGE && !h->answered && c->stream[POD] != NULL;
}

static void pod_input(struct core *c)
{
	struct http *h = c->http;
	/* On a connection that served others, an answer that comes before anything was asked is somebody else's. */
	if (h->reused && h->out[POD] != NULL && h->out[POD]->r == 0) {
		if (h->replayable && !h->retried)
			again(c);
		else
			bad_pod(c, 502);
		return;
	}
	if (!h->answered)
		while (take_response_head(c))
			;
	if (h->state != AT_EXCHANGE || !h->answered)
		return;
	const bool was_ended = h->body[POD].ended;
	if (!was_ended && !advance(c, POD)) {
		bad_pod(c, 502);
		return;
	}
	if (h->out[CLIENT] != NULL)
		coalesce(c, POD);
	settle(c);
}

/* --- what the owner calls -------------------------------------------------------------------------------------------- */

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
		enter(c, AT_HEAD);
		take_head(c);
		return;
	case AT_HEAD:
		take_head(c);
		return;
	case AT_EXCHANGE:
		if (from == POD) {
			pod_input(c);
			return;
		}
		if (!advance(c, CLIENT))
			bad_pod(c, h->max_body == UINT64_MAX ? 400 : 413);
		return;
	case AT_TUNNEL:
		h->pass[from] = c->stream[from]->w - c->stream[from]->r;
		return;
	default:
		core_drop_stream(c, from); /* lingering: read and forgotten */
	}
}

static void again(struct core *c)
{
	struct http *h = c->http;
	h->retried = true;
	h->deaf = false;
	h->out[POD]->r = 0;
	h->seen = 0;
	core_drop_stream(c, POD);
	h->pass[POD] = 0;
	c->wants |= CORE_DROP;
	c->fresh = true;
	c->pool = conf_pool(c->env->conf, h->request.pool_slot);
	if (c->pool == NULL) {
		reply(c, 503, NULL);
		return;
	}
	c->wants |= CORE_CONNECT;
	enter(c, AT_CONNECT);
}

static void pod_eof(struct core *c)
{
	struct http *h = c->http;
	if (h->state == AT_TUNNEL) {
		pass_tunnel_end(c, POD);
	} else if (h->state == AT_EXCHANGE && !h->answered) {
		if (h->reused && h->replayable && !h->retried && c->stream[POD] == NULL && h->out[POD] != NULL)
			again(c);
		else
			bad_pod(c, 502);
	} else if (h->state == AT_EXCHANGE && h->body[POD].framing == BODY_UNTIL_CLOSE) {
		h->body[POD].ended = true;
		settle(c);
	} else if (h->state == AT_EXCHANGE && !h->body[POD].ended) {
		/* Cut short: the client must not take it for the whole (RFC 9112 §8). */
		core_close_for(c, WHY_RESET);
	}
}

void http_eof(struct core *c, enum side from)
{
	struct http *h = c->http;
	if (from == POD) {
		pod_eof(c);
		return;
	}
	switch (h->state) {
	case AT_TUNNEL:
		pass_tunnel_end(c, CLIENT);
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
		pass_tunnel_end(c, POD);
		return;
	}
	/* It may have answered before it stopped listening. */
	h->deaf = true;
	skip_body(c);
	if (!h->replayable)
		drop_out(c, POD);
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
		if (out->r == out->w && !(to == POD && h->replayable && h->reused))
			drop_out(c, to);
	} else {
		c->stream[from]->r += (uint32_t)n;
		h->pass[from] -= (uint32_t)n;
		if (from == CLIENT)
			h->request.bytes_in += n;
		if (c->stream[from]->r == c->stream[from]->w)
			core_drop_stream(c, from);
	}
	if (h->state == AT_TUNNEL)
		pass_tunnel_end(c, from);
	else if (to == CLIENT)
		settle(c);
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
			settle(c);
	}
}

void http_connected(struct core *c, bool reused)
{
	struct http *h = c->http;
	h->reused = reused;
	h->seen = 0;
	if (h->request.connected_us == 0)
		h->request.connected_us = c->env->now_us;
	enter(c, AT_EXCHANGE);
}

void http_unreachable(struct core *c, enum core_failure how)
{
	reply(c, how == FAILED_NONE ? 503 : how == FAILED_CONNECT ? 502 : 504, NULL);
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
		refuse(c, 408);
	else if (h->state == AT_EXCHANGE && !h->answered)
		bad_pod(c, waits_for_client(c) ? 408 : 504);
	else
		core_close_for(c, WHY_TIMEOUT);
}
