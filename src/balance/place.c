// SPDX-License-Identifier: Apache-2.0
/* place: taking one of so many places that all workers share. */
#include "place.h"

#include "shm.h"

/* Two workers that race for the last place both see it taken and both step back. A few unequal pauses let one of them have it. */
enum { RACES = 4 };

static void pause_for(unsigned turns)
{
	for (unsigned i = 0; i < turns; i++)
		atomic_signal_fence(memory_order_seq_cst);
}

/* Own cell first, then the sum: of all who take at once, the last to write sees every other, so the limit is never exceeded. */
bool place_take(uint32_t slot, unsigned v, unsigned worker, uint32_t limit)
{
	_Atomic uint64_t *mine = &shm_cell(slot, worker)->v[v];
	for (unsigned race = 0; race < RACES; race++) {
		atomic_fetch_add(mine, 1);
		uint64_t sum = shm_sum(slot, v);
		if (sum <= limit)
			return true;
		atomic_fetch_sub(mine, 1);
		if (sum > (uint64_t)limit + shm_used())
			return false;
		pause_for((worker + 1) * 64 * (race + 1));
	}
	return false;
}

void place_add(uint32_t slot, unsigned v, unsigned worker)
{
	atomic_fetch_add(&shm_cell(slot, worker)->v[v], 1);
}

void place_give(uint32_t slot, unsigned v, unsigned worker)
{
	atomic_fetch_sub(&shm_cell(slot, worker)->v[v], 1);
}
