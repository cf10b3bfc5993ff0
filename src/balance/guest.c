// SPDX-License-Identifier: Apache-2.0
/* guest: a worker inside another program's process. */
#include "guest.h"

#include "access_log.h"
#include "clients.h"
#include "conn.h"
#include "guests.h"
#include "handover.h"
#include "log.h"
#include "message.h"
#include "shm.h"
#include "wake.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RETRY_MS = 1000,
	REFUSED_MS = 60000, /* … more, after what will not be otherwise soon */
	LOOKS = 8, /* rounds in which bytes are passed on in one call, before the other clients have their turn */
};

static struct {
	enum { OUT, JOINING, SETTLING, IN } state;
	int fd; /* to the master, until the worker has it */
	struct source source;
	struct message joined;
	uint64_t tried; /* ms; 0: never */
	bool told;      /* that it did not work */
	struct worker worker;
	const struct listener *listener; /* the last that was asked for */
	uint64_t listener_of;            /* its generation */
} guest = {.fd = -1};

/* Back to where it was before joining. */
static void leave(void)
{
	if (guest.fd >= 0)
		close(guest.fd);
	guest.fd = -1;
	if (guest.state == IN)
		worker_end(&guest.worker);
	guest.worker = (struct worker){.host = guest.worker.host, .epoll = guest.worker.epoll};
	shm_leave();
	clients_leave();
	wake_leave();
	if (access_log_stdout != STDOUT_FILENO)
		close(access_log_stdout);
	access_log_stdout = STDOUT_FILENO;
	guest.listener = NULL;
	guest.state = OUT;
	guest.tried = master_now_ms();
}

static int connect_to(const char *path)
{
	struct sockaddr_un un;
	int fd = addr_unix(&un, path) ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) < 0) {
		const int error = errno;
		close(fd);
		errno = error;
		fd = -1;
	}
	return fd;
}

void guest_join(const char *path, int epoll, const struct guest_host *host)
{
	if (guest.state != OUT)
		return;
	const uint64_t now = master_now_ms();
	if (guest.tried != 0 && now < guest.tried + RETRY_MS)
		return;
	guest.tried = now;
	guest.fd = connect_to(path);
	if (guest.fd < 0) {
		if (!guest.told)
			log_warn("%s: %s: clients are passed on over a socket until this works", path, strerror(errno));
		guest.told = true;
		return;
	}
	guest.told = false;
	guest.worker = (struct worker){.host = host, .epoll = epoll};
	guest.source.kind = SOURCE_MASTER;
	guest.state = JOINING;
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = &guest.source};
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, guest.fd, &e) < 0)
		leave();
}

/* As guests.h lists them. Takes all. */
static bool take_shared(const struct message *m, const int *fds, size_t n)
{
	if (m->type == MESSAGE_JOINED && m->size != GUESTS_LAYOUT)
		log_warn("Balance is of another version: clients are passed on over a socket");
	if (m->type != MESSAGE_JOINED || m->size != GUESTS_LAYOUT || n != 4 + (size_t)m->slots || m->slot >= m->slots) {
		while (n > 0)
			close(fds[--n]);
		return false;
	}
	/* All of them, so that each has its descriptor to close again. */
	bool good = shm_join(fds[0], m->slots) == 0;
	good &= clients_join(fds[1], m->slots) == 0;
	access_log_stdout = fds[2];
	good &= wake_join(fds + 3, m->slots) == 0;
	return good;
}

static void begin(const struct message *m, int file)
{
	struct conf *conf = handover_read(m, file);
	if (conf == NULL) {
		leave();
		guest.tried += REFUSED_MS;
		return;
	}
	const int fd = guest.fd, epoll = guest.worker.epoll;
	epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
	guest.fd = -1;
	worker_begin(&guest.worker, guest.joined.slot, conf, m->generation, epoll, fd);
	guest.state = IN;
	struct message live = {.type = MESSAGE_LIVE, .generation = m->generation};
	message_send(fd, &live, -1);
	log_info("joined as worker %u", guest.joined.slot);
}

/* Before there is a worker that reads what the master says. */
static void read_master(void)
{
	int fds[MESSAGE_FDS];
	size_t n;
	struct message m;
	switch (message_receive_fds(guest.fd, &m, fds, &n)) {
	case MESSAGE_NONE:
		return;
	case MESSAGE_GONE:
		leave();
		return;
	case MESSAGE_OK:
		break;
	}
	if (guest.state == JOINING) {
		guest.joined = m;
		guest.state = SETTLING;
		map_seed();
		if (!take_shared(&m, fds, n)) {
			leave();
			guest.tried += REFUSED_MS;
		}
	} else if (m.type == MESSAGE_CONF && n == 1) {
		begin(&m, fds[0]);
	} else {
		while (n > 0)
			close(fds[--n]);
		leave();
	}
}

bool guest_is_busy(void)
{
	return guest.state == IN && guest.worker.conns > 0;
}

int guest_wait_ms(int most)
{
	if (guest.state != IN)
		return most;
	const int ms = worker_wait_ms(&guest.worker);
	return ms < 0 || (most >= 0 && most < ms) ? most : ms;
}

void guest_turn(const struct epoll_event *events, int n)
{
	if (guest.state == IN) {
		worker_turn(&guest.worker, events, n);
		if (worker_is_over(&guest.worker))
			leave();
		return;
	}
	/* What else was there came from a worker that has just ended. */
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr == &guest.source && guest.fd >= 0)
			read_master();
}

static const struct listener *find_listener(const struct worker *w, const char *path)
{
	if (guest.listener_of == w->generation && guest.listener != NULL && strcmp(guest.listener->path, path) == 0)
		return guest.listener;
	const struct conf *conf = w->env.conf;
	guest.listener = NULL;
	guest.listener_of = w->generation;
	for (size_t i = 0; i < conf->listeners_n && guest.listener == NULL; i++)
		if (conf->listeners[i]->path != NULL && strcmp(conf->listeners[i]->path, path) == 0)
			guest.listener = conf->listeners[i];
	return guest.listener;
}

struct conn *guest_open(int fd, const char *path)
{
	struct worker *w = &guest.worker;
	if (guest.state != IN || w->draining || w->conns >= w->conns_max)
		return NULL;
	const struct listener *l = find_listener(w, path);
	return l == NULL ? NULL : conn_open_inner(w, l, fd);
}

ssize_t guest_send(struct conn *c, const void *from, size_t n)
{
	const unsigned char *at = from;
	size_t taken = 0;
	for (int i = 0; i < LOOKS && taken < n && !c->closed; i++) {
		struct iovec v = core_space(&c->core, CLIENT);
		const size_t some = v.iov_len < n - taken ? v.iov_len : n - taken;
		if (some == 0)
			break;
		memcpy(v.iov_base, at + taken, some);
		core_input(&c->core, CLIENT, some);
		taken += some;
		if (taken < n)
			conn_run(c->worker, c);
	}
	if (c->closed && taken == 0) {
		errno = EPIPE;
		return -1;
	}
	if (!c->closed) {
		/* Asks for more as soon as there is room. */
		c->client.readable = taken < n;
		conn_run(c->worker, c);
	}
	if (taken > 0)
		return (ssize_t)taken;
	errno = EAGAIN;
	return -1;
}

ssize_t guest_recv(struct conn *c, void *to, size_t n)
{
	unsigned char *at = to;
	size_t given = 0;
	for (int i = 0; i < LOOKS && given < n && !c->closed; i++) {
		struct iovec v = core_pending(&c->core, CLIENT);
		const size_t some = v.iov_len < n - given ? v.iov_len : n - given;
		if (some == 0)
			break;
		memcpy(at + given, v.iov_base, some);
		given += some;
		conn_count_bytes(c, POD, some);
		core_output(&c->core, CLIENT, some);
	}
	if (!c->closed) {
		c->client.blocked = false;
		conn_run(c->worker, c);
	}
	if (given > 0)
		return (ssize_t)given;
	errno = EAGAIN;
	return -1;
}

void guest_close(struct conn *c)
{
	if (c->closed)
		return;
	c->client.fd = -1;
	c->client.hup = c->client.readable = true;
	c->client.blocked = false;
	/* What it sent and the core has not passed on yet, it has. */
	core_client_gone(&c->core, c->core.stream[CLIENT] != NULL);
	conn_run(c->worker, c);
	/* The host may be about to end. */
	if (c->worker->conns == 0 && c->worker->access_log != NULL)
		access_log_flush(c->worker->access_log);
}
