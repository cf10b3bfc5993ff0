// SPDX-License-Identifier: Apache-2.0
/* http_exchange: a pod's answer on its way to the client. */
#include "http.h"

/* A request that kills whoever gets it must not visit them all: the kept connection, a new one, and one to another channel. */
enum { RETRIES = 2 };

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
	http_drop_out(c, POD);
	h->pass[POD] = 0;
	http_skip_body(c);
	http_account(c);
	if (!h->keep_client || !h->body[CLIENT].ended)
		http_end_client(c);
	else
		http_next_request(c);
}

void http_settle(struct core *c)
{
	struct http *h = c->http;
	if (h->out[CLIENT] != NULL)
		return;
	if (h->state == AT_EXCHANGE && h->answered && h->body[POD].ended && h->pass[POD] == 0) {
		finish(c);
	} else if (h->state == AT_REPLY) {
		http_account(c);
		if (h->keep_client)
			http_next_request(c);
		else
			http_end_client(c);
	}
}

void http_pass_tunnel_end(struct core *c, enum side from)
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
	http_account(c);
	c->http->ticket = ticket;
	http_enter(c, AT_TUNNEL);
	http_drop_out(c, POD);
	for (int s = CLIENT; s <= POD; s++)
		c->http->pass[s] = c->stream[s] == NULL ? 0 : c->stream[s]->w - c->stream[s]->r;
	http_pass_tunnel_end(c, CLIENT);
	http_pass_tunnel_end(c, POD);
}

/* The pod's answer can't be used: tell the client so while that is possible, else just end. */
void http_bad_pod(struct core *c, unsigned status)
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
	http_reply(c, status, NULL);
}

/* A request that a pod's connection took and gave no byte for may be sent again when nothing is changed by its being carried out twice
 * (RFC 9110 §9.2.2). That a kept connection was at its end says nothing about the channel; a new one that dies sends the request on to
 * the next channel, if there is one. */
static bool may_retry(const struct core *c)
{
	const struct http *h = c->http;
	return h->replayable && h->retries < RETRIES && c->stream[POD] == NULL && h->out[POD] != NULL;
}

static void again(struct core *c)
{
	struct http *h = c->http;
	h->retries++;
	c->further = !h->reused;
	h->deaf = false;
	h->out[POD]->r = 0;
	h->seen = 0;
	core_drop_stream(c, POD);
	h->pass[POD] = 0;
	c->wants |= CORE_DROP;
	c->fresh = true;
	c->pool = conf_pool(c->env->conf, h->request.pool_slot);
	if (c->pool == NULL) {
		http_reply(c, 503, NULL);
		return;
	}
	c->wants |= CORE_CONNECT;
	http_enter(c, AT_CONNECT);
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
		http_bad_pod(c, 502);
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
		http_bad_pod(c, 502);
		return false;
	}
	if (b->r == b->w)
		core_drop_stream(c, POD);
	if (head->status == 101)
		enter_tunnel(c);
	return h->state == AT_EXCHANGE && !h->answered && c->stream[POD] != NULL;
}

void http_pod_input(struct core *c)
{
	struct http *h = c->http;
	/* On a connection that served others, an answer that comes before anything was asked is somebody else's. */
	if (h->reused && h->out[POD] != NULL && h->out[POD]->r == 0) {
		if (h->replayable && h->retries < RETRIES)
			again(c);
		else
			http_bad_pod(c, 502);
		return;
	}
	if (!h->answered)
		while (take_response_head(c))
			;
	if (h->state != AT_EXCHANGE || !h->answered)
		return;
	const bool was_ended = h->body[POD].ended;
	if (!was_ended && !http_advance(c, POD)) {
		http_bad_pod(c, 502);
		return;
	}
	if (h->out[CLIENT] != NULL)
		http_coalesce(c, POD);
	http_settle(c);
}

void http_pod_eof(struct core *c)
{
	struct http *h = c->http;
	if (h->state == AT_TUNNEL) {
		http_pass_tunnel_end(c, POD);
	} else if (h->state == AT_EXCHANGE && !h->answered) {
		if (may_retry(c))
			again(c);
		else
			http_bad_pod(c, 502);
	} else if (h->state == AT_EXCHANGE && h->body[POD].framing == BODY_UNTIL_CLOSE) {
		h->body[POD].ended = true;
		http_settle(c);
	} else if (h->state == AT_EXCHANGE && !h->body[POD].ended) {
		/* Cut short: the client must not take it for the whole (RFC 9112 §8). */
		core_close_for(c, WHY_RESET);
	}
}
