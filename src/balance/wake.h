// SPDX-License-Identifier: Apache-2.0
/* wake: one worker tells another that something in shared memory has changed for it. An eventfd per worker, made before the first fork and
 * inherited by all, also by a worker that takes the place of a dead one, or handed to a guest (guests.h). */
#ifndef BALANCE_WAKE_H
#define BALANCE_WAKE_H

/* Before the first fork. Returns 0, or -1 with errno. */
int wake_init(unsigned workers);

/* What another process needs for wake_join: the bells, then an eventfd for each worker. Returns how many it has written, 1 + workers. */
unsigned wake_fds(int *fds);

/* In a process that was not forked from the master. Takes the descriptors. Returns 0, or -1 with errno. */
int wake_join(const int *fds, unsigned workers);
void wake_leave(void);

/* Wakes one worker. Calls that come before it has woken up cost no system call. */
void wake(unsigned worker);

/* Wakes all of them, whatever is on its way: whoever was about to wake one may have died before it did. */
void wake_all(void);

/* The descriptor this worker watches for input, and what it calls first when there is some. */
int wake_fd(unsigned worker);
void wake_taken(unsigned worker);

#endif
