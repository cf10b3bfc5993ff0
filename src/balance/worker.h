// SPDX-License-Identifier: Apache-2.0
/* worker: accepts, connects and relays, in one epoll loop: a process of its own, or a guest in another's (guest.h). */
#ifndef BALANCE_WORKER_H
#define BALANCE_WORKER_H

#include "conf.h"
#include "core.h"
#include "timer.h"

#include <stdint.h>
#include <sys/epoll.h>

/* Everything epoll can report on begins with its kind. */
enum source_kind { SOURCE_SOCK, SOURCE_LISTENER, SOURCE_MASTER, SOURCE_WAKE };

struct source {
	uint8_t kind;
};

/* A listening socket as one worker holds it. */
struct port {
	struct source source;
	struct port *next;
	int fd;
	uint32_t slot;
	const struct listener *listener; /* of the current configuration */
	bool fresh;                      /* not yet watched */
};

struct conn;
struct sock;

/* Whoever has a guest in its process: what it is told of the clients it has handed over, by the descriptors it knows them by. None of these may call
 * back into the guest. */
struct guest_host {
	void (*readable)(int fd); /* there are bytes for it */
	void (*writable)(int fd); /* it may send again */
	void (*ended)(int fd, bool gone); /* no more bytes will come for it; gone: and none are taken, the connection no longer exists */
};

/* Resting connections to one channel. */
struct idle_list {
	struct sock *first;
	bool live; /* the channel is in the current configuration */
};

struct worker {
	struct core_env env;
	unsigned id;
	const struct guest_host *host; /* NULL: a process of its own */
	int epoll;
	struct source master, wake;
	int master_fd;
	int spare; /* descriptor, in a guest: kept for what the master sends; -1: none */
	uint64_t generation;
	struct port *ports, *closed_ports;
	struct timer_wheel wheel;
	struct timer accept_again; /* set while accepting is paused */
	bool paused;
	bool draining;
	uint64_t drain_until;
	size_t conns, conns_max;
	struct conn *all;   /* open */
	struct conn *dead;  /* closed in this turn, freed after it */
	struct conn *again; /* have more to do than their share of a turn */
	struct conn *connecting; /* their core has a pool of the current configuration */
	struct queue *queues;    /* of pools that somebody here waits for */
	bool queue_due;          /* somebody who waits may have a place now */
	uint64_t queue_poll;     /* when to look in any case */
	struct sock *dead_socks;
	struct idle_list *idle; /* by slot */
	uint32_t idle_cap;
	size_t idle_n, idle_max;
	size_t kept_n; /* of all connections, those with one that rests for them alone */
	uint64_t random[2];
	struct access_log *access_log;
	struct pipe_pair *pipes; /* empty ones, kept */
	size_t pipes_left;       /* how many more may be made */
};

/* The parts of a worker's life, for who waits in a loop of its own. worker_begin: w is all zeros but for host, the epoll set is the caller's, and
 * takes descriptors whose data.ptr is a struct source. Takes conf, a copy of its own, and master_fd. */
void worker_begin(struct worker *, unsigned id, struct conf *, uint64_t generation, int epoll, int master_fd);

/* How long the next wait may last: milliseconds, -1 for ever. */
int worker_wait_ms(const struct worker *);

/* What has to be done after each wait. */
void worker_turn(struct worker *, const struct epoll_event *, int n);

/* It was told to end, and its connections have, or their time is up. */
bool worker_is_over(const struct worker *);

/* Closes what is left and frees everything. */
void worker_end(struct worker *);

/* A worker's life, called in the forked child; never returns. ports: one fd per listener of conf, in its order.
 * conf is the child's own copy. */
_Noreturn void worker_run(unsigned id, struct conf *conf, uint64_t generation, const int *ports, int master_fd);

/* Says which call failed, with errno, and ends the process: the master starts another. */
_Noreturn void worker_die(const char *what);

#endif
