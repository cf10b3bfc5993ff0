// SPDX-License-Identifier: Apache-2.0
/* check: one active check of one channel. */
#include "check.h"

#include "health.h"
#include "proxy_write.h"
#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { AT_STATUS, AT_CONNECT, AT_INTERIM, AT_REST };

enum {
	ANSWER_MAX = 64 * 1024, /* an endpoint that says more than this has been heard */
	REQUEST_MAX = CHECK_PATH_MAX + HOST_PORT_MAX + 128,
};

void check_stop(struct checking *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* The check ends badly, unless its verdict is out already or the fault is this machine's. */
static enum check_result bad(struct checking *c, unsigned *why, unsigned what)
{
	const bool decided = c->state == AT_REST;
	check_stop(c);
	if (decided || (what < CHECK_GARBLED && !health_is_fault((int)what)))
		return CHECK_GOING;
	c->state = AT_REST;
	*why = what;
	return CHECK_BAD;
}

static enum check_result send_request(struct checking *c, const struct check_plan *plan, unsigned *why)
{
	unsigned char text[PROXY_WRITE_MAX + REQUEST_MAX];
	char address[ADDR_TEXT];
	const enum send_proxy header = plan->pool->send_proxy;
	const struct addr nobody = {0};
	const struct check *h = &plan->pool->check;
	size_t sent;
	addr_format(&plan->addr, address);
	/* An endpoint that wants to be told of its clients hears that this is none. */
	size_t n = header == SEND_PROXY_NONE ? 0 : proxy_write(header, &nobody, &nobody, NULL, 0, text);
	n += (size_t)snprintf((char *)text + n, REQUEST_MAX,
	                      "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: balance-check\r\nAccept: */*\r\nConnection: close\r\n\r\n",
	                      h->path, h->host == NULL ? address : h->host);
	/* A new socket has room for far more than this, so a short write is a failure too. */
	const enum io io = socket_send(c->fd, (struct iovec){text, n}, &sent);
	if (io != IO_OK || sent < n)
		return bad(c, why, (unsigned)(io == IO_ERROR ? errno : EPIPE));
	c->state = AT_STATUS;
	return CHECK_GOING;
}

static enum check_result connected(struct checking *c, const struct check_plan *plan, unsigned *why)
{
	if (plan->pool->check.kind == CHECK_HTTP)
		return send_request(c, plan, why);
	check_stop(c);
	return CHECK_GOOD;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum check_result take_line(struct checking *c, unsigned *why)
{
	const char *s = c->line;
	c->seen = 0;
	c->state = AT_REST;
	*why = CHECK_GARBLED;
	if (memcmp(s, "HTTP/1.", 7) != 0 || !is_digit(s[7]) || s[8] != ' ' || !is_digit(s[9]) || !is_digit(s[10]) || !is_digit(s[11]))
		return CHECK_BAD;
	*why = CHECK_STATUS + (unsigned)((s[9] - '0') * 100 + (s[10] - '0') * 10 + s[11] - '0');
	if (s[9] != '1')
		return s[9] == '2' || s[9] == '3' ? CHECK_GOOD : CHECK_BAD;
	c->state = AT_INTERIM; /* the answer is still to come (RFC 9110 §15.2) */
	return CHECK_GOING;
}

static void pass_interim(struct checking *c, char byte)
{
	static const char end[] = "\r\n\r\n";
	c->blank = byte == end[c->blank] ? c->blank + 1 : byte == '\r';
	if (c->blank < sizeof end - 1)
		return;
	c->blank = 0;
	c->state = AT_STATUS;
}

enum check_result check_answer(struct checking *c, const char *bytes, size_t n, unsigned *why)
{
	enum check_result result = CHECK_GOING;
	for (size_t i = 0; i < n && c->state != AT_REST; i++) {
		if (c->state == AT_INTERIM) {
			pass_interim(c, bytes[i]);
			continue;
		}
		c->line[c->seen++] = bytes[i];
		if (c->seen == sizeof c->line)
			result = take_line(c, why);
	}
	return result;
}

static enum check_result read_answer(struct checking *c, unsigned *why)
{
	char text[4096];
	size_t n;
	enum check_result result = CHECK_GOING;
	while (c->read <= ANSWER_MAX) {
		const enum io io = socket_recv(c->fd, (struct iovec){text, sizeof text}, &n);
		if (io == IO_AGAIN)
			return result;
		if (io != IO_OK) {
			const enum check_result end = bad(c, why, io == IO_EOF ? CHECK_GARBLED : (unsigned)errno);
			return end == CHECK_GOING ? result : end;
		}
		c->read += (uint32_t)n;
		const enum check_result verdict = check_answer(c, text, n, why);
		if (verdict != CHECK_GOING)
			result = verdict;
	}
	const enum check_result end = bad(c, why, CHECK_GARBLED);
	return end == CHECK_GOING ? result : end;
}

enum check_result check_begin(struct checking *c, const struct check_plan *plan, int epoll, void *ptr, unsigned *why)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = ptr};
	bool done;
	*c = (struct checking){.fd = socket_connect(&plan->addr, &plan->pool->from, &done), .state = AT_CONNECT};
	if (c->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) < 0)
		return bad(c, why, (unsigned)errno);
	return done ? connected(c, plan, why) : CHECK_GOING;
}

enum check_result check_event(struct checking *c, const struct check_plan *plan, unsigned *why)
{
	if (c->state != AT_CONNECT)
		return read_answer(c, why);
	const int error = socket_error(c->fd);
	if (error != 0)
		return bad(c, why, (unsigned)error);
	enum check_result result = connected(c, plan, why);
	return result == CHECK_GOING && c->fd >= 0 ? read_answer(c, why) : result;
}

enum check_result check_expired(struct checking *c, unsigned *why)
{
	return bad(c, why, ETIMEDOUT);
}
