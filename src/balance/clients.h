// SPDX-License-Identifier: Apache-2.0
/* clients: how many requests each client address has under way, over all workers, for limits per client. */
#ifndef BALANCE_CLIENTS_H
#define BALANCE_CLIENTS_H

#include <stdint.h>

/* Before the first fork. Returns 0, or -1 with errno. */
int clients_init(unsigned workers);

/* In a process that was not forked from the master: the file that the master's clients_fd names, made for so many workers. Takes the descriptor. */
int clients_join(int fd, unsigned workers);
int clients_fd(void);
void clients_leave(void);

/* Takes one of `limit` places for a key (a hash of address and rule). Returns a ticket above 0, or 0 when all are taken. When the table
 * has no room for another client (it has for 131,072 at a time) the request is let through without being counted: NO_TICKET. */
uint32_t clients_take(unsigned worker, uint64_t key, uint32_t limit);
void clients_release(unsigned worker, uint32_t ticket);

/* A worker died: its requests are gone. */
void clients_forget_worker(unsigned worker);

#define NO_TICKET UINT32_MAX

#endif
