// SPDX-License-Identifier: Apache-2.0
/* handover: a configuration as the master's children get it. */
#ifndef BALANCE_HANDOVER_H
#define BALANCE_HANDOVER_H

#include "conf.h"
#include "message.h"

/* Reads the file that came with a MESSAGE_CONF, closes it, and maps the counters. NULL, logged, when that cannot be done: the text was checked by the
 * master, so this process is out of memory, or not of the master's version. */
struct conf *handover_read(const struct message *, int fd);

/* One more than the highest slot of conf. */
uint32_t handover_slots(struct conf *);

#endif
