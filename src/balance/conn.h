// SPDX-License-Identifier: Apache-2.0
/* conn: a core with sockets: the I/O half of one connection. A guest's client has no socket here: its bytes are handed over (guest.h). */
#ifndef BALANCE_CONN_H
#define BALANCE_CONN_H

#include "pool.h"
#include "shm.h"
#include "worker.h"

/* A connected socket. A pod's socket outlives its connection: between requests it rests in the worker's idle lists (idle.h). */
struct sock {
	struct source source;
	uint8_t side;
	bool readable;  /* a read may give something */
	bool blocked;   /* the last write filled the socket; EPOLLOUT will tell */
	bool hup;       /* the peer's end, an error or urgent data is known: read until nothing more comes */
	bool watch_out; /* EPOLLOUT is registered */
	bool is_unix;
	bool inner;     /* handed over by the host, fd is the host's name for it: readable means that the host waits for room, blocked that it knows of
	                 * the bytes for it, hup that it has closed */
	bool bulk;      /* full buffers in a row: let the kernel move the bytes */
	bool used;      /* has served a request before */
	bool broken;    /* a write failed */
	int fd;         /* -1: closed */
	uint32_t slot;  /* pods: the channel */
	uint8_t send_proxy;      /* pods: enum send_proxy; such a socket serves one client's connection only */
	struct preface *preface; /* pods: what is left of the PROXY header to send */
	struct conn *conn;   /* NULL: idle */
	struct sock *next, **link; /* in an idle list, kept by its client's connection, or among the dead */
	struct timer timer;  /* how long to stay idle */
};

struct conn {
	struct sock client;
	struct sock *pod; /* NULL: none */
	struct sock *kept; /* HTTP lane: a pod's connection between requests that must not serve others */
	struct core core;
	struct worker *worker;
	struct conn *next; /* in worker->dead or worker->again */
	struct conn *sibling, **sibling_link;       /* in worker->all */
	struct conn *connecting, **connecting_link; /* in worker->connecting */
	struct timer timer;
	struct attempt attempt;
	uint64_t connect_until; /* 0: not connecting */
	uint64_t connect_since; /* when the first attempt began */
	uint32_t slot;          /* channel; NO_SLOT when no place is held */
	enum core_failure failure; /* of the last attempt */
	uint32_t pool_slot;     /* of the pool that a judged connection belongs to */
	uint64_t searched;      /* the generation that attempt belongs to */
	struct pipe_pair *pipe[2]; /* bytes on their way from a side, in the kernel */
	struct waiter *waiter;     /* see queue.h; NULL: has not had to wait */
	uint32_t limit_slot;       /* whose limits it is subject to; NO_SLOT: none (limit.h) */
	uint32_t ticket;           /* of clients_take, 0: none */
	bool has_place;            /* of maxconn */
	bool had_channel;          /* since limit_slot was set */
	bool judged;            /* the pod's connection is new and has yet to show that it is good for something (judge.h) */
	bool closed, queued;
};

/* What a timer of the wheel belongs to. */
enum timer_kind { TIMER_CONN, TIMER_IDLE, TIMER_ACCEPT };

/* Takes over an accepted socket. */
void conn_open(struct worker *, const struct port *, int fd, const struct addr *peer);

/* Takes over a client that the host knows by fd. NULL: memory ran out. */
struct conn *conn_open_inner(struct worker *, const struct listener *, int fd);

/* Something happened on one of the two sockets: EPOLL* bits. */
void conn_event(struct worker *, struct sock *, uint32_t events);

/* Goes on where the last turn stopped. */
void conn_again(struct worker *, struct conn *);
void conn_timer(struct worker *, struct timer *);
void conn_close(struct worker *, struct conn *);

/* Registers a socket with epoll (op: EPOLL_CTL_*), with write interest or without. */
bool conn_watch(struct worker *, struct sock *, int op, bool out);

/* Closes the pod's socket and gives its place back. */
void conn_drop_pod(struct worker *, struct conn *);

/* Bytes of a side have come to the other. */
void conn_count_bytes(const struct conn *, enum side from, size_t n);

/* Does what is to be done and moves what can be moved. */
void conn_run(struct worker *, struct conn *);

/* Deadlines may have come nearer for all of them. */
void conn_hurry(struct worker *);

/* Notes that a socket is full, or no longer, and asks epoll to tell of the change. */
void conn_set_blocked(struct worker *, struct sock *, bool blocked);

/* After a turn: frees what was closed in it. */
void conn_bury(struct worker *);

static inline struct sock *conn_sock(struct conn *c, enum side s)
{
	return s == CLIENT ? &c->client : c->pod;
}

static inline struct shm_cell *conn_cell(const struct worker *w, uint32_t slot)
{
	return shm_cell(slot, w->id);
}

static inline struct conn *conn_of_core(struct core *core)
{
	return (struct conn *)(void *)((unsigned char *)core - offsetof(struct conn, core));
}

#endif
