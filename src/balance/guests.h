// SPDX-License-Identifier: Apache-2.0
/* guests: the master's side of workers in other programs' processes (guest.h).
 *
 * A process that connects to the `guests` socket becomes a worker with a number behind those of the master's own: it is handed the shared memory
 * (MESSAGE_JOINED, with the counters, the clients, the master's standard output, the bells, then an eventfd for each worker) and the configuration, takes part in
 * each reload, and is forgotten like a worker that died when its end of the connection closes. Whoever may connect is trusted as a worker is: the socket's permissions decide. */
#ifndef BALANCE_GUESTS_H
#define BALANCE_GUESTS_H

#include "master.h"

/* To be raised with every change of what lies in shared memory: a program that was built before, and runs on beside a new master, stays out. */
enum { GUESTS_LAYOUT = 1 };

/* Opens the socket of m->conf. False with errno. */
bool guests_open(struct master *);

/* Takes one that waits at the socket. */
void guests_accept(struct master *);

/* It has gone. */
void guests_bury(struct master *, unsigned worker);

/* No more of them. */
void guests_close(struct master *);

static inline bool guests_has(const struct master *m, unsigned worker)
{
	return worker >= m->workers_n;
}

#endif
