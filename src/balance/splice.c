// SPDX-License-Identifier: Apache-2.0
/* splice: bulk data moved inside the kernel, through a pipe (splice(2)). */
#include "splice.h"

#include "shm.h"
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	PIPE_SIZE = 1 << 18,   /* what one splice may take in */
	CALM = 1 << 14,        /* less than this at a time is cheaper to copy */
};

struct pipe_pair {
	struct pipe_pair *next;
	int fd[2];
	size_t held; /* bytes in the pipe */
};

static struct pipe_pair *take(struct worker *w)
{
	struct pipe_pair *p = w->pipes;
	if (p != NULL) {
		w->pipes = p->next;
		return p;
	}
	p = w->pipes_left == 0 ? NULL : malloc(sizeof *p);
	if (p == NULL)
		return NULL;
	p->held = 0;
	if (pipe2(p->fd, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(p);
		return NULL;
	}
	w->pipes_left--;
	/* Refused beyond the user's pipe budget; the default size works too. */
	(void)fcntl(p->fd[0], F_SETPIPE_SZ, PIPE_SIZE);
	return p;
}

void splice_give_back(struct worker *w, struct pipe_pair *p)
{
	if (p == NULL)
		return;
	if (p->held == 0) {
		p->next = w->pipes;
		w->pipes = p;
		return;
	}
	close(p->fd[0]);
	close(p->fd[1]);
	free(p);
	w->pipes_left++;
}

void splice_drop_all(struct worker *w)
{
	while (w->pipes != NULL) {
		struct pipe_pair *p = w->pipes;
		w->pipes = p->next;
		close(p->fd[0]);
		close(p->fd[1]);
		free(p);
	}
}

static enum io move(int from, int to, size_t limit, size_t *n)
{
	ssize_t r = splice(from, NULL, to, NULL, limit, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	*n = r > 0 ? (size_t)r : 0;
	if (r > 0)
		return IO_OK;
	if (r == 0)
		return IO_EOF;
	return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_ERROR;
}

static void leave(struct worker *w, struct conn *c, enum side from)
{
	splice_give_back(w, c->pipe[from]);
	c->pipe[from] = NULL;
	conn_sock(c, from)->bulk = false;
}

static bool empty_pipe(struct worker *w, struct conn *c, enum side from)
{
	const enum side to = other(from);
	struct pipe_pair *p = c->pipe[from];
	size_t n;
	switch (move(p->fd[0], conn_sock(c, to)->fd, p->held, &n)) {
	case IO_OK:
		p->held -= n;
		shm_add(shm_cell(c->slot, w->id), from == CLIENT ? V_IN : V_OUT, n);
		core_passed(&c->core, from, n);
		return true;
	case IO_AGAIN:
		conn_set_blocked(w, conn_sock(c, to), true);
		return false;
	default:
		/* As in conn.c. What the pipe holds has nowhere to go: kept, it would be tried again for ever. */
		conn_sock(c, to)->readable = conn_sock(c, to)->hup = conn_sock(c, to)->broken = true;
		core_broken(&c->core, to);
		leave(w, c, from);
		return true;
	}
}

static bool fill_pipe(struct worker *w, struct conn *c, enum side from)
{
	struct sock *s = conn_sock(c, from);
	size_t n;
	if (!s->readable)
		return false;
	size_t limit = core_pass_limit(&c->core, from);
	if (limit == 0) {
		leave(w, c, from);
		return false;
	}
	switch (move(s->fd, c->pipe[from]->fd[1], limit < PIPE_SIZE ? limit : PIPE_SIZE, &n)) {
	case IO_OK:
		c->pipe[from]->held += n;
		if (n < CALM)
			s->bulk = false;
		return true;
	case IO_AGAIN:
		leave(w, c, from);
		if (s->hup)
			return true; /* at urgent data splice(2) stops for good; a plain read goes on */
		s->readable = false;
		return false;
	case IO_ERROR:
		if (errno != EINVAL) {
			/* A socket tells its error once: the plain way would take what follows for an orderly end. */
			s->readable = false;
			leave(w, c, from);
			core_broken(&c->core, from);
			core_eof(&c->core, from);
			return true;
		}
		/* It cannot be spliced. */
		__attribute__((fallthrough));
	default:
		/* The plain way sees the end again and deals with it. */
		leave(w, c, from);
		return true;
	}
}

bool splice_flow(struct worker *w, struct conn *c, enum side from)
{
	bool moved = false;
	if (c->pipe[from] == NULL && (c->pipe[from] = take(w)) == NULL) {
		conn_sock(c, from)->bulk = false;
		return true;
	}
	if (c->pipe[from]->held == 0)
		moved = fill_pipe(w, c, from);
	if (c->pipe[from] != NULL && c->pipe[from]->held > 0 && !conn_sock(c, other(from))->blocked)
		moved |= empty_pipe(w, c, from);
	/* Leave only once the pipe is empty, or bytes would overtake each other. */
	if (c->pipe[from] != NULL && c->pipe[from]->held == 0 &&
	    (!conn_sock(c, from)->bulk || core_pass_limit(&c->core, from) == 0))
		leave(w, c, from);
	c->core.held[from] = c->pipe[from] != NULL && c->pipe[from]->held > 0;
	return moved;
}
