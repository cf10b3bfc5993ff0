/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_pipes: stands in for pipe(2) and close(2) in Hitch's hitch.c, which the build renames there (vendor/packages/hitch.sh).
 *
 * Hitch 1.8.0 tells its workers of a new generation through one pipe each, and its master closes the write end of every older
 * worker's pipe at each reload: again at the second reload, when the number may be somebody else's by then. A worker whose
 * write end is gone takes its master for dead and drops its connections. It only goes well once, because the next generation's workers
 * happen to have inherited the write end. So here the master keeps the write end for as long as the worker lives.
 */
#include "hitch_pipes.h"

#include "hitch_io.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
	int *fd; /* write ends */
	size_t n, cap;
	pid_t owner;
} kept;

/* A write end without a reader belongs to a worker that has ended. */
static void close_orphans(void)
{
	for (size_t i = 0; i < kept.n;) {
		struct pollfd p = {.fd = kept.fd[i], .events = POLLOUT};
		if (poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLNVAL)) != 0) {
			(void)close(kept.fd[i]);
			kept.fd[i] = kept.fd[--kept.n];
		} else {
			i++;
		}
	}
}

int hitch_pipe(int fd[2])
{
	close_orphans();
	if (kept.n == kept.cap) {
		size_t cap = kept.cap == 0 ? 16 : kept.cap * 2;
		int *more = realloc(kept.fd, cap * sizeof *more);
		if (more == NULL)
			return -1;
		kept.fd = more;
		kept.cap = cap;
	}
	if (pipe(fd) < 0)
		return -1;
	kept.owner = getpid();
	kept.fd[kept.n++] = fd[1];
	return 0;
}

int hitch_close(int fd)
{
	hitch_io_forget(fd);
	for (size_t i = 0; i < kept.n; i++) {
		if (kept.fd[i] != fd)
			continue;
		if (getpid() == kept.owner)
			return 0; /* the master, reloading */
		kept.fd[i] = kept.fd[--kept.n]; /* a worker, letting go of its own */
		break;
	}
	return close(fd);
}
