/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_io: level-triggered readiness for libev out of edge-triggered epoll.
 *
 * Hitch writes whatever it has read by asking libev for "writable", and takes that back afterwards: four epoll_ctl(2) for each request. A
 * socket is nearly always writable, and whether it is readable is known once a read has come back short. So each of Hitch's connections is registered
 * with the kernel once, edge-triggered; what the last calls said of it is kept here, and libev's interest is compared with that in
 * user space. Listeners, pipes and timers go to the kernel as before.
 *
 * What is kept may be too hopeful, never too pessimistic: a wrong "ready" costs one EAGAIN, a missed one would stall a connection.
 *
 * Where BALANCE_JOIN names Balance's `guests` socket, a worker of Balance lives in this process (guest.h), and what Hitch takes for a connection to
 * Balance's Unix socket is a conversation with that. The epoll set that is waited on is our own: it has Hitch's connections, the guest's, and libev's set.
 */
#include "hitch_io.h"

#include "guest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Turns of the loop that may go by on what is known here before the kernel is asked again. */
	TURNS = 4,
	KERNEL_EVENTS = 256,
	FINISH_S = 10, /* for what a worker that ends has to deliver yet */
};

/* Marks Hitch's connections, by descriptor; all else is the guest's pointers, and libev's set. */
#define STREAM (UINT64_C(1) << 63)
#define LIBEV UINT64_C(1)

struct stream {
	uint64_t data;     /* libev's, given back with its events */
	uint32_t interest; /* EPOLLIN, EPOLLOUT */
	uint32_t ready;
	bool known;     /* a connection: all below holds */
	bool added;     /* as far as libev knows */
	bool in_kernel;
	bool armed;     /* the kernel is to tell when it is writable */
	bool is_unix;
	bool connected;
	bool hup;       /* an end, an error or urgent data is known: only EAGAIN or the end itself says that all has been read */
	bool queued;
	bool inner;     /* its other end is the guest … */
	bool ended;     /* … who has nothing more to say */
	struct conn *conn; /* NULL: it no longer exists */
};

static struct {
	struct stream *at; /* by descriptor */
	int n;
	int *queue;        /* descriptors with something ready that libev wants, perhaps */
	int queue_n, queue_cap;
	int turns;
	bool starved; /* the last client could not be taken */
	int epoll; /* what is waited on; -1: no connection yet */
	int libev; /* libev's; -1: not known */
	bool has_libev; /* and it is in there */
} io = {.epoll = -1, .libev = -1};

static struct stream *find(int fd)
{
	return fd >= 0 && fd < io.n && io.at[fd].known ? &io.at[fd] : NULL;
}

/* Without memory the socket is watched by the kernel, as if this file did not exist. */
static struct stream *make(int fd)
{
	if (fd >= io.n) {
		int n = fd + 1 > 2 * io.n ? fd + 64 : 2 * io.n;
		struct stream *at = realloc(io.at, (size_t)n * sizeof *at);
		if (at == NULL)
			return NULL;
		memset(at + io.n, 0, (size_t)(n - io.n) * sizeof *at);
		io.at = at;
		io.n = n;
	}
	/* The queue has room for every descriptor, so that nothing can fail later. */
	if (io.queue_cap < io.n) {
		int *queue = realloc(io.queue, (size_t)io.n * sizeof *queue);
		if (queue == NULL)
			return NULL;
		io.queue = queue;
		io.queue_cap = io.n;
	}
	const bool queued = io.at[fd].queued;
	io.at[fd] = (struct stream){.known = true, .queued = queued};
	return &io.at[fd];
}

static uint32_t wanted(const struct stream *s)
{
	return s->known && s->added ? s->ready & s->interest : 0;
}

static bool enqueue(struct stream *s)
{
	if (s->queued || wanted(s) == 0)
		return false;
	s->queued = true;
	io.queue[io.queue_n++] = (int)(s - io.at);
	return true;
}

static bool open_epoll(void)
{
	if (io.epoll < 0)
		io.epoll = epoll_create1(EPOLL_CLOEXEC);
	return io.epoll >= 0;
}

static int tell_kernel(struct stream *s)
{
	if (s->inner)
		return 0;
	struct epoll_event e = {
		.events = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET | (s->armed ? EPOLLOUT : 0u),
		.data.u64 = STREAM | (uint64_t)(s - io.at),
	};
	const int r = epoll_ctl(io.epoll, s->in_kernel ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, (int)(s - io.at), &e);
	if (r == 0)
		s->in_kernel = true;
	return r;
}

/* Writing would block. Changing a registration makes the kernel look at once, so a change just before is not missed. */
static void arm(struct stream *s)
{
	s->ready &= ~(uint32_t)EPOLLOUT;
	if (s->armed && !s->is_unix)
		return;
	s->armed = true;
	if (s->in_kernel)
		(void)tell_kernel(s);
}

static void note(struct stream *s, uint32_t events)
{
	/* A read stops at urgent data too, with more behind it (tcp(7)): from then on a short read means nothing. */
	if (events & (EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->hup = true;
	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP))
		s->ready |= EPOLLIN;
	if (events & (EPOLLHUP | EPOLLERR))
		s->ready |= EPOLLIN | EPOLLOUT;
	if (events & EPOLLOUT) {
		s->ready |= EPOLLOUT;
		/* A Unix socket tells of every read at its other end: so only while somebody waits for it. */
		if (s->armed && s->is_unix) {
			s->armed = false;
			(void)tell_kernel(s);
		}
	}
}

static void has_read(int fd, ssize_t r, size_t n)
{
	struct stream *s = find(fd);
	if (s == NULL)
		return;
	if (r < 0 ? errno == EAGAIN : r > 0 && (size_t)r < n && !s->hup)
		s->ready &= ~(uint32_t)EPOLLIN;
}

static void has_written(int fd, ssize_t r, size_t n)
{
	struct stream *s = find(fd);
	if (s == NULL)
		return;
	if (r < 0 ? errno == EAGAIN : (size_t)r < n) {
		const int error = errno;
		arm(s);
		errno = error;
	}
}

static void inner_readable(int fd)
{
	struct stream *s = find(fd);
	if (s == NULL)
		return;
	s->ready |= EPOLLIN;
	(void)enqueue(s);
}

static void inner_writable(int fd)
{
	struct stream *s = find(fd);
	if (s == NULL)
		return;
	s->ready |= EPOLLOUT;
	(void)enqueue(s);
}

static void inner_ended(int fd, bool gone)
{
	struct stream *s = find(fd);
	if (s == NULL)
		return;
	s->ended = true;
	if (gone)
		s->conn = NULL;
	s->ready |= EPOLLIN | (gone ? (uint32_t)EPOLLOUT : 0u);
	(void)enqueue(s);
}

static const struct guest_host host = {inner_readable, inner_writable, inner_ended};

/* Once there are clients: not in the processes of Hitch's that have none. */
static void join(void)
{
	static const char *path;
	static bool asked;
	if (!asked)
		path = getenv("BALANCE_JOIN");
	asked = true;
	if (path != NULL && open_epoll())
		guest_join(path, io.epoll, &host);
}

/* Whether it is the guest that Hitch talks to from now on. */
static bool connect_inner(int fd, const struct sockaddr *addr)
{
	struct stream *s = addr->sa_family == AF_UNIX ? make(fd) : NULL;
	if (s == NULL)
		return false;
	s->inner = s->in_kernel = s->connected = true;
	s->ready = EPOLLOUT;
	s->conn = guest_open(fd, ((const struct sockaddr_un *)(const void *)addr)->sun_path);
	if (s->conn == NULL) {
		*s = (struct stream){.queued = s->queued};
		return false;
	}
	return true;
}

static ssize_t recv_inner(struct stream *s, void *at, size_t n)
{
	const bool ended = s->ended;
	if (s->conn == NULL)
		return 0;
	/* Cleared first: whatever comes from now on is told. */
	s->ready &= ~(uint32_t)EPOLLIN;
	const ssize_t r = guest_recv(s->conn, at, n);
	if (r > 0 || !ended)
		return r;
	s->ready |= EPOLLIN;
	return 0;
}

static ssize_t send_inner(struct stream *s, const void *at, size_t n)
{
	if (s->conn == NULL) {
		errno = EPIPE;
		return -1;
	}
	s->ready &= ~(uint32_t)EPOLLOUT;
	const ssize_t r = guest_send(s->conn, at, n);
	if (r == (ssize_t)n)
		s->ready |= EPOLLOUT;
	return r;
}

int hitch_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	const int client = accept4(fd, addr, len, flags);
	io.starved = client < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED;
	struct stream *s = client < 0 ? NULL : make(client);
	if (s != NULL) {
		s->connected = true;
		s->ready = EPOLLOUT;
		join();
	}
	return client;
}

int hitch_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct stream *s = find(fd);
	if (s != NULL && s->connected) {
		/* Hitch asks a second time, to learn how the first went. */
		errno = EISCONN;
		return -1;
	}
	if (s == NULL && connect_inner(fd, addr))
		return 0;
	const int r = connect(fd, addr, len);
	const int error = errno;
	if (s == NULL && (r == 0 || error == EINPROGRESS) && (s = make(fd)) != NULL)
		s->is_unix = addr->sa_family == AF_UNIX;
	if (s != NULL) {
		s->connected = r == 0 || error == EISCONN;
		if (s->connected)
			s->ready |= EPOLLOUT;
		else if (error == EINPROGRESS || error == EALREADY)
			arm(s);
	}
	errno = error;
	return r;
}

ssize_t hitch_recv(int fd, void *at, size_t n, int flags)
{
	struct stream *s = find(fd);
	if (s != NULL && s->inner)
		return recv_inner(s, at, n);
	const ssize_t r = recv(fd, at, n, flags);
	has_read(fd, r, n);
	return r;
}

ssize_t hitch_send(int fd, const void *at, size_t n, int flags)
{
	struct stream *s = find(fd);
	if (s != NULL && s->inner)
		return send_inner(s, at, n);
	const ssize_t r = send(fd, at, n, flags);
	has_written(fd, r, n);
	return r;
}

ssize_t hitch_read(int fd, void *at, size_t n)
{
	struct stream *s = find(fd);
	/* Emptied by the read before, and nothing has been told of since: what has come meanwhile will be. */
	if (s != NULL && s->in_kernel && !(s->ready & EPOLLIN) && !s->hup) {
		errno = EAGAIN;
		return -1;
	}
	const ssize_t r = read(fd, at, n);
	has_read(fd, r, n);
	return r;
}

ssize_t hitch_write(int fd, const void *at, size_t n)
{
	const ssize_t r = write(fd, at, n);
	has_written(fd, r, n);
	return r;
}

void hitch_io_readable(int fd)
{
	inner_readable(fd);
}

bool hitch_io_is_starved(void)
{
	return io.starved;
}

void hitch_io_forget(int fd)
{
	/* libev makes itself a new one, and adds everything again. */
	if (fd >= 0 && fd == io.libev) {
		for (int i = 0; i < io.n; i++)
			io.at[i].added = false;
		io.libev = -1;
		io.has_libev = false;
	}
	struct stream *s = find(fd);
	if (s == NULL)
		return;
	struct conn *conn = s->conn;
	*s = (struct stream){.queued = s->queued};
	if (conn != NULL)
		guest_close(conn);
}

int hitch_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	struct stream *s = find(fd);
	if (s == NULL)
		return epoll_ctl(epoll, op, fd, event);
	if (!open_epoll())
		return -1;
	if (io.libev != epoll)
		io.has_libev = false;
	io.libev = epoll;
	if (s->added == (op == EPOLL_CTL_ADD)) {
		errno = s->added ? EEXIST : ENOENT;
		return -1;
	}
	if (!s->in_kernel && tell_kernel(s) < 0)
		return -1;
	s->added = op != EPOLL_CTL_DEL;
	s->interest = event->events;
	s->data = event->data.u64;
	(void)enqueue(s);
	return 0;
}

static void put(struct epoll_event *at, const struct stream *s)
{
	*at = (struct epoll_event){.events = wanted(s), .data.u64 = s->data};
}

/* What is ready stays in the queue: who has not been served by the next turn is told again. */
static int take_queue(struct epoll_event *events, int max)
{
	int kept = 0, n = 0;
	for (int i = 0; i < io.queue_n; i++) {
		struct stream *s = &io.at[io.queue[i]];
		if (wanted(s) == 0) {
			s->queued = false;
			continue;
		}
		io.queue[kept++] = io.queue[i];
		if (n < max)
			put(&events[n++], s);
	}
	io.queue_n = kept;
	return n;
}

/* libev's own set among the rest. Closed, it has left by itself (epoll(7)). */
static bool watch_libev(int epoll)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = LIBEV};
	if (!io.has_libev || io.libev != epoll)
		io.has_libev = epoll_ctl(io.epoll, EPOLL_CTL_ADD, epoll, &e) == 0;
	io.libev = epoll;
	return io.has_libev;
}

/* What the kernel said: noted, or passed on to the guest. Returns whether libev's set has something. */
static bool sort(const struct epoll_event *k, int n)
{
	struct epoll_event guests[KERNEL_EVENTS];
	bool libev = false;
	int m = 0;
	for (int i = 0; i < n; i++) {
		if (k[i].data.u64 == LIBEV) {
			libev = true;
		} else if (k[i].data.u64 & STREAM) {
			struct stream *s = find((int)(k[i].data.u64 & ~STREAM));
			if (s == NULL)
				continue;
			note(s, k[i].events);
			(void)enqueue(s);
		} else {
			guests[m++] = k[i];
		}
	}
	guest_turn(guests, m);
	return libev;
}

int hitch_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout)
{
	struct epoll_event k[KERNEL_EVENTS];
	if (io.epoll < 0 || !watch_libev(epoll))
		return epoll_wait(epoll, events, max, timeout);
	int n = take_queue(events, max);
	if (n == max || (n > 0 && ++io.turns < TURNS))
		return n;
	io.turns = 0;
	const int got = epoll_wait(io.epoll, k, KERNEL_EVENTS, n > 0 ? 0 : guest_wait_ms(timeout));
	if (got < 0)
		return n > 0 ? n : got;
	const bool libev = sort(k, got);
	n = take_queue(events, max);
	if (libev && n < max) {
		const int more = epoll_wait(epoll, events + n, max - n, 0);
		n += more > 0 ? more : 0;
	}
	return n;
}

/* Hitch ends a worker with its last client (status 0), who may have left bytes that the guest has yet to deliver. When anything else
 * ends it, there may be clients, and its sockets may still listen: others have to take over at once. */
_Noreturn void hitch__exit(int status)
{
	struct epoll_event k[KERNEL_EVENTS];
	if (io.has_libev)
		(void)epoll_ctl(io.epoll, EPOLL_CTL_DEL, io.libev, NULL);
	for (const time_t until = time(NULL) + FINISH_S; status == 0 && io.epoll >= 0 && guest_is_busy() && time(NULL) < until;)
		(void)sort(k, epoll_wait(io.epoll, k, KERNEL_EVENTS, guest_wait_ms(1000)));
	_exit(status);
}
