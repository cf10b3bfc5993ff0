// SPDX-License-Identifier: Apache-2.0
/* socket: opening, and moving bytes with one result type. */
#ifndef BALANCE_SOCKET_H
#define BALANCE_SOCKET_H

#include "conf.h"

#include <sys/stat.h>
#include <sys/uio.h>

enum io { IO_OK, IO_AGAIN, IO_EOF, IO_ERROR };

/* A listening, non-blocking socket for a listener, or -1 with *what naming the call that failed and errno set.
 * A Unix socket replaces its path in one step, so that a client finds either the old or the new one. */
int socket_listen(const struct listener *, const char **what);

/* Removes the path of a socket that is closed, unless a successor has put its own there meanwhile. own: what it was when it was opened. */
void socket_unlink(const char *path, const struct stat *own);

/* Listens on a Unix path, mode 0600. type: SOCK_STREAM, SOCK_SEQPACKET. */
int socket_listen_unix(const char *path, int type, int backlog, const char **what);

/* Begins to connect, from an address unless its len is 0. Returns the socket, with *done telling whether it is connected already, or -1 with errno. */
int socket_connect(const struct addr *, const struct addr *from, bool *done);

/* The pending error of a socket, as errno; 0 when there is none. */
int socket_error(int fd);

enum io socket_recv(int fd, struct iovec, size_t *n);
enum io socket_send(int fd, struct iovec, size_t *n);

#endif
