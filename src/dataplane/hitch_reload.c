/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_reload: stands in for a few calls of Hitch's hitch.c, which the build renames there (vendor/packages/hitch.sh), so that no
 * connection is lost in a reload.
 *
 * Each of Hitch's workers has listening sockets of its own, which share the port (SO_REUSEPORT). In a reload Hitch 1.8.0 forks the new
 * workers and tells the old ones at once to close theirs: until the new ones have come as far as listen(2), on a busy machine for
 * many milliseconds, connections are refused, and those that wait in an old socket's queue are reset when it is closed. So the
 * master holds its word back until the new workers listen, and an old worker takes whoever waits before it lets go.
 */
#include "hitch_reload.h"

#include "hitch_io.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	/* A child that does not come that far is Hitch's own business: it goes on as it would have. */
	PATIENCE_MS = 1000,
	/* Generations that are told apart: who comes so late is counted to another one. */
	BATCHES = 64,
	MOST = 4096, /* clients that one socket's queue is emptied of */
};

static struct {
	atomic_uint *ready; /* BATCHES of them, each counted up by the children of a generation; shared with them */
	unsigned batch, forked; /* the generation, and how many of it there are */
	bool is_child;
	int last_listener; /* sockets are opened one after the other, before there is any connection */
} reload;

pid_t hitch_reload_fork(void)
{
	if (reload.ready == NULL) {
		void *page = mmap(NULL, BATCHES * sizeof *reload.ready, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (page != MAP_FAILED)
			reload.ready = page;
	}
	pid_t pid = fork();
	if (pid == 0)
		reload.is_child = true;
	else if (pid > 0)
		reload.forked++;
	return pid;
}

struct ev_loop *hitch_reload_ev_default_loop(unsigned flags)
{
	if (reload.is_child && reload.ready != NULL)
		atomic_fetch_add(&reload.ready[reload.batch % BATCHES], 1);
	return ev_default_loop(flags);
}

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void wait_for_children(void)
{
	const struct timespec tick = {.tv_nsec = 1000 * 1000};
	const uint64_t until = now_ms() + PATIENCE_MS;
	while (atomic_load(&reload.ready[reload.batch % BATCHES]) < reload.forked && now_ms() < until)
		(void)nanosleep(&tick, NULL);
	/* Whoever has died on the way is not waited for again, and who is late counts for nobody else. */
	reload.batch++;
	reload.forked = 0;
	atomic_store(&reload.ready[reload.batch % BATCHES], 0);
}

ssize_t hitch_reload_write(int fd, const void *bytes, size_t n)
{
	if (!reload.is_child && reload.ready != NULL && reload.forked > 0)
		wait_for_children();
	return write(fd, bytes, n);
}

int hitch_reload_listen(int fd, int backlog)
{
	if (fd > reload.last_listener)
		reload.last_listener = fd;
	return listen(fd, backlog);
}

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t size = sizeof yes;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes != 0;
}

void hitch_reload_ev_io_stop(struct ev_loop *loop, ev_io *w)
{
	if (w->fd <= reload.last_listener && ev_is_active(w) && is_listening(w->fd)) {
		struct pollfd p = {.fd = w->fd, .events = POLLIN};
		/* Those that come meanwhile go to the others' sockets, too, so this comes to an end; it is bounded all the same. */
		for (int i = 0; i < MOST && poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0; i++) {
			ev_invoke(loop, w, EV_READ);
			if (hitch_io_is_starved())
				break;
		}
	}
	ev_io_stop(loop, w);
}
