// SPDX-License-Identifier: Apache-2.0
/* guest: a worker inside another program's process, which hands its clients over without a socket between.
 *
 * The host has one epoll set for its own descriptors and the guest's. It waits no longer than guest_wait_ms allows, gives the guest's events to
 * guest_turn, and passes bytes with guest_send and guest_recv, which are like send(2) and recv(2) on a connected socket that does not block; when it was told
 * to wait, or that there is nothing, struct guest_host says when that has changed. A guest is a worker to its master (guests.h) in all respects but
 * one: it listens nowhere. */
#ifndef BALANCE_GUEST_H
#define BALANCE_GUEST_H

#include "worker.h"

struct conn;

/* Begins to join the master whose `guests` socket is at path, unless that has happened, or was tried a moment ago. The guest's descriptors go into
 * epoll; their data.ptr are pointers, aligned to 8 bytes; the host's own data have to be none. */
void guest_join(const char *path, int epoll, const struct guest_host *);

/* Milliseconds that a wait may last: at most `most`, -1 for ever. */
int guest_wait_ms(int most);

/* After each wait: the guest's part of what came. */
void guest_turn(const struct epoll_event *, int n);

/* Whether there is still something to be done for a client, be it one that the host has closed. */
bool guest_is_busy(void);

/* A client for the listener on the Unix socket `path`, which the host knows by fd. NULL when the guest cannot take it (it has not joined, is about to
 * leave, knows no such listener, is full): the socket itself is still there. */
struct conn *guest_open(int fd, const char *path);

/* Bytes taken; -1 with errno EAGAIN (then guest_host.writable follows) or EPIPE. */
ssize_t guest_send(struct conn *, const void *, size_t);

/* Bytes given; -1 with errno EAGAIN (then guest_host.readable follows). The end is told by guest_host.ended. */
ssize_t guest_recv(struct conn *, void *, size_t);

/* The host closes; it is told nothing more of this client. */
void guest_close(struct conn *);

#endif
