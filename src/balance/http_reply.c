// SPDX-License-Identifier: Apache-2.0
/* http_reply: answers of our own. */
#include "http.h"

#include <stdio.h>

static const char *reason(unsigned status)
{
	switch (status) {
	case 301:
		return "Moved Permanently";
	case 302:
		return "Found";
	case 303:
		return "See Other";
	case 307:
		return "Temporary Redirect";
	case 308:
		return "Permanent Redirect";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 408:
		return "Request Timeout";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	default:
		return "Internal Server Error";
	}
}

bool http_write_reply(struct core *c, unsigned status, const char *location, bool close)
{
	struct http *h = c->http;
	char body[64];
	struct out o = {.buf = buf_get(&c->env->bufs)};
	if (o.buf == NULL)
		return false;
	int n = snprintf(body, sizeof body, "%u %s\n", status, reason(status));
	out_text(&o, "HTTP/1.1 ");
	out_bytes(&o, body, (size_t)n - 1);
	out_text(&o, "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
	out_number(&o, (uint64_t)n);
	if (location != NULL) {
		out_text(&o, "\r\nLocation: ");
		out_text(&o, location);
	}
	if (status == 503)
		out_text(&o, "\r\nRetry-After: 5");
	if (h->hsts != NULL && c->tls) {
		out_text(&o, "\r\nStrict-Transport-Security: ");
		out_text(&o, h->hsts);
	}
	if (close)
		out_text(&o, "\r\nConnection: close");
	else if (!h->minor)
		out_text(&o, "\r\nConnection: keep-alive");
	out_text(&o, "\r\n\r\n");
	if (h->method != HTTP_HEAD)
		out_bytes(&o, body, (size_t)n);
	if (o.full) {
		buf_put(&c->env->bufs, o.buf);
		return false;
	}
	h->out[CLIENT] = o.buf;
	return true;
}
