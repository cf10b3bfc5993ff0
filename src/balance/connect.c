// SPDX-License-Identifier: Apache-2.0
/* connect: how a connection gets its pod: channels in turn, resting connections first. */
#include "connect.h"

#include "idle.h"
#include "judge.h"
#include "limit.h"
#include "log.h"
#include "preface.h"
#include "queue.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

/* In worker->connecting exactly while core.pool is set: a reload must find whoever holds on to a pool. */
static void note_connecting(struct worker *w, struct conn *c)
{
	if (c->connecting_link != NULL)
		return;
	c->connecting = w->connecting;
	c->connecting_link = &w->connecting;
	if (c->connecting != NULL)
		c->connecting->connecting_link = &c->connecting;
	w->connecting = c;
}

void connect_forget(struct conn *c)
{
	if (c->connecting_link == NULL)
		return;
	*c->connecting_link = c->connecting;
	if (c->connecting != NULL)
		c->connecting->connecting_link = c->connecting_link;
	c->connecting_link = NULL;
}

static void connected(struct worker *w, struct conn *c)
{
	const bool reused = c->pod->used;
	shm_add(conn_cell(w, c->slot), V_TOTAL, !reused);
	shm_add(conn_cell(w, c->slot), V_REQUESTS, c->core.http != NULL);
	c->connect_until = 0;
	c->pod->blocked = false;
	if (!reused)
		judge_connected(w, c);
	connect_forget(c);
	queue_forget(w, c);
	core_connected(&c->core, reused);
}

/* On a connection just made. False with errno when the header could not be sent. */
static bool greeted(struct worker *w, struct conn *c)
{
	if (c->pod->send_proxy != SEND_PROXY_NONE && !preface_send(w, c))
		return false;
	connected(w, c);
	return true;
}

/* A new socket on its way to a channel; false with errno. */
static bool begin_connect(struct worker *w, struct conn *c, const struct channel *ch)
{
	bool done;
	struct sock *s = calloc(1, sizeof *s);
	if (s == NULL)
		return false;
	s->side = POD;
	s->slot = ch->slot;
	s->send_proxy = (uint8_t)c->core.pool->send_proxy;
	s->conn = c;
	s->fd = socket_connect(&ch->addr, &c->core.pool->from, &done);
	if (s->fd < 0) {
		free(s);
		return false;
	}
	c->pod = s;
	/* Until it is connected, write interest is what tells. */
	if (!conn_watch(w, s, EPOLL_CTL_ADD, !done))
		return false;
	s->blocked = !done;
	if (done)
		return greeted(w, c);
	c->connect_until = w->env.now + c->core.pool->connect_ms;
	return true;
}

static bool reuse(struct worker *w, struct conn *c, uint32_t slot)
{
	/* Whether a channel is back, only a new connection tells. */
	if (c->core.http == NULL || c->core.fresh || c->attempt.claim != 0 || c->core.pool->send_proxy != SEND_PROXY_NONE)
		return false;
	struct sock *s = idle_take(w, slot);
	if (s == NULL)
		return false;
	s->conn = c;
	c->pod = s;
	connected(w, c);
	return true;
}

/* The connection that this client's last request was answered on, if it serves for this one; else it is closed: no more than two descriptors per
 * client. */
static bool reuse_kept(struct worker *w, struct conn *c)
{
	const struct pool *pool = c->core.pool;
	if (c->kept == NULL || pool == NULL)
		return false;
	const uint32_t slot = c->kept->slot;
	if (c->core.fresh || pool->send_proxy != c->kept->send_proxy || !idle_is_silent(c->kept) ||
	    !pool_take_channel(pool, slot, w->id, w->env.now)) {
		sock_drop(w, c->kept);
		return false;
	}
	c->slot = slot;
	c->pod = idle_unkeep(w, &c->kept);
	c->pod->conn = c;
	c->had_channel = true;
	queue_leave(w, c);
	connected(w, c);
	return true;
}

/* For `-d`: where an attempt goes and what became of it. */
__attribute__((noinline)) static void tell(const struct worker *w, const struct conn *c, const struct channel *ch, const char *what)
{
	char client[ADDR_TEXT], channel[ADDR_TEXT] = "";
	addr_format(&c->core.client, client);
	if (ch != NULL)
		addr_format(&ch->addr, channel);
	log_debug("worker %u: %s: %s %s", w->id, client, what, channel);
}

static inline void trace(const struct worker *w, const struct conn *c, const struct channel *ch, const char *what)
{
	if (log_most >= LOG_DEBUG)
		tell(w, c, ch, what);
}

static void abandon_attempt(struct worker *w, struct conn *c, enum core_failure why, int error)
{
	shm_add(conn_cell(w, c->slot), V_FAILED, 1);
	if (c->core.pool != NULL)
		judge_failed(w, c, error);
	conn_drop_pod(w, c);
	c->connect_until = 0;
	c->failure = why;
}

static void give_up(struct worker *w, struct conn *c, enum core_failure why)
{
	trace(w, c, NULL, "no channel can be reached");
	shm_add(conn_cell(w, c->core.listener), V_NO_CHANNEL, 1);
	connect_forget(c);
	queue_forget(w, c);
	limit_leave(w, c);
	core_unreachable(&c->core, why);
}

static void refuse(struct worker *w, struct conn *c)
{
	shm_add(conn_cell(w, c->limit_slot), L_LIMITED, 1);
	give_up(w, c, FAILED_NONE);
}

/* There is no place: waits for one, or for its turn, or is refused. */
static void wait_for_place(struct worker *w, struct conn *c)
{
	limit_give_place(w, c);
	if (queue_holds(c))
		return;
	if (!queue_join(w, c))
		refuse(w, c);
	else if (c->client.hup)
		connect_check_client(c);
}

enum { RETRY_MS = 50 };

/* What refuses now may be about to listen. */
static bool may_retry(const struct worker *w, const struct conn *c)
{
	return c->core.pool != NULL && c->failure == FAILED_CONNECT && w->env.now < c->connect_since + c->core.pool->retry_ms;
}

/* Tries channels until one is on its way. */
static void connect_next(struct worker *w, struct conn *c)
{
	const struct channel *ch;
	if (reuse_kept(w, c))
		return;
	while (c->core.pool != NULL &&
	       (ch = pool_take(c->core.pool, &c->attempt, &c->core.client, w->id, w->env.now)) != NULL) {
		c->slot = ch->slot;
		c->had_channel = true;
		queue_leave(w, c);
		trace(w, c, ch, "connecting to");
		if (reuse(w, c, ch->slot) || begin_connect(w, c, ch))
			return;
		abandon_attempt(w, c, FAILED_CONNECT, errno);
	}
	if (c->attempt.full && c->limit_slot != NO_SLOT)
		wait_for_place(w, c);
	else if (may_retry(w, c))
		c->connect_until = w->env.now + RETRY_MS;
	else
		give_up(w, c, c->failure);
}

static bool is_admitted(struct worker *w, struct conn *c, const struct pool *pool)
{
	if (!limit_take_client(w, c, pool)) {
		refuse(w, c);
		return false;
	}
	/* Whoever comes now stands behind those who wait, in whichever worker; but strictly hashed clients wait for different channels, and a second
	 * attempt has had its turn. */
	const bool behind = queue_is_awaited(pool) && !pool->strict_hash && !c->core.fresh;
	if (!behind && limit_take_place(w, c, pool))
		return true;
	wait_for_place(w, c);
	return false;
}

void connect_start(struct worker *w, struct conn *c)
{
	const struct pool *pool = c->core.pool;
	/* A search goes on in the configuration it began in, or begins anew. */
	if (!c->core.further || c->searched != w->generation)
		c->attempt = (struct attempt){0};
	c->searched = w->generation;
	c->failure = c->core.further ? FAILED_CONNECT : FAILED_NONE;
	c->connect_since = w->env.now;
	note_connecting(w, c);
	if (c->limit_slot != pool->limit_slot)
		limit_enter(w, c, pool);
	if (c->limit_slot == NO_SLOT || is_admitted(w, c, pool))
		connect_next(w, c);
}

bool connect_retry(struct worker *w, struct conn *c)
{
	c->attempt = (struct attempt){0};
	if (!limit_take_place(w, c, c->core.pool))
		return false;
	connect_next(w, c);
	if (queue_holds(c))
		return false;
	conn_run(w, c);
	return true;
}

void connect_requeue(struct worker *w, struct conn *c)
{
	queue_forget(w, c);
	if (c->core.pool == NULL)
		give_up(w, c, FAILED_NONE);
	else
		connect_start(w, c);
	conn_run(w, c);
}

void connect_check_client(struct conn *c)
{
	char byte;
	if (c->client.inner)
		return; /* its end is told as such */
	if ((c->core.http != NULL || c->core.stream[CLIENT] == NULL) && recv(c->client.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		core_broken(&c->core, CLIENT);
}

void connect_repool(struct worker *w, const struct conf *coming)
{
	for (struct conn *c = w->connecting; c != NULL; c = c->connecting) {
		const char *name = c->core.pool == NULL ? "" : c->core.pool->name;
		core_repool(&c->core, map_get(&coming->pool_by_name, name, strlen(name)));
		c->attempt = (struct attempt){.claim = c->attempt.claim}; /* the one under way goes on */
	}
}

void connect_event(struct worker *w, struct conn *c, uint32_t events)
{
	const int error = events & (EPOLLERR | EPOLLHUP) ? socket_error(c->pod->fd) : 0;
	if (error != 0) {
		abandon_attempt(w, c, FAILED_CONNECT, error);
		connect_next(w, c);
	} else if (events & EPOLLOUT && !greeted(w, c)) {
		abandon_attempt(w, c, FAILED_CONNECT, errno);
		connect_next(w, c);
	}
}

void connect_expired(struct worker *w, struct conn *c)
{
	if (queue_holds(c)) {
		shm_add(conn_cell(w, c->limit_slot), L_TIMEOUTS, 1);
		give_up(w, c, FAILED_NONE);
		return;
	}
	if (c->pod != NULL) {
		abandon_attempt(w, c, FAILED_TIMEOUT, ETIMEDOUT);
	} else {
		c->connect_until = 0;
		c->attempt = (struct attempt){0};
	}
	connect_next(w, c);
}
