// SPDX-License-Identifier: Apache-2.0
/* worker: one process that accepts, connects and relays, in one epoll loop. */
#ifndef BALANCE_WORKER_H
#define BALANCE_WORKER_H

#include "conf.h"
#include "core.h"
#include "timer.h"

#include <stdint.h>

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

/* Resting connections to one channel. */
struct idle_list {
	struct sock *first;
	bool live; /* the channel is in the current configuration */
};

struct worker {
	struct core_env env;
	unsigned id;
	int epoll;
	struct source master, wake;
	int master_fd;
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

/* A worker's life, called in the forked child; never returns. ports: one fd per listener of conf, in its order.
 * conf is the child's own copy. */
_Noreturn void worker_run(unsigned id, struct conf *conf, uint64_t generation, const int *ports, int master_fd);

/* Says which call failed, with errno, and ends the process: the master starts another. */
_Noreturn void worker_die(const char *what);

#endif
