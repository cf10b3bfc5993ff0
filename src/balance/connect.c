// SPDX-License-Identifier: Apache-2.0
/* connect: how a connection gets its pod: channels in turn, resting connections first. */
#include "connect.h"

#include "idle.h"
#include "judge.h"
#include "log.h"
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
	core_connected(&c->core, reused);
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
		connected(w, c);
	else
		c->connect_until = w->env.now + c->core.pool->connect_ms;
	return true;
}

static bool reuse(struct worker *w, struct conn *c, uint32_t slot)
{
	/* Whether a channel is back, only a new connection tells. */
	if (c->core.http == NULL || c->core.fresh || c->attempt.claim != 0)
		return false;
	struct sock *s = idle_take(w, slot);
	if (s == NULL)
		return false;
	s->conn = c;
	c->pod = s;
	connected(w, c);
	return true;
}

/* For `-d`: where an attempt goes and what became of it. */
static void trace(const struct worker *w, const struct conn *c, const struct channel *ch, const char *what)
{
	char client[ADDR_TEXT], channel[ADDR_TEXT] = "";
	if (log_most < LOG_DEBUG)
		return;
	addr_format(&c->core.client, client);
	if (ch != NULL)
		addr_format(&ch->addr, channel);
	log_debug("worker %u: %s: %s %s", w->id, client, what, channel);
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

/* Tries channels until one is on its way. */
static void connect_next(struct worker *w, struct conn *c)
{
	const struct channel *ch;
	while (c->core.pool != NULL &&
	       (ch = pool_take(c->core.pool, &c->attempt, &c->core.client, w->id, w->env.now)) != NULL) {
		c->slot = ch->slot;
		trace(w, c, ch, "connecting to");
		if (reuse(w, c, ch->slot) || begin_connect(w, c, ch))
			return;
		abandon_attempt(w, c, FAILED_CONNECT, errno);
	}
	trace(w, c, NULL, "no channel can be reached");
	shm_add(conn_cell(w, c->core.listener), V_NO_CHANNEL, 1);
	connect_forget(c);
	core_unreachable(&c->core, c->failure);
}

void connect_start(struct worker *w, struct conn *c)
{
	/* A search goes on in the configuration it began in, or begins anew. */
	if (!c->core.further || c->searched != w->generation)
		c->attempt = (struct attempt){0};
	c->searched = w->generation;
	c->failure = c->core.further ? FAILED_CONNECT : FAILED_NONE;
	note_connecting(w, c);
	connect_next(w, c);
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
	} else if (events & EPOLLOUT) {
		connected(w, c);
	}
}

void connect_expired(struct worker *w, struct conn *c)
{
	abandon_attempt(w, c, FAILED_TIMEOUT, ETIMEDOUT);
	connect_next(w, c);
}
