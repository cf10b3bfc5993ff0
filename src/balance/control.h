// SPDX-License-Identifier: Apache-2.0
/* control: the control socket: one command per line in, JSON lines out (docs/balance-config.md). */
#ifndef BALANCE_CONTROL_H
#define BALANCE_CONTROL_H

#include <poll.h>
#include <stddef.h>

struct control;
struct master;

/* NULL when the socket cannot be opened (logged). */
struct control *control_open(const char *path);
void control_close(struct control *);

/* In a forked child: drops the descriptors. */
void control_leave(struct control *);

enum { CONTROL_CLIENTS = 32, CONTROL_POLLS = CONTROL_CLIENTS + 1 };

/* Fills in what to poll for and returns how many; control_handle takes the same entries back. */
size_t control_polls(const struct control *, struct pollfd polls[CONTROL_POLLS]);
void control_handle(struct control *, struct master *, const struct pollfd *, size_t n);

#endif
