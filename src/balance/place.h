// SPDX-License-Identifier: Apache-2.0
/* place: taking one of so many places that all workers share. */
#ifndef BALANCE_PLACE_H
#define BALANCE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/* Raises this worker's number v of a slot by one, unless the sum over all workers would pass `limit`. Never gives out more; of workers that race
 * for the last place it can happen, rarely, that none gets it. Ordered before every later look at shared memory. */
bool place_take(uint32_t slot, unsigned v, unsigned worker, uint32_t limit);

/* Raises it whatever the sum is. */
void place_add(uint32_t slot, unsigned v, unsigned worker);

/* Gives one back; ordered before every later look at shared memory. */
void place_give(uint32_t slot, unsigned v, unsigned worker);

#endif
