// SPDX-License-Identifier: Apache-2.0
/* conn: a core with sockets: the I/O half of one connection. */
#include "conn.h"

#include "dump.h"
#include "connect.h"
#include "idle.h"
#include "judge.h"
#include "limit.h"
#include "log.h"
#include "preface.h"
#include "queue.h"
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

static void give_back(struct worker *w, struct conn *c)
{
	if (c->slot != NO_SLOT)
		pool_release(c->slot, w->id);
	c->slot = NO_SLOT;
}

/* Parts with the pod's socket, which the caller closes or keeps. */
static struct sock *part_with_pod(struct worker *w, struct conn *c)
{
	struct sock *pod = c->pod;
	c->pod = NULL;
	for (int s = CLIENT; s <= POD; s++) {
		splice_give_back(w, c->pipe[s]);
		c->pipe[s] = NULL;
		c->core.held[s] = false;
	}
	judge_parted(w, c);
	give_back(w, c);
	return pod;
}

void conn_drop_pod(struct worker *w, struct conn *c)
{
	struct sock *pod = part_with_pod(w, c);
	if (pod != NULL)
		sock_drop(w, pod);
}

static void count_why(struct worker *w, const struct conn *c)
{
	switch (c->core.why) {
	case WHY_PROXY:
		shm_add(conn_cell(w, c->core.listener), V_PROXY_ERRORS, 1);
		break;
	case WHY_NO_ROUTE:
		shm_add(conn_cell(w, c->core.listener), V_NO_ROUTE, 1);
		break;
	}
}

void conn_close(struct worker *w, struct conn *c)
{
	if (c->closed)
		return;
	c->closed = true;
	count_why(w, c);
	/* First, while the channel it may have to name is still known. */
	core_end(&c->core);
	shm_add(conn_cell(w, c->core.listener), V_ACTIVE, (uint64_t)-1);
	if (!c->client.inner)
		close(c->client.fd);
	else if (c->client.fd >= 0)
		w->host->ended(c->client.fd, true);
	c->client.fd = -1;
	conn_drop_pod(w, c);
	if (c->kept != NULL)
		sock_drop(w, c->kept);
	connect_forget(c);
	queue_forget(w, c);
	limit_leave(w, c);
	*c->sibling_link = c->sibling;
	if (c->sibling != NULL)
		c->sibling->sibling_link = c->sibling_link;
	timer_clear(&c->timer);
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
	while (w->dead_socks != NULL) {
		struct sock *s = w->dead_socks;
		w->dead_socks = s->next;
		free(s);
	}
}

bool conn_watch(struct worker *w, struct sock *s, int op, bool out)
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
		conn_watch(w, s, EPOLL_CTL_MOD, blocked);
}

static void update_timer(struct worker *w, struct conn *c)
{
	uint64_t when = core_deadline(&c->core);
	if (c->connect_until != 0 && c->connect_until < when)
		when = c->connect_until;
	timer_set(&w->wheel, &c->timer, when);
}

void conn_count_bytes(const struct conn *c, enum side from, size_t n)
{
	if (c->slot != NO_SLOT) /* an answer of our own comes from no channel */
		shm_add(conn_cell(c->worker, c->slot), from == CLIENT ? V_IN : V_OUT, n);
}

/* The host fetches what there is for its client (guest_recv). */
static bool offer(struct worker *w, struct conn *c)
{
	struct sock *s = &c->client;
	if (core_pending(&c->core, CLIENT).iov_len == 0)
		return false;
	if (s->hup) {
		s->readable = s->broken = true;
		core_broken(&c->core, CLIENT);
		return true;
	}
	s->blocked = true;
	w->host->readable(s->fd);
	return false;
}

/* There is room for what the host has for us, or its end can be taken. */
static bool invite(struct worker *w, struct conn *c)
{
	struct sock *s = &c->client;
	s->readable = false;
	core_input(&c->core, CLIENT, 0);
	if (s->hup)
		core_eof(&c->core, CLIENT);
	else
		w->host->writable(s->fd);
	return s->hup;
}

/* One write towards a side. Returns whether anything moved. */
static bool write_to(struct worker *w, struct conn *c, enum side to)
{
	struct sock *s = conn_sock(c, to);
	size_t n;
	if (s == NULL || s->blocked)
		return false;
	if (s->inner)
		return offer(w, c);
	if (s->preface != NULL && !preface_flush(w, s))
		return false;
	struct iovec v = core_pending(&c->core, to);
	if (v.iov_len == 0)
		return false;
	switch (socket_send(s->fd, v, &n)) {
	case IO_OK:
		conn_count_bytes(c, other(to), n);
		if (dump_on)
			dump_bytes((unsigned)(w->id << 24 | (unsigned)c->client.fd), to == POD, v.iov_base, n);
		core_output(&c->core, to, n);
		if (n < v.iov_len)
			conn_set_blocked(w, s, true);
		return true;
	case IO_AGAIN:
		conn_set_blocked(w, s, true);
		return false;
	default:
		s->readable = s->hup = s->broken = true; /* what it had sent is still to be read, then its end shows */
		core_broken(&c->core, to);
		return true;
	}
}

/* One read from a side. */
static bool read_from(struct conn *c, enum side from)
{
	struct sock *s = conn_sock(c, from);
	size_t n;
	if (s == NULL || !s->readable)
		return false;
	/* What has been offered to the host is not out yet: the pod's end must not overtake it. */
	if (from == POD && c->client.inner && c->client.blocked)
		return false;
	struct iovec v = core_space(&c->core, from);
	if (v.iov_len == 0)
		return false;
	if (s->inner)
		return invite(c->worker, c);
	enum io io = socket_recv(s->fd, v, &n);
	/* Less than there was room for: the socket is empty, and edge-triggered epoll tells when that changes (epoll(7)). Noted before the
	 * core sees the bytes, since it may part with the socket then. */
	if (io == IO_OK && n < v.iov_len && !s->hup)
		s->readable = false;
	s->bulk = n == BUF_SIZE;
	if (from == POD && c->judged)
		judge_read(c->worker, c, io);
	core_input(&c->core, from, n);
	switch (io) {
	case IO_OK:
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
	const struct sock *s = conn_sock(c, from);
	const enum side to = other(from);
	bool moved = write_to(w, c, to);
	/* What is to be printed has to come through this process. */
	if (c->pipe[from] != NULL || (s != NULL && s->bulk && !dump_on && c->pod != NULL && !c->client.inner && core_pass_limit(&c->core, from) > 0))
		return splice_flow(w, c, from) || moved;
	if (read_from(c, from)) {
		moved = true;
		write_to(w, c, to);
	}
	return moved;
}

static void release_pod(struct worker *w, struct conn *c)
{
	struct sock *pod = part_with_pod(w, c);
	if (pod != NULL && pod->send_proxy != SEND_PROXY_NONE)
		idle_keep(w, &c->kept, pod);
	else if (pod != NULL)
		idle_put(w, pod);
}

static void shut_client(const struct worker *w, const struct conn *c)
{
	if (!c->client.inner)
		shutdown(c->client.fd, SHUT_WR);
	else if (c->client.fd >= 0)
		w->host->ended(c->client.fd, false);
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
		if (wants & CORE_RELEASE)
			release_pod(w, c);
		if (wants & CORE_DROP)
			conn_drop_pod(w, c);
		/* A second attempt at the same request goes on with what the first one held. */
		if (wants & (CORE_RELEASE | CORE_DROP) && !(wants & CORE_CONNECT && c->core.fresh))
			limit_leave(w, c);
		if (wants & CORE_CONNECT)
			connect_start(w, c);
		if ((wants & CORE_SHUT_POD) && c->pod != NULL)
			shutdown(c->pod->fd, SHUT_WR);
		if (wants & CORE_SHUT_CLIENT)
			shut_client(w, c);
	}
	return true;
}

void conn_run(struct worker *w, struct conn *c)
{
	for (int turn = 0; turn < TURN; turn++) {
		bool moved = obey(w, c) && flow(w, c, CLIENT);
		moved |= obey(w, c) && flow(w, c, POD);
		if (!obey(w, c))
			return;
		if (!moved) {
			update_timer(w, c);
			return;
		}
	}
	update_timer(w, c);
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
		conn_run(w, c);
		return;
	}
	c->next = w->dead;
	w->dead = c;
}

/* A connection whose client is still to be filled in. */
static struct conn *make(struct worker *w, uint32_t listener_slot)
{
	struct conn *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->worker = w;
	c->slot = c->limit_slot = NO_SLOT;
	shm_add(conn_cell(w, listener_slot), V_TOTAL, 1);
	shm_add(conn_cell(w, listener_slot), V_ACTIVE, 1);
	w->conns++;
	c->sibling = w->all;
	c->sibling_link = &w->all;
	if (c->sibling != NULL)
		c->sibling->sibling_link = &c->sibling;
	w->all = c;
	return c;
}

void conn_open(struct worker *w, const struct port *port, int fd, const struct addr *peer)
{
	struct conn *c = make(w, port->slot);
	if (c == NULL) {
		close(fd);
		return;
	}
	c->client = (struct sock){.fd = fd, .side = CLIENT, .conn = c, .is_unix = port->listener->path != NULL};
	core_start(&c->core, &w->env, port->listener, peer);
	if (!conn_watch(w, &c->client, EPOLL_CTL_ADD, false)) {
		log_error("epoll_ctl: %s", strerror(errno));
		conn_close(w, c);
		return;
	}
	if (obey(w, c))
		update_timer(w, c);
}

struct conn *conn_open_inner(struct worker *w, const struct listener *l, int fd)
{
	const struct addr unknown = {0};
	struct conn *c = make(w, l->slot);
	if (c == NULL)
		return NULL;
	c->client = (struct sock){.fd = fd, .side = CLIENT, .conn = c, .is_unix = true, .inner = true};
	core_start(&c->core, &w->env, l, &unknown);
	if (!obey(w, c))
		return NULL;
	update_timer(w, c);
	return c;
}

/* A Unix client that closes shows EPOLLHUP at once, with bytes of its own perhaps still unread. */
static bool left_bytes(const struct conn *c)
{
	char byte;
	return c->core.stream[CLIENT] != NULL || recv(c->client.fd, &byte, 1, MSG_PEEK) > 0;
}

void conn_event(struct worker *w, struct sock *s, uint32_t events)
{
	struct conn *c = s->conn;
	if (s->fd < 0)
		return;
	if (c == NULL) {
		sock_drop(w, s); /* an idle pod has nothing to say but that it leaves */
		return;
	}
	if (c->closed)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->readable = true;
	/* A read stops at urgent data too, with more behind it (tcp(7)): from then on a short read means nothing. */
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI))
		s->hup = true;
	if (s->side == CLIENT && events & (EPOLLERR | EPOLLHUP))
		core_client_gone(&c->core, (events & EPOLLERR) == 0 && left_bytes(c));
	else if (s->side == CLIENT && events & EPOLLRDHUP && queue_holds(c))
		connect_check_client(c);
	if (s->side == POD && c->connect_until != 0) {
		connect_event(w, c, events);
	} else {
		if (events & EPOLLOUT && s->blocked)
			conn_set_blocked(w, s, false);
		/* Of a pod that had ended nothing is read any more, so nothing else would tell that it has gone altogether. */
		if (s->side == POD && c->core.ended[POD] && events & (EPOLLHUP | EPOLLERR))
			core_broken(&c->core, POD);
	}
	conn_run(w, c);
}

void conn_timer(struct worker *w, struct timer *t)
{
	struct conn *c = (struct conn *)(void *)((unsigned char *)t - offsetof(struct conn, timer));
	if (c->connect_until != 0 && c->connect_until <= w->env.now) {
		connect_expired(w, c);
	} else if (core_deadline(&c->core) <= w->env.now) {
		core_expired(&c->core);
	}
	conn_run(w, c);
}

void conn_hurry(struct worker *w)
{
	for (struct conn *c = w->all; c != NULL; c = c->sibling)
		update_timer(w, c);
}
