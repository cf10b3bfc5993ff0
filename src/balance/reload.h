// SPDX-License-Identifier: Apache-2.0
/* reload: from a file to a configuration that every worker runs, or to a reason why not. */
#ifndef BALANCE_RELOAD_H
#define BALANCE_RELOAD_H

#include "master.h"

/* The load at start: parses, opens the listening sockets and the counters. On failure m->last_error says why. */
bool reload_first(struct master *);

/* Reads a whole file; *text is for the caller to free. On failure reason is filled in. */
bool reload_read(const char *file, char **text, size_t *n, char *reason, size_t size);

#endif
