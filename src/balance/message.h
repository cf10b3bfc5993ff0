// SPDX-License-Identifier: Apache-2.0
/* message: what master and workers say to each other, over SOCK_SEQPACKET sockets; descriptors may travel with a message. */
#ifndef BALANCE_MESSAGE_H
#define BALANCE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_type {
	/* master → worker */
	MESSAGE_PORT = 1, /* fd: a new listening socket for listener `slot` of the configuration to come */
	MESSAGE_CONF,     /* fd: a file with `size` bytes of configuration text, then `slots` slot numbers (conf_slots order) */
	MESSAGE_DRAIN,    /* close the listening sockets, end when the connections have ended or after `size` ms */
	MESSAGE_JOINED,   /* to a guest, before all others: it is worker `slot` of `slots`; `size` is GUESTS_LAYOUT; fds as in guests.h */
	/* worker or checker → master */
	MESSAGE_LIVE, /* `generation` is what this worker runs now */
	MESSAGE_HEALTH, /* the channel with `slot` changed: `size` is of enum health_change, `generation` says why (check.h) when a check did it */
};

struct message {
	uint32_t type;
	uint32_t slot;
	uint64_t generation;
	uint64_t size;
	uint32_t slots;
	uint32_t unused;
};

/* At most so many descriptors go with one message; Linux takes 253 (SCM_MAX_FD). */
enum { MESSAGE_FDS = 128 };

/* fd -1: none. False with errno when it could not be sent; EAGAIN when the peer is behind. */
bool message_send(int socket, const struct message *, int fd);
bool message_send_fds(int socket, const struct message *, const int *fds, size_t n);

enum message_result { MESSAGE_OK, MESSAGE_NONE, MESSAGE_GONE };

/* *fd is -1 or a descriptor that the caller now owns. */
enum message_result message_receive(int socket, struct message *, int *fd);

/* The same with any number of descriptors, at most MESSAGE_FDS. */
enum message_result message_receive_fds(int socket, struct message *, int *fds, size_t *n);

#endif
