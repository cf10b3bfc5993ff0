// SPDX-License-Identifier: Apache-2.0
/* conn: a core with sockets: the I/O half of one connection. */
#include "conn.h"

#include "log.h"
#include "shm.h"
#include "socket.h"
#include "splice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Buffers a connection may move in one turn before the others have theirs. */
enum { TURN = 16 };

static struct shm_cell *cell(struct worker *w, uint32_t slot)
{
	return shm_cell(slot, w->id);
}

static void give_back(struct worker *w, struct conn *c)
{
	if (c->slot != NO_SLOT)
		pool_release(c->slot, w->id);
	c->slot = NO_SLOT;
}

static void drop_sock(struct sock *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->readable = s->blocked = s->hup = s->watch_out = s->bulk = false;
}

static void count_why(struct worker *w, const struct conn *c)
{
	static const unsigned number[] = {
	    [WHY_PROXY] = V_PROXY_ERRORS, [WHY_NO_ROUTE] = V_NO_ROUTE, [WHY_NO_CHANNEL] = V_NO_CHANNEL};
	switch (c->core.why) {
	case WHY_PROXY:
	case WHY_NO_ROUTE:
	case WHY_NO_CHANNEL:
		shm_add(cell(w, c->core.listener), number[c->core.why], 1);
	}
}

void conn_close(struct worker *w, struct conn *c)
{
	if (c->closed)
		return;
	c->closed = true;
	count_why(w, c);
	shm_add(cell(w, c->core.listener), V_ACTIVE, (uint64_t)-1);
	drop_sock(&c->sock[CLIENT]);
	drop_sock(&c->sock[POD]);
	splice_give_back(w, c->pipe[CLIENT]);
	splice_give_back(w, c->pipe[POD]);
	give_back(w, c);
	timer_clear(&c->timer);
	core_end(&c->core);
	w->conns--;
	/* Events of this turn may still name it. A queued one is buried by the queue. */
	if (!c->queued) {
		c->next = w->dead;
		w->dead = c;
	}
}

void conn_bury(struct worker *w)
{
	while (w->dead != NULL) {
		struct conn *c = w->dead;
		w->dead = c->next;
		free(c);
	}
}

static bool watch(struct worker *w, struct sock *s, int op, bool out)
{
	struct epoll_event e = {
	    .events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET | (out ? EPOLLOUT : 0u),
	    .data.ptr = s,
	};
	s->watch_out = out;
	return epoll_ctl(w->epoll, op, s->fd, &e) == 0;
}

/* Write interest is asked for only once a write has found the socket full. A TCP socket keeps it, edge-triggered it costs
 * nothing; a Unix socket reports every message its peer takes, so there it is withdrawn when the jam is over. */
void conn_set_blocked(struct worker *w, struct sock *s, bool blocked)
{
	s->blocked = blocked;
	if (blocked ? !s->watch_out : s->watch_out && s->is_unix)
		watch(w, s, EPOLL_CTL_MOD, blocked);
}

static void update_timer(struct worker *w, struct conn *c)
{
	uint64_t when = core_deadline(&c->core);
	if (c->connect_until != 0 && c->connect_until < when)
		when = c->connect_until;
	timer_set(&w->wheel, &c->timer, when);
}

static bool begin_connect(struct worker *w, struct conn *c, const struct channel *ch)
{
	struct sock *s = &c->sock[POD];
	bool done;
	s->fd = socket_connect(&ch->addr, &done);
	if (s->fd < 0)
		return false;
	c->slot = ch->slot;
	/* Until it is connected, write interest is what tells. */
	if (!watch(w, s, EPOLL_CTL_ADD, !done))
		return false;
	s->blocked = !done;
	c->connect_until = w->env.now + c->core.pool->connect_ms;
	return true;
}

static void connected(struct worker *w, struct conn *c)
{
	shm_add(cell(w, c->slot), V_TOTAL, 1);
	c->connect_until = 0;
	c->sock[POD].blocked = false;
	core_connected(&c->core);
	update_timer(w, c);
}

static void abandon_attempt(struct worker *w, struct conn *c)
{
	if (c->slot != NO_SLOT)
		shm_add(cell(w, c->slot), V_FAILED, 1);
	drop_sock(&c->sock[POD]);
	give_back(w, c);
	c->connect_until = 0;
}

/* Tries channels until one is on its way. */
static void connect_next(struct worker *w, struct conn *c)
{
	for (;;) {
		if (c->generation != w->generation) {
			/* The pool of the attempt is gone with its configuration; today's may have other channels. */
			c->generation = w->generation;
			c->attempt = (struct attempt){0};
			core_reroute(&c->core);
			return;
		}
		const struct channel *ch = pool_take(c->core.pool, &c->attempt, &c->core.client, w->id);
		if (ch == NULL) {
			core_unreachable(&c->core);
			return;
		}
		c->slot = ch->slot;
		if (begin_connect(w, c, ch)) {
			if (c->sock[POD].blocked)
				update_timer(w, c);
			else
				connected(w, c);
			return;
		}
		abandon_attempt(w, c);
	}
}

static void count_bytes(struct worker *w, const struct conn *c, enum side from, size_t n)
{
	shm_add(cell(w, c->slot), from == CLIENT ? V_IN : V_OUT, n);
}

/* One write towards a side. Returns whether anything moved. */
static bool write_to(struct worker *w, struct conn *c, enum side to)
{
	struct sock *s = &c->sock[to];
	struct iovec v = core_pending(&c->core, to);
	size_t n;
	if (v.iov_len == 0 || s->blocked || s->fd < 0)
		return false;
	switch (socket_send(s->fd, v, &n)) {
	case IO_OK:
		count_bytes(w, c, other(to), n);
		core_output(&c->core, to, n);
		if (n < v.iov_len)
			conn_set_blocked(w, s, true);
		return true;
	case IO_AGAIN:
		conn_set_blocked(w, s, true);
		return false;
	default:
		s->readable = s->hup = true; /* what it had sent is still to be read, then its end shows */
		core_broken(&c->core, to);
		return true;
	}
}

/* One read from a side. */
static bool read_from(struct conn *c, enum side from)
{
	struct sock *s = &c->sock[from];
	size_t n;
	if (!s->readable || s->fd < 0)
		return false;
	struct iovec v = core_space(&c->core, from);
	if (v.iov_len == 0)
		return false;
	enum io io = socket_recv(s->fd, v, &n);
	core_input(&c->core, from, n);
	switch (io) {
	case IO_OK:
		/* Less than there was room for: the socket is empty, and edge-triggered epoll tells when that changes (epoll(7)). */
		if (n < v.iov_len && !s->hup)
			s->readable = false;
		s->bulk = n == BUF_SIZE;
		return true;
	case IO_AGAIN:
		s->readable = false;
		return false;
	case IO_EOF:
		s->readable = false;
		core_eof(&c->core, from);
		return true;
	default:
		s->readable = false;
		core_broken(&c->core, from);
		core_eof(&c->core, from);
		return true;
	}
}

static bool flow(struct worker *w, struct conn *c, enum side from)
{
	const enum side to = other(from);
	bool moved = write_to(w, c, to);
	if (c->pipe[from] != NULL || (c->sock[from].bulk && core_passes(&c->core, from)))
		return splice_flow(w, c, from) || moved;
	if (read_from(c, from)) {
		moved = true;
		write_to(w, c, to);
	}
	return moved;
}

/* Does what the core asks for. Returns false when the connection is closed. */
static bool obey(struct worker *w, struct conn *c)
{
	unsigned wants;
	while ((wants = core_wants(&c->core)) != 0) {
		if (wants & CORE_CLOSE) {
			conn_close(w, c);
			return false;
		}
		if (wants & CORE_CONNECT)
			connect_next(w, c);
		if ((wants & CORE_SHUT_POD) && c->sock[POD].fd >= 0)
			shutdown(c->sock[POD].fd, SHUT_WR);
		if (wants & CORE_SHUT_CLIENT)
			shutdown(c->sock[CLIENT].fd, SHUT_WR);
	}
	return true;
}

static void run(struct worker *w, struct conn *c)
{
	for (int turn = 0; turn < TURN; turn++) {
		bool moved = flow(w, c, CLIENT);
		moved |= flow(w, c, POD);
		if (!obey(w, c))
			return;
		if (!moved)
			return;
	}
	if (!c->queued) {
		c->queued = true;
		c->next = w->again;
		w->again = c;
	}
}

void conn_again(struct worker *w, struct conn *c)
{
	c->queued = false;
	if (!c->closed) {
		run(w, c);
		return;
	}
	c->next = w->dead;
	w->dead = c;
}

void conn_open(struct worker *w, const struct port *port, int fd, const struct addr *peer)
{
	struct conn *c = calloc(1, sizeof *c);
	if (c == NULL) {
		close(fd);
		return;
	}
	c->worker = w;
	c->slot = NO_SLOT;
	c->generation = w->generation;
	c->sock[CLIENT] = (struct sock){.fd = fd, .side = CLIENT, .is_unix = port->listener->path != NULL};
	c->sock[POD] = (struct sock){.fd = -1, .side = POD};
	shm_add(cell(w, port->slot), V_TOTAL, 1);
	shm_add(cell(w, port->slot), V_ACTIVE, 1);
	w->conns++;
	core_start(&c->core, &w->env, port->listener, peer);
	if (!watch(w, &c->sock[CLIENT], EPOLL_CTL_ADD, false)) {
		log_error("epoll_ctl: %s", strerror(errno));
		conn_close(w, c);
		return;
	}
	if (obey(w, c))
		update_timer(w, c);
}

static void pod_event(struct worker *w, struct conn *c, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP) && socket_error(c->sock[POD].fd) != 0) {
		abandon_attempt(w, c);
		connect_next(w, c);
	} else if (events & EPOLLOUT) {
		connected(w, c);
	}
}

/* A Unix client that closes shows EPOLLHUP at once, with bytes of its own perhaps still unread: those are for the pod. */
static bool left_nothing(const struct conn *c)
{
	char byte;
	return c->core.stream[CLIENT] == NULL && recv(c->sock[CLIENT].fd, &byte, 1, MSG_PEEK) <= 0;
}

void conn_event(struct worker *w, struct sock *s, uint32_t events)
{
	struct conn *c = conn_of(s);
	if (c->closed || s->fd < 0)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->readable = true;
	/* A read stops at urgent data too, with more behind it (tcp(7)): from then on a short read means nothing. */
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
		s->hup = true;
	if (c->connect_until != 0) {
		if (s->side == POD)
			pod_event(w, c, events);
		else if (events & EPOLLERR || (events & EPOLLHUP && left_nothing(c)))
			core_broken(&c->core, CLIENT); /* gone for good, not merely done sending */
	} else {
		if (events & EPOLLOUT && s->blocked)
			conn_set_blocked(w, s, false);
		/* Of a pod that had ended nothing is read any more, so nothing else would tell that it has gone altogether. */
		if (s->side == POD && c->core.ended[POD] && events & (EPOLLHUP | EPOLLERR))
			core_broken(&c->core, POD);
	}
	run(w, c);
}

void conn_timer(struct worker *w, struct timer *t)
{
	struct conn *c = (struct conn *)(void *)((unsigned char *)t - offsetof(struct conn, timer));
	if (c->connect_until != 0 && c->connect_until <= w->env.now) {
		abandon_attempt(w, c);
		connect_next(w, c);
	} else if (core_deadline(&c->core) <= w->env.now) {
		core_expired(&c->core);
	}
	run(w, c);
	if (!c->closed)
		update_timer(w, c);
}
