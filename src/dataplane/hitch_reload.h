/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_HITCH_RELOAD_H
#define DATAPLANE_HITCH_RELOAD_H

#include <ev.h>
#include <sys/types.h>

/* As fork(2); it is counted who is to be waited for in hitch_reload_write. */
pid_t hitch_reload_fork(void);
/* As ev_default_loop: a child that calls it has its sockets. */
struct ev_loop *hitch_reload_ev_default_loop(unsigned flags);
/* As write(2), after all children have said so, or a second has passed. */
ssize_t hitch_reload_write(int fd, const void *bytes, size_t n);
/* As ev_io_stop; who has connected to a listening socket by then is taken. */
void hitch_reload_ev_io_stop(struct ev_loop *loop, ev_io *w);
/* As listen(2). */
int hitch_reload_listen(int fd, int backlog);

#endif
