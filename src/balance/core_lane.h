// SPDX-License-Identifier: Apache-2.0
/* core_lane: what the lanes of the core share among themselves. */
#ifndef BALANCE_CORE_LANE_H
#define BALANCE_CORE_LANE_H

#include "core.h"

/* The first two: nothing is known of the client yet but what is read then. */
enum core_state { CORE_READ_PROXY, CORE_READ_HELLO, CORE_CONNECTING, CORE_RELAYING, CORE_CLOSED };

void core_close_for(struct core *, enum core_why);
void core_drop_stream(struct core *, enum side);
/* Room in the buffer for a side, taking one when there is none; iov_len 0 when it is full or memory ran out (the core closes then). */
struct iovec core_room(struct core *, enum side);

/* TCP lane: bytes as they come. */
void relay_start(struct core *, const struct pool *);
struct iovec relay_space(struct core *, enum side from);
void relay_eof(struct core *, enum side from);
void relay_broken(struct core *, enum side);
void relay_client_gone(struct core *, bool left_bytes);
struct iovec relay_pending(const struct core *, enum side to);
void relay_output(struct core *, enum side to);
size_t relay_pass_limit(const struct core *, enum side from);
void relay_connected(struct core *);
uint64_t relay_deadline(const struct core *);

/* HTTP lane: a request at a time. */
void http_start(struct core *, const struct table *);
void http_end(struct core *);
struct iovec http_space(struct core *, enum side from);
void http_input(struct core *, enum side from);
void http_eof(struct core *, enum side from);
void http_broken(struct core *, enum side);
void http_client_gone(struct core *);
struct iovec http_pending(const struct core *, enum side to);
void http_output(struct core *, enum side to, size_t n);
size_t http_pass_limit(const struct core *, enum side from);
void http_passed(struct core *, enum side from, size_t n);
void http_connected(struct core *, bool reused);
void http_unreachable(struct core *, enum core_failure);
bool http_is_pods_turn(const struct core *);
uint64_t http_deadline(const struct core *);
void http_expired(struct core *);

#endif
