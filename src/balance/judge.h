// SPDX-License-Identifier: Apache-2.0
/* judge: what becomes of a connection to a pod, told to health.
 *
 * A channel is at fault when it refuses, cannot be reached, does not answer a connect in time, or resets a new connection before any
 * byte came back. In the HTTP lane ending it without an answer is the same; in the TCP lane some protocols end so. Not at fault: a
 * client that leaves, any answer (5xx is the application's), a slow answer (a database that many wait for would take every endpoint
 * out at once), an end before the request was there as a whole (the client may have been too slow for the pod), and the end of a
 * connection kept from earlier requests, which any pod may close when it likes. */
#ifndef BALANCE_JUDGE_H
#define BALANCE_JUDGE_H

#include "conn.h"
#include "socket.h"

/* The attempt failed with this errno. While core.pool is set. */
void judge_failed(struct worker *, struct conn *, int error);

/* A new connection to the channel is made. Before core_connected. */
void judge_connected(struct worker *, struct conn *);

/* The first read from a new connection gave this (conn.judged). */
void judge_read(struct worker *, struct conn *, enum io);

/* The pod's connection is parted with before anything was heard. */
void judge_parted(struct worker *, struct conn *);

#endif
