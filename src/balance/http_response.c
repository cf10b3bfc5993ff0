// SPDX-License-Identifier: Apache-2.0
/* http_response: from a pod's head to the one the client gets. */
#include "http.h"

#include <string.h>

static void mark_skipped(const struct core *c, const struct head *h, bool *skip)
{
	const bool ours = c->http->hsts != NULL && c->tls;
	for (uint32_t i = 0; i < h->n; i++) {
		switch (h->fields[i].id) {
		case FIELD_CONNECTION:
		case FIELD_UPGRADE:
		case FIELD_HOP:
			skip[i] = true;
			break;
		case FIELD_HSTS:
			skip[i] = ours;
			break;
		case FIELD_CONTENT_LENGTH:
		case FIELD_TRANSFER_ENCODING:
			skip[i] = h->status < 200 || h->status == 204; /* must not be there (RFC 9110 §8.6, RFC 9112 §6.1) */
			break;
		default:
			skip[i] = h->fields[i].listed;
		}
	}
}

static void write_connection(const struct http *h, struct out *o, const struct head *head)
{
	if (head->status == 101) {
		out_text(o, "Connection: upgrade\r\n");
		for (uint32_t i = 0; i < head->n; i++) {
			if (head->fields[i].id != FIELD_UPGRADE)
				continue;
			out_text(o, "Upgrade: ");
			out_bytes(o, head->fields[i].value.at, head->fields[i].value.len);
			out_text(o, "\r\n");
		}
	} else if (head->status >= 200 && !h->keep_client) {
		out_text(o, "Connection: close\r\n");
	} else if (head->status >= 200 && !h->minor) {
		out_text(o, "Connection: keep-alive\r\n");
	}
}

bool http_take_response(struct core *c)
{
	struct http *h = c->http;
	const struct head *head = c->env->head;
	const struct buf *in = c->stream[POD];
	bool skip[HTTP_FIELDS_MAX];
	/* An interim response may still be waiting to go out. */
	struct out o = {.buf = h->out[CLIENT] != NULL ? h->out[CLIENT] : buf_get(&c->env->bufs)};
	if (o.buf == NULL)
		return false;
	h->out[CLIENT] = o.buf;
	mark_skipped(c, head, skip);
	/* The status line: ours is the version, the rest the pod's. */
	const char *line = (const char *)in->data + in->r - head->size;
	const char *rest = line + strlen("HTTP/1.x");
	out_text(&o, "HTTP/1.1");
	out_bytes(&o, rest, (size_t)((const char *)memchr(rest, '\n', head->size) + 1 - rest));
	out_fields(&o, head, skip, (const char *)in->data + in->r - 2);
	if (h->hsts != NULL && c->tls && head->status >= 200) {
		out_text(&o, "Strict-Transport-Security: ");
		out_text(&o, h->hsts);
		out_text(&o, "\r\n");
	}
	write_connection(h, &o, head);
	out_text(&o, "\r\n");
	return !o.full;
}
