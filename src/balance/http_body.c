// SPDX-License-Identifier: Apache-2.0
/* http_body: which of the bytes read belong to a body. */
#include "http.h"

#include <string.h>

/* A body's start this long travels in the head's buffer: one write instead of two. */
enum { COALESCE_MAX = 16 * 1024 };

/* Lets as many of the bytes behind pass[from] go as belong to the body. False when its framing is broken or it is too long. */
bool http_advance(struct core *c, enum side from)
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
void http_coalesce(struct core *c, enum side from)
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

/* What was read of a request's body and will not be sent any more is passed over: the next request begins behind it. */
void http_skip_body(struct core *c)
{
	struct buf *b = c->stream[CLIENT];
	if (b == NULL)
		return;
	b->r += c->http->pass[CLIENT];
	c->http->pass[CLIENT] = 0;
	if (b->r == b->w)
		core_drop_stream(c, CLIENT);
}
