// SPDX-License-Identifier: Apache-2.0
/* access_log: one JSON line per request, buffered, never waited for. */
#ifndef BALANCE_ACCESS_LOG_H
#define BALANCE_ACCESS_LOG_H

#include "core.h"

struct access_log;

/* What `stdout` means. A guest's process has one of its own. */
extern int access_log_stdout;

/* path: `stdout` or a file to append to. NULL when it can't be opened (logged). */
struct access_log *access_log_open(const char *path);
void access_log_close(struct access_log *);

/* pool and endpoint may be NULL. */
void access_log_add(struct access_log *, const struct core_request *, uint64_t now_us, const char *pool,
                    const char *endpoint);

/* Writes what the file takes without waiting; called once per turn. Lines that find the buffer full are dropped and their number is logged. */
void access_log_flush(struct access_log *);

#endif
