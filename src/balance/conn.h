// SPDX-License-Identifier: Apache-2.0
/* conn: a core with sockets: the I/O half of one connection. */
#ifndef BALANCE_CONN_H
#define BALANCE_CONN_H

#include "pool.h"
#include "worker.h"

struct sock {
	struct source source;
	uint8_t side;
	bool readable;  /* a read may give something */
	bool blocked;   /* the last write filled the socket; EPOLLOUT will tell */
	bool hup;       /* the peer's end, an error or urgent data is known: read until nothing more comes */
	bool watch_out; /* EPOLLOUT is registered */
	bool is_unix;
	bool bulk;      /* full buffers in a row: let the kernel move the bytes */
	int fd;         /* -1: none */
};

struct conn {
	struct sock sock[2]; /* CLIENT, POD */
	struct core core;
	struct worker *worker;
	struct conn *next; /* in worker->dead or worker->again */
	struct timer timer;
	struct attempt attempt;
	uint64_t generation;    /* of the configuration that core.pool belongs to */
	uint64_t connect_until; /* 0: not connecting */
	uint32_t slot;          /* channel; NO_SLOT when no place is held */
	struct pipe_pair *pipe[2]; /* bytes on their way from a side, in the kernel */
	bool closed, queued;
};

#define NO_SLOT UINT32_MAX

/* Takes over an accepted socket. */
void conn_open(struct worker *, const struct port *, int fd, const struct addr *peer);

/* Something happened on one of the two sockets: EPOLL* bits. */
void conn_event(struct worker *, struct sock *, uint32_t events);

/* Goes on where the last turn stopped. */
void conn_again(struct worker *, struct conn *);
void conn_timer(struct worker *, struct timer *);
void conn_close(struct worker *, struct conn *);

/* Notes that a socket is full, or no longer, and asks epoll to tell of the change. */
void conn_set_blocked(struct worker *, struct sock *, bool blocked);

/* After a turn: frees what was closed in it. */
void conn_bury(struct worker *);

static inline struct conn *conn_of(struct sock *s)
{
	return (struct conn *)(void *)((unsigned char *)(s - s->side) - offsetof(struct conn, sock));
}

#endif
