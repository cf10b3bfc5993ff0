// SPDX-License-Identifier: Apache-2.0
/* checker: the process that makes the active checks. A child of the master like a worker, there while a pool asks for checks. It alone writes
 * the channels' `check` words; they outlive it, so that one that is killed is replaced and nothing changes meanwhile. */
#ifndef BALANCE_CHECKER_H
#define BALANCE_CHECKER_H

#include "conf.h"

/* The child's life. conf is its own copy. */
_Noreturn void checker_run(struct conf *, int master_fd);

#endif
