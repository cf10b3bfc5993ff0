// SPDX-License-Identifier: Apache-2.0
/* http_turn: from one request to the next: taking its head, answering ourselves, accounting, ending. */
#include "http.h"

#include <stdlib.h>
#include <string.h>

void http_account(struct core *c)
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

/* The last answer is out: end the connection without losing it. What the client still sends is read away for a while, because closing with
 * unread bytes makes the kernel send a reset, which can overtake the answer (RFC 9112 §9.6). */
void http_end_client(struct core *c)
{
	if (c->ended[CLIENT]) {
		core_close_for(c, WHY_DONE);
		return;
	}
	core_drop_stream(c, CLIENT);
	c->http->pass[CLIENT] = 0;
	c->shut[CLIENT] = true;
	c->wants |= CORE_SHUT_CLIENT;
	http_enter(c, AT_LINGER);
}

void http_next_request(struct core *c)
{
	struct http *h = c->http;
	memset(h->body, 0, sizeof h->body);
	h->seen = 0;
	h->reused = h->replayable = h->answered = h->deaf = h->upgrade = false;
	h->retries = 0;
	h->method = HTTP_GET; /* a HEAD before has no say in how a refused head is answered */
	http_enter(c, c->stream[CLIENT] == NULL ? AT_WAIT : AT_HEAD);
	if (c->stream[CLIENT] != NULL)
		http_take_head(c);
	else if (c->ended[CLIENT])
		core_close_for(c, WHY_DONE);
}

void http_reply(struct core *c, unsigned status, const char *location)
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
	http_skip_body(c);
	http_drop_out(c, POD);
	if (h->out[CLIENT] != NULL && h->out[CLIENT]->r > 0) {
		core_close_for(c, WHY_RESET); /* half an interim response is out: nothing can follow it */
		return;
	}
	http_drop_out(c, CLIENT);
	if (!http_write_reply(c, status, location, close)) {
		core_close_for(c, WHY_MEMORY);
		return;
	}
	http_enter(c, AT_REPLY);
}

void http_refuse(struct core *c, unsigned status)
{
	c->http->keep_client = false;
	http_reply(c, status, NULL);
}

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
	if (status == 0 && !http_advance(c, CLIENT))
		status = h->max_body == UINT64_MAX ? 400 : 413;
	if (status != 0) {
		c->pool = NULL;
		h->request.pool_slot = NO_POOL;
		http_reply(c, status, location);
		return;
	}
	if (!h->replayable)
		http_coalesce(c, CLIENT);
	c->env->ops->request_begun(c, h->request.pool_slot);
	c->fresh = c->further = false;
	c->wants |= CORE_CONNECT;
	http_enter(c, AT_CONNECT);
}

static bool could_begin(char c)
{
	/* Methods are upper case here; an empty line before the request is tolerated (RFC 9112 §2.2). */
	return (c >= 'A' && c <= 'Z') || c == '\r' || c == '\n';
}

void http_take_head(struct core *c)
{
	struct http *h = c->http;
	struct buf *b = c->stream[CLIENT];
	const char *at = (const char *)b->data + b->r;
	const size_t n = b->w - b->r;
	if (!could_begin(at[0])) {
		http_refuse(c, 400);
		return;
	}
	size_t size = head_end(at, n, &h->seen);
	if (size == 0 && n < HTTP_HEAD_MAX)
		return;
	if (size == 0 || size > HTTP_HEAD_MAX) {
		http_refuse(c, memchr(at, '\n', n) == NULL ? 414 : 431);
		return;
	}
	struct head *head = c->env->head;
	unsigned status = head_parse_request(head, &h->parser[CLIENT], at, size);
	head->size = size;
	if (status != 0) {
		http_refuse(c, status);
		return;
	}
	begin_request(c, size);
}
