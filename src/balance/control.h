// SPDX-License-Identifier: Apache-2.0
/* control: the control socket: one command per line in, JSON lines out (docs/balance-config.md). */
#ifndef BALANCE_CONTROL_H
#define BALANCE_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

/* Tells those who follow of channels that have changed; unless it has to be now, does nothing until it is time. */
void control_look(struct control *, const struct master *, bool now);

/* There is something to see. */
void control_look_soon(struct control *);

/* How long the master may wait until then; -1: as long as it likes. */
int control_wait_ms(const struct control *);

/* The configuration is another one: the channels are as they are now. */
void control_reloaded(struct control *, const struct master *);

/* Begins the JSON line of an event for those who follow, to be ended by control_tell. NULL when nobody does, or memory ran out. */
FILE *control_event(struct control *, const char *event);
void control_tell(struct control *);

/* The client whose command is being answered follows from now on. False when memory ran out. */
bool control_follow(struct control *, const struct master *);

#endif
