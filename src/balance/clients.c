// SPDX-License-Identifier: Apache-2.0
/* clients: how many requests each client address has under way. A shared table of entries that are free again as soon as all counts
 * are zero; each worker writes only its own count, as in shm.h. */
#include "clients.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

enum { ENTRIES = 1 << 16, PROBES = 32 };

struct entry {
	_Atomic uint64_t key; /* 0: never used */
	_Atomic uint32_t count[]; /* per worker */
};

static struct {
	unsigned char *at;
	size_t stride;
	unsigned workers;
} table;

int clients_init(unsigned workers)
{
	table.workers = workers;
	table.stride = (sizeof(struct entry) + workers * sizeof(uint32_t) + 7) / 8 * 8;
	/* Touched only where limits are used, so that it costs nothing elsewhere. */
	void *p = mmap(NULL, ENTRIES * table.stride, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	table.at = p;
	return 0;
}

static struct entry *entry_at(uint64_t i)
{
	return (struct entry *)(void *)(table.at + (i % ENTRIES) * table.stride);
}

static uint64_t sum(struct entry *e)
{
	uint64_t n = 0;
	for (unsigned w = 0; w < table.workers; w++)
		n += atomic_load(&e->count[w]);
	return n;
}

static struct entry *find(uint64_t key)
{
	for (;;) {
		struct entry *free = NULL;
		for (unsigned i = 0; i < PROBES; i++) {
			struct entry *e = entry_at(key + i);
			uint64_t k = atomic_load(&e->key);
			if (k == key)
				return e;
			if (free == NULL && (k == 0 || sum(e) == 0))
				free = e;
			if (k == 0)
				break;
		}
		if (free == NULL)
			return NULL;
		uint64_t old = atomic_load(&free->key);
		if (old == key || (sum(free) == 0 && atomic_compare_exchange_strong(&free->key, &old, key)))
			return free;
	}
}

uint32_t clients_take(unsigned worker, uint64_t key, uint32_t limit)
{
	struct entry *e = find(key == 0 ? 1 : key);
	if (e == NULL)
		return NO_TICKET;
	atomic_fetch_add(&e->count[worker], 1);
	if (sum(e) > limit) {
		atomic_fetch_sub(&e->count[worker], 1);
		return 0;
	}
	return (uint32_t)(((unsigned char *)e - table.at) / table.stride) + 1;
}

void clients_release(unsigned worker, uint32_t ticket)
{
	if (ticket != NO_TICKET)
		atomic_fetch_sub(&entry_at(ticket - 1)->count[worker], 1);
}

void clients_forget_worker(unsigned worker)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct entry *e = entry_at(i);
		/* Only reads, unless it was in use: pages never touched stay untouched but for the zero page. */
		if (atomic_load(&e->count[worker]) != 0)
			atomic_store(&e->count[worker], 0);
	}
}
