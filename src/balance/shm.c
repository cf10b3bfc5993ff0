// SPDX-License-Identifier: Apache-2.0
/* shm: counters that all workers share and that outlive each of them. */
#include "shm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct shm shm = {.fd = -1};

/* A multiple of any page size there is, since what follows is mapped by itself. */
enum { HEAD = 65536 };

int shm_join(int fd, unsigned workers)
{
	shm.workers = workers;
	shm.stride = SHM_ROW * (1 + (size_t)workers);
	shm.fd = fd;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	shm.head = p == MAP_FAILED ? NULL : p;
	return shm.head == NULL ? -1 : 0;
}

int shm_init(unsigned workers, unsigned used)
{
	int fd = memfd_create("balance-counters", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, HEAD) < 0 || shm_join(fd, workers) < 0)
		return -1;
	atomic_store(&shm.head->used, used);
	return 0;
}

void shm_use(unsigned worker)
{
	if (shm_used() <= worker)
		atomic_store(&shm.head->used, worker + 1);
}

void shm_leave(void)
{
	for (size_t i = 0; i < shm.chunks; i++)
		munmap(shm.chunk[i], SHM_CHUNK_SLOTS * shm.stride);
	free(shm.chunk);
	if (shm.head != NULL)
		munmap(shm.head, HEAD);
	if (shm.fd >= 0)
		close(shm.fd);
	shm = (struct shm){.fd = -1};
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
		off_t offset = (off_t)(HEAD + shm.chunks * size);
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
	const unsigned used = shm_used();
	for (unsigned w = 0; w < used; w++)
		sum += atomic_load_explicit(&shm_cell(slot, w)->v[v], memory_order_seq_cst);
	return sum;
}
