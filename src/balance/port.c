// SPDX-License-Identifier: Apache-2.0
/* port: the listening sockets of a worker: accepting, pausing, following the configuration. */
#include "port.h"

#include "conn.h"
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	ACCEPTS = 16,          /* connections taken per wake-up: the other workers want some too */
	PAUSE_MS = 100,        /* how long to stop accepting when descriptors ran out */
};

static void watch_port(struct worker *w, struct port *p)
{
	/* EXCLUSIVE: one new connection wakes one worker, not all of them. */
	struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = p};
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, p->fd, &e) < 0)
		worker_die("epoll_ctl listener");
}

static void unwatch_port(struct worker *w, struct port *p)
{
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, p->fd, NULL);
}

static void pause_accepting(struct worker *w, const char *why)
{
	if (w->paused)
		return;
	log_warn("accepting paused: %s", why);
	w->paused = true;
	for (struct port *p = w->ports; p != NULL; p = p->next)
		unwatch_port(w, p);
	timer_set(&w->wheel, &w->accept_again, w->env.now + PAUSE_MS);
}

void port_resume(struct worker *w)
{
	if (w->conns >= w->conns_max) {
		timer_set(&w->wheel, &w->accept_again, w->env.now + PAUSE_MS);
		return;
	}
	w->paused = false;
	for (struct port *p = w->ports; p != NULL; p = p->next)
		if (!p->fresh) /* its configuration is still on the way */
			watch_port(w, p);
}

void port_accept(struct worker *w, struct port *port)
{
	struct addr peer;
	for (int i = 0; i < ACCEPTS; i++) {
		if (w->conns >= w->conns_max) {
			pause_accepting(w, "as many connections as there are descriptors for");
			return;
		}
		const bool is_unix = port->listener->path != NULL;
		peer.len = sizeof peer.in6;
		int fd = accept4(port->fd, is_unix ? NULL : &peer.sa, is_unix ? NULL : &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
				pause_accepting(w, strerror(errno));
			return;
		}
		if (is_unix)
			peer.len = 0;
		conn_open(w, port, fd, &peer);
	}
}

static void close_port(struct worker *w, struct port **link)
{
	struct port *p = *link;
	*link = p->next;
	if (!w->paused)
		unwatch_port(w, p);
	close(p->fd);
	/* Events of this turn may still name it; there are few ports and they rarely go. */
	p->fd = -1;
	p->listener = NULL;
	p->next = w->closed_ports;
	w->closed_ports = p;
}

void port_bury(struct worker *w)
{
	while (w->closed_ports != NULL) {
		struct port *next = w->closed_ports->next;
		free(w->closed_ports);
		w->closed_ports = next;
	}
}

void port_add(struct worker *w, uint32_t slot, int fd)
{
	struct port *p = calloc(1, sizeof *p);
	if (p == NULL)
		worker_die("new listener");
	p->source.kind = SOURCE_LISTENER;
	p->fd = fd;
	p->slot = slot;
	p->next = w->ports;
	w->ports = p;
	/* Watched once the configuration that knows it is in force. */
	p->fresh = true;
}

/* Ports follow the configuration: known ones keep their socket, replaced and removed ones are closed. */
void port_settle(struct worker *w)
{
	for (struct port **link = &w->ports; *link != NULL;) {
		struct port *p = *link;
		p->listener = conf_listener(w->env.conf, p->slot);
		bool replaced = false;
		for (struct port *q = w->ports; q != p; q = q->next) /* new ones stand first */
			replaced |= q->slot == p->slot;
		if (p->listener == NULL || replaced) {
			close_port(w, link);
			continue;
		}
		if (p->fresh && !w->paused)
			watch_port(w, p);
		p->fresh = false;
		link = &p->next;
	}
}

void port_close_all(struct worker *w)
{
	while (w->ports != NULL)
		close_port(w, &w->ports);
}
