// SPDX-License-Identifier: Apache-2.0
/* worker: accepts, connects and relays, in one epoll loop. */
#include "worker.h"

#include "access_log.h"
#include "conn.h"
#include "connect.h"
#include "handover.h"
#include "http_msg.h"
#include "idle.h"
#include "limit.h"
#include "log.h"
#include "message.h"
#include "ops.h"
#include "port.h"
#include "queue.h"
#include "shm.h"
#include "splice.h"
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 256,
	RESERVED_FDS = 64,     /* for everything that is neither a connection nor another worker's bell */
	PIPE_SHARE = 16,       /* one descriptor in so many may be a pipe's */
};

static void read_clock(struct worker *w)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	w->env.now_us = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	w->env.now = w->env.now_us / 1000;
}

_Noreturn void worker_die(const char *what)
{
	log_error("%s: %s", what, strerror(errno));
	_exit(70); /* EX_SOFTWARE */
}

/* What a worker keeps in step with its configuration. */
static void settle(struct worker *w, struct conf *conf)
{
	port_settle(w);
	if (!idle_settle(w, conf, handover_slots(conf)))
		worker_die("idle lists");
	w->env.last = conf->http.last;
	if (w->env.last)
		conn_hurry(w);
	/* Opened anew each time: a reload is how a log is rotated. */
	access_log_close(w->access_log);
	w->access_log = conf->access_log == NULL ? NULL : access_log_open(conf->access_log);
}

static void swap_conf(struct worker *w, struct conf *conf, uint64_t generation)
{
	struct conf *old = (struct conf *)(uintptr_t)w->env.conf;
	connect_repool(w, conf);
	w->env.conf = conf;
	w->generation = generation;
	settle(w, conf);
	limit_adopt(w);
	queue_repool(w);
	conf_free(old);
}

/* The first order counts: that the master has gone afterwards gives no more time. */
static void drain(struct worker *w, uint64_t ms)
{
	if (w->draining)
		return;
	port_close_all(w);
	w->draining = true;
	w->env.last = true;
	conn_hurry(w);
	w->drain_until = w->env.now + ms;
}

/* From the master; the connections may still finish here. */
static void part(struct worker *w)
{
	close(w->master_fd);
	w->master_fd = -1;
	drain(w, w->env.conf->grace_ms);
}

static void take_message(struct worker *w, const struct message *m, int fd)
{
	switch (m->type) {
	case MESSAGE_PORT:
		port_add(w, m->slot, fd);
		return;
	case MESSAGE_CONF: {
		struct conf *conf = handover_read(m, fd);
		if (conf == NULL && w->host == NULL)
			_exit(70); /* EX_SOFTWARE: another one begins with it */
		if (conf == NULL) {
			part(w); /* the host's clients are not to pay for that, and sockets serve new ones */
			return;
		}
		swap_conf(w, conf, m->generation);
		struct message live = {.type = MESSAGE_LIVE, .generation = m->generation};
		message_send(w->master_fd, &live, -1);
		return;
	}
	case MESSAGE_DRAIN:
		drain(w, m->size);
		return;
	default:
		if (fd >= 0)
			close(fd);
	}
}

/* A host may have taken all descriptors when a configuration comes, which is one. */
static void keep_spare(struct worker *w)
{
	if (w->host != NULL && w->spare < 0)
		w->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void read_master(struct worker *w)
{
	struct message m;
	int fd;
	if (w->spare >= 0)
		close(w->spare);
	w->spare = -1;
	for (;;) {
		switch (message_receive(w->master_fd, &m, &fd)) {
		case MESSAGE_OK:
			take_message(w, &m, fd);
			if (w->master_fd < 0)
				return;
			break;
		case MESSAGE_NONE:
			return; /* with a spare again at the end of this turn */
		case MESSAGE_GONE:
			/* It died. Its successor needs the addresses. */
			log_warn("master is gone, finishing %zu connections", w->conns);
			part(w);
			return;
		}
	}
}

static void fire_timers(struct worker *w)
{
	struct timer *t;
	while ((t = timer_due(&w->wheel, w->env.now)) != NULL) {
		switch ((enum timer_kind)t->kind) {
		case TIMER_CONN:
			conn_timer(w, t);
			break;
		case TIMER_IDLE:
			idle_timer(w, t);
			break;
		case TIMER_ACCEPT:
			if (w->paused)
				port_resume(w);
			break;
		}
	}
}

static void go_on(struct worker *w)
{
	struct conn *list = w->again;
	w->again = NULL;
	while (list != NULL) {
		struct conn *c = list;
		list = c->next;
		conn_again(w, c);
	}
}

int worker_wait_ms(const struct worker *w)
{
	if (w->again != NULL || queue_due(w))
		return 0;
	int ms = timer_wait(&w->wheel, w->env.now);
	if (w->queues != NULL && (ms < 0 || ms > QUEUE_POLL_MS))
		ms = QUEUE_POLL_MS;
	if (!w->draining)
		return ms;
	uint64_t left = w->drain_until > w->env.now ? w->drain_until - w->env.now : 0;
	int limit = left > 1000 ? 1000 : (int)left;
	return ms < 0 || ms > limit ? limit : ms;
}

static void handle(struct worker *w, const struct epoll_event *e)
{
	struct source *s = e->data.ptr;
	switch (s->kind) {
	case SOURCE_SOCK:
		conn_event(w, (struct sock *)s, e->events);
		return;
	case SOURCE_LISTENER: {
		struct port *p = (struct port *)s;
		if (p->fd >= 0 && !w->paused)
			port_accept(w, p);
		return;
	}
	case SOURCE_MASTER:
		if (w->master_fd >= 0)
			read_master(w);
		return;
	case SOURCE_WAKE:
		wake_taken(w->id);
		w->queue_due = true;
	}
}

void worker_turn(struct worker *w, const struct epoll_event *events, int n)
{
	read_clock(w);
	go_on(w);
	for (int i = 0; i < n; i++)
		handle(w, &events[i]);
	fire_timers(w);
	if (queue_due(w))
		queue_serve(w);
	keep_spare(w);
	if (w->access_log != NULL)
		access_log_flush(w->access_log);
	conn_bury(w);
	port_bury(w);
}

static size_t descriptor_limit(void)
{
	const rlim_t most = 1u << 24;
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return 1024;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	return r.rlim_cur < most ? r.rlim_cur : most;
}

static void set_limits(struct worker *w)
{
	/* The client's and the pod's; a host has one more for each of its clients. */
	const size_t each = w->host == NULL ? 2 : 3;
	size_t fds = descriptor_limit();
	w->pipes_left = w->host == NULL ? fds / PIPE_SHARE / 2 : 0;
	size_t taken = RESERVED_FDS + shm.workers + 2 * w->pipes_left;
	w->conns_max = fds > taken + each ? (fds - taken) / each : 1;
	w->idle_max = w->conns_max / 4;
	w->conns_max -= w->idle_max / each;
}

static void watch(struct worker *w, int fd, struct source *source)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = source};
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		worker_die("epoll");
}

void worker_begin(struct worker *w, unsigned id, struct conf *conf, uint64_t generation, int epoll, int master_fd)
{
	w->id = id;
	read_clock(w);
	w->env.conf = conf;
	w->generation = generation;
	w->master_fd = master_fd;
	w->master.kind = SOURCE_MASTER;
	w->accept_again.kind = TIMER_ACCEPT;
	w->env.ops = &worker_ops;
	w->env.head = malloc(sizeof *w->env.head);
	if (w->env.head == NULL || getrandom(w->random, sizeof w->random, 0) != (ssize_t)sizeof w->random)
		worker_die("start");
	set_limits(w);
	w->spare = -1;
	keep_spare(w);
	timer_init(&w->wheel, w->env.now);
	w->epoll = epoll;
	watch(w, master_fd, &w->master);
	w->wake.kind = SOURCE_WAKE;
	watch(w, wake_fd(id), &w->wake);
	settle(w, conf);
}

bool worker_is_over(const struct worker *w)
{
	return w->draining && (w->conns == 0 || w->env.now >= w->drain_until);
}

void worker_end(struct worker *w)
{
	while (w->all != NULL)
		conn_close(w, w->all);
	go_on(w); /* frees those that had more to do */
	idle_drop_all(w);
	queue_drop_all(w);
	conn_bury(w);
	splice_drop_all(w);
	access_log_close(w->access_log);
	if (w->master_fd >= 0)
		close(w->master_fd);
	if (w->spare >= 0)
		close(w->spare);
	/* Closed here, it stays open in the master and the other workers, and so in the epoll set (epoll(7)). */
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, wake_fd(w->id), NULL);
	free(w->idle);
	free(w->env.head);
	buf_drop_all(&w->env.bufs);
	conf_free((struct conf *)(uintptr_t)w->env.conf);
}

void worker_run(unsigned id, struct conf *conf, uint64_t generation, const int *ports, int master_fd)
{
	static struct worker worker;
	struct worker *w = &worker;
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		worker_die("epoll");
	worker_begin(w, id, conf, generation, epoll, master_fd);
	for (size_t i = 0; i < conf->listeners_n; i++)
		port_add(w, conf->listeners[i]->slot, ports[i]);
	port_settle(w);
	while (!worker_is_over(w)) {
		int n = epoll_wait(w->epoll, events, EVENTS, worker_wait_ms(w));
		if (n < 0 && errno != EINTR)
			worker_die("epoll_wait");
		worker_turn(w, events, n);
	}
	_exit(0);
}
