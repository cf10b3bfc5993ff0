/* SPDX-License-Identifier: Apache-2.0 */
/* hitch_io: what Hitch, libev and OpenSSL's socket BIO call instead of the C library; the build renames it in them (vendor/packages/hitch.sh). */
#ifndef HITCH_IO_H
#define HITCH_IO_H

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* In hitch.c. Arguments and results as accept4(2), connect(2), recv(2), send(2), _exit(2). */
int hitch_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int hitch_connect(int fd, const struct sockaddr *addr, socklen_t len);
ssize_t hitch_recv(int fd, void *at, size_t n, int flags);
ssize_t hitch_send(int fd, const void *at, size_t n, int flags);
_Noreturn void hitch__exit(int status);

/* In OpenSSL's socket BIO: read(2), write(2). */
ssize_t hitch_read(int fd, void *at, size_t n);
ssize_t hitch_write(int fd, const void *at, size_t n);

/* In libev: epoll_ctl(2), epoll_wait(2). */
int hitch_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int hitch_epoll_wait(int epoll, struct epoll_event *events, int max, int timeout);

/* More bytes of this socket's lie in memory already: it counts as readable until a read says otherwise. */
void hitch_io_readable(int fd);

/* The last client who waited could not be taken: there are no descriptors, or there is no memory. */
bool hitch_io_is_starved(void);

/* The number is about to be closed. */
void hitch_io_forget(int fd);

#endif
