// SPDX-License-Identifier: Apache-2.0
/* count: counters as the control socket tells them: since the start, or since the last `reset`.
 *
 * The cells belong to the workers, who add without a lock; so a reset cannot write them. It notes what they stand at. */
#ifndef BALANCE_COUNT_H
#define BALANCE_COUNT_H

#include "slots.h"

/* One number of a slot. What is under way (V_ACTIVE where it is that) is told as it is. */
uint64_t count_of(uint32_t slot, unsigned v);

/* Everything that grows counts from zero again. False when memory ran out; nothing has changed then. */
bool count_reset(const struct slots *);

/* The slot gets another owner, with cells that are all zero. */
void count_forget(uint32_t slot);

#endif
