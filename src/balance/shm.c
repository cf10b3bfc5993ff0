// SPDX-License-Identifier: Apache-2.0
/* shm: counters that all workers share and that outlive each of them. */
#include "shm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct shm shm = {.fd = -1};

int shm_init(unsigned workers)
{
	shm.workers = workers;
	shm.stride = SHM_ROW * (1 + (size_t)workers);
	shm.fd = memfd_create("balance-counters", MFD_CLOEXEC);
	return shm.fd < 0 ? -1 : 0;
}

int shm_map(uint32_t n)
{
	const size_t size = SHM_CHUNK_SLOTS * shm.stride;
	size_t want = ((size_t)n + SHM_CHUNK_SLOTS - 1) / SHM_CHUNK_SLOTS;
	if (want <= shm.chunks)
		return 0;
	unsigned char **table = realloc(shm.chunk, want * sizeof *table);
	if (table == NULL)
		return -1;
	shm.chunk = table;
	while (shm.chunks < want) {
		off_t offset = (off_t)(shm.chunks * size);
		/* Growing to a size the file has already is harmless, so workers need no special case. */
		off_t end = lseek(shm.fd, 0, SEEK_END);
		if (end < offset + (off_t)size && ftruncate(shm.fd, offset + (off_t)size) < 0)
			return -1;
		void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, shm.fd, offset);
		if (p == MAP_FAILED)
			return -1;
		shm.chunk[shm.chunks++] = p;
	}
	return 0;
}

void shm_clear(uint32_t slot)
{
	memset(shm_at(slot), 0, shm.stride);
}

uint64_t shm_sum(uint32_t slot, unsigned v)
{
	uint64_t sum = 0;
	for (unsigned w = 0; w < shm.workers; w++)
		sum += atomic_load_explicit(&shm_cell(slot, w)->v[v], memory_order_seq_cst);
	return sum;
}
