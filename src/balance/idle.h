// SPDX-License-Identifier: Apache-2.0
/* idle: pods' connections between two requests, per channel, last used first taken. */
#ifndef BALANCE_IDLE_H
#define BALANCE_IDLE_H

#include "conn.h"

/* Takes a resting connection to a channel, or returns NULL. */
struct sock *idle_take(struct worker *, uint32_t slot);

/* Lets a pod's connection rest; closes it when there are enough. */
void idle_put(struct worker *, struct sock *);

/* Lets a pod's connection that must not serve others rest with its client's connection; closes it when it says something. */
void idle_keep(struct worker *, struct sock **keeper, struct sock *);
struct sock *idle_unkeep(struct worker *, struct sock **keeper);

/* Neither an end nor an answer that nobody asked for has come, not even one whose event is still to be handled. */
bool idle_is_silent(const struct sock *);

/* Closes a socket and forgets it, idle or not. */
void sock_drop(struct worker *, struct sock *);

/* Closes all that rest in the lists. */
void idle_drop_all(struct worker *);

void idle_timer(struct worker *, struct timer *);

/* Makes room for slots below n and closes connections to channels that conf no longer has. False when memory ran out. */
bool idle_settle(struct worker *, const struct conf *, uint32_t n);

#endif
