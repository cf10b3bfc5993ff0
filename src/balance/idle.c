// SPDX-License-Identifier: Apache-2.0
/* idle: pods' connections between two requests. */
#include "idle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The one used last is taken first, so those that a channel no longer needs are the ones that come to this age. There is no limit per
 * channel: one below the number of requests under way would close a good connection for nearly each of them. */
enum { IDLE_MS = 60000 };

static void unlink_idle(struct worker *w, struct sock *s)
{
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	s->link = NULL;
	if (s->send_proxy != SEND_PROXY_NONE) {
		w->kept_n--;
		return;
	}
	w->idle_n--;
	timer_clear(&s->timer);
}

static bool is_empty(const struct sock *s)
{
	char c;
	return recv(s->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* The last read may have filled its buffer to the byte, so that only another look tells. */
static bool is_quiet(const struct sock *s)
{
	return !s->hup && (!s->readable || is_empty(s));
}

struct sock *idle_take(struct worker *w, uint32_t slot)
{
	struct sock *s;
	/* An end, or an answer that nobody asked for, may have come and its event not yet be handled; the next client must not have it. */
	while ((s = w->idle[slot].first) != NULL && !is_empty(s))
		sock_drop(w, s);
	if (s != NULL)
		unlink_idle(w, s);
	return s;
}

void sock_drop(struct worker *w, struct sock *s)
{
	if (s->link != NULL)
		unlink_idle(w, s);
	close(s->fd);
	s->fd = -1;
	free(s->preface);
	s->preface = NULL;
	/* Events of this turn may still name it. */
	s->next = w->dead_socks;
	w->dead_socks = s;
}

void idle_put(struct worker *w, struct sock *s)
{
	struct idle_list *list = &w->idle[s->slot];
	s->conn = NULL;
	/* Something to read means an end or an answer that nobody asked for; a channel of an older configuration has no list to go to. */
	if (!is_quiet(s) || w->draining || !list->live || w->idle_n >= w->idle_max) {
		sock_drop(w, s);
		return;
	}
	s->used = true;
	s->readable = false;
	s->next = list->first;
	s->link = &list->first;
	if (s->next != NULL)
		s->next->link = &s->next;
	list->first = s;
	w->idle_n++;
	s->timer.kind = TIMER_IDLE;
	timer_set(&w->wheel, &s->timer, w->env.now + IDLE_MS);
}

bool idle_is_silent(const struct sock *s)
{
	return !s->hup && is_empty(s);
}

void idle_keep(struct worker *w, struct sock **keeper, struct sock *s)
{
	s->conn = NULL;
	if (!is_quiet(s) || w->draining || !w->idle[s->slot].live || *keeper != NULL) {
		sock_drop(w, s);
		return;
	}
	s->used = true;
	s->readable = false;
	s->next = NULL;
	s->link = keeper;
	*keeper = s;
	w->kept_n++;
}

struct sock *idle_unkeep(struct worker *w, struct sock **keeper)
{
	struct sock *s = *keeper;
	unlink_idle(w, s);
	return s;
}

void idle_timer(struct worker *w, struct timer *t)
{
	sock_drop(w, (struct sock *)(void *)((unsigned char *)t - offsetof(struct sock, timer)));
}

void idle_drop_all(struct worker *w)
{
	for (uint32_t i = 0; i < w->idle_cap; i++)
		while (w->idle[i].first != NULL)
			sock_drop(w, w->idle[i].first);
}

/* A channel that has left gives its slot back, and the next one to get it is another pod's. */
static void drop_left(struct worker *w)
{
	for (uint32_t i = 0; i < w->idle_cap; i++)
		while (!w->idle[i].live && w->idle[i].first != NULL)
			sock_drop(w, w->idle[i].first);
	for (struct conn *c = w->kept_n > 0 ? w->all : NULL; c != NULL; c = c->sibling)
		if (c->kept != NULL && !w->idle[c->kept->slot].live)
			sock_drop(w, c->kept);
}

bool idle_settle(struct worker *w, const struct conf *conf, uint32_t n)
{
	if (n > w->idle_cap) {
		struct idle_list *lists = calloc(n, sizeof *lists);
		if (lists == NULL)
			return false;
		for (uint32_t i = 0; i < w->idle_cap; i++) {
			lists[i] = w->idle[i];
			if (lists[i].first != NULL)
				lists[i].first->link = &lists[i].first;
		}
		free(w->idle);
		w->idle = lists;
		w->idle_cap = n;
	}
	for (uint32_t i = 0; i < w->idle_cap; i++)
		w->idle[i].live = false;
	for (size_t p = 0; p < conf->pools_n; p++)
		for (size_t g = 0; g < conf->pools[p]->n; g++)
			for (size_t i = 0; i < conf->pools[p]->groups[g].n; i++)
				w->idle[conf->pools[p]->groups[g].channels[i].slot].live = true;
	drop_left(w);
	return true;
}
