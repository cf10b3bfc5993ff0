// SPDX-License-Identifier: Apache-2.0
/* connect: how a connection gets its pod. */
#ifndef BALANCE_CONNECT_H
#define BALANCE_CONNECT_H

#include "conn.h"

/* The core asks for a pod of core.pool. Ends in core_connected or core_unreachable, at once or by the events below. */
void connect_start(struct worker *, struct conn *);

/* Something happened on the socket on its way to a channel: EPOLL* bits. */
void connect_event(struct worker *, struct conn *, uint32_t events);

/* The attempt's time is over. */
void connect_expired(struct worker *, struct conn *);

/* The connection ends, or has its pod. */
void connect_forget(struct conn *);

/* The configuration is about to be replaced: those who are still looking for a pod go by the new one. */
void connect_repool(struct worker *, const struct conf *coming);

#endif
