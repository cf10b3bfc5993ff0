// SPDX-License-Identifier: Apache-2.0
/* connect: how a connection gets its pod. */
#ifndef BALANCE_CONNECT_H
#define BALANCE_CONNECT_H

#include "conn.h"

/* The core asks for a pod of core.pool. Ends in core_connected or core_unreachable, at once or by the events below. */
void connect_start(struct worker *, struct conn *);

/* Something happened on the socket on its way to a channel: EPOLL* bits. */
void connect_event(struct worker *, struct conn *, uint32_t events);

/* The attempt's time is over, or that of waiting for a place. */
void connect_expired(struct worker *, struct conn *);

/* The connection ends, or has its pod. */
void connect_forget(struct conn *);

/* One who waits looks for a place once more. False when it goes on waiting. */
bool connect_retry(struct worker *, struct conn *);

/* One whose queue the new configuration has no more starts anew; if its pool is gone it is refused. */
void connect_requeue(struct worker *, struct conn *);

/* The input of a client that waits has ended. With nothing of it left to deliver it counts as gone: over TCP, closing and ending one's output look
 * alike, and what nobody reads is not worth a place. */
void connect_check_client(struct conn *);

/* The configuration is about to be replaced: those who are still looking for a pod go by the new one. */
void connect_repool(struct worker *, const struct conf *coming);

#endif
