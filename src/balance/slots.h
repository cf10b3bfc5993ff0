// SPDX-License-Identifier: Apache-2.0
/* slots: which listener, group or channel owns which counters; kept by the master over reloads. */
#ifndef BALANCE_SLOTS_H
#define BALANCE_SLOTS_H

#include "conf.h"

#include <stdint.h>

struct slot_owner {
	uint32_t slot;
	uint64_t generation; /* the last one that named it */
	size_t len;
	char key[]; /* conf_slots' key, NUL-terminated */
};

struct slots {
	struct map owners;
	uint32_t *free; /* slots whose owner has gone */
	size_t free_n, free_cap;
	uint32_t used; /* slots ever handed out */
};

/* Whether a number tells of something under way; the others only grow. Where answers are counted by code, or by time, all eight do. */
bool slots_is_gauge(const struct slot_owner *, unsigned v);

/* Writes every slot number of conf: that of the same key before, or a fresh one. False when memory ran out. */
bool slots_assign(struct slots *, struct conf *, uint64_t generation);

/* Takes back what generations before this one named and no connection uses. Only when every worker runs this generation. */
void slots_collect(struct slots *, uint64_t generation);

/* A worker died: its connections are gone, its totals stay. */
void slots_forget_worker(const struct slots *, unsigned worker);

/* Calls visit for each owner. */
void slots_each(const struct slots *, void (*visit)(void *with, const struct slot_owner *), void *with);

#endif
