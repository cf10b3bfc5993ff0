// SPDX-License-Identifier: Apache-2.0
/* worker: one process that accepts, connects and relays, in one epoll loop. */
#ifndef BALANCE_WORKER_H
#define BALANCE_WORKER_H

#include "conf.h"
#include "core.h"
#include "timer.h"

#include <stdint.h>

/* Everything epoll can report on begins with its kind. */
enum source_kind { SOURCE_SOCK, SOURCE_LISTENER, SOURCE_MASTER };

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

struct worker {
	struct core_env env;
	unsigned id;
	int epoll;
	struct source master;
	int master_fd;
	uint64_t generation;
	struct port *ports, *closed_ports;
	struct timer_wheel wheel;
	struct timer accept_again; /* set while accepting is paused */
	bool paused;
	bool draining;
	uint64_t drain_until;
	size_t conns, conns_max;
	struct conn *dead;  /* closed in this turn, freed after it */
	struct conn *again; /* have more to do than their share of a turn */
	struct pipe_pair *pipes; /* empty ones, kept */
	size_t pipes_left;       /* how many more may be made */
};

/* A worker's life, called in the forked child; never returns. ports: one fd per listener of conf, in its order.
 * conf is the child's own copy. */
_Noreturn void worker_run(unsigned id, struct conf *conf, uint64_t generation, const int *ports, int master_fd);

#endif
