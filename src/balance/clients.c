// SPDX-License-Identifier: Apache-2.0
/* clients: how many requests each client address has under way. A shared table of entries that are free again as soon as all counts
 * are zero. A key belongs to one row of entries, and who takes holds the row's lock, so that no two find different entries for one key and none
 * is given away while it is being taken. Each worker writes only its own counts, as in shm.h, and gives back without the lock. */
#include "clients.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	ROWS = 1 << 12,
	ROW = 32,
	PATIENCE = 10000, /* a lock is held for less than a microsecond, unless its holder was interrupted, or killed */
};

struct entry {
	uint64_t key; /* written under the row's lock, while no count is above zero */
	_Atomic uint32_t count[]; /* per worker */
};

struct row {
	_Alignas(64) _Atomic uint32_t holder; /* worker + 1; 0: free */
};

static struct {
	unsigned char *at;
	_Atomic uint8_t *used; /* per row: anything was ever taken there; so that a look at all of them touches few */
	size_t stride, row;
	unsigned workers;
	int fd;
} table = {.fd = -1};

static size_t size(void)
{
	return ROWS + ROWS * table.row;
}

static void lay_out(unsigned workers)
{
	table.workers = workers;
	table.stride = (sizeof(struct entry) + workers * sizeof(uint32_t) + 7) / 8 * 8;
	table.row = (sizeof(struct row) + ROW * table.stride + 63) / 64 * 64;
}

int clients_join(int fd, unsigned workers)
{
	lay_out(workers);
	table.fd = fd;
	void *p = mmap(NULL, size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	table.used = p;
	table.at = (unsigned char *)p + ROWS;
	return 0;
}

int clients_init(unsigned workers)
{
	lay_out(workers);
	/* A file has no pages where nothing was written: it costs nothing where no limits are used. */
	int fd = memfd_create("balance-clients", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)size()) < 0)
		return -1;
	return clients_join(fd, workers);
}

int clients_fd(void)
{
	return table.fd;
}

void clients_leave(void)
{
	if (table.used != NULL)
		munmap((void *)(uintptr_t)table.used, size());
	table.used = NULL;
	table.at = NULL;
	if (table.fd >= 0)
		close(table.fd);
	table.fd = -1;
}

static struct row *row_at(uint64_t i)
{
	return (struct row *)(void *)(table.at + i % ROWS * table.row);
}

static struct entry *entry_of(struct row *r, unsigned i)
{
	return (struct entry *)(void *)((unsigned char *)r + sizeof *r + i * table.stride);
}

static uint64_t sum(const struct entry *e)
{
	uint64_t n = 0;
	for (unsigned w = 0; w < table.workers; w++)
		n += atomic_load(&e->count[w]);
	return n;
}

/* False when somebody has held it for so long that it must have been stopped. */
static bool lock(struct row *r, unsigned worker)
{
	for (unsigned i = 0; i < PATIENCE; i++) {
		uint32_t nobody = 0;
		if (atomic_compare_exchange_strong(&r->holder, &nobody, worker + 1))
			return true;
		sched_yield();
	}
	return false;
}

static void unlock(struct row *r)
{
	atomic_store(&r->holder, 0);
}

static struct entry *find(struct row *r, uint64_t key)
{
	struct entry *empty = NULL;
	for (unsigned i = 0; i < ROW; i++) {
		struct entry *e = entry_of(r, i);
		if (e->key == key)
			return e;
		if (empty == NULL && sum(e) == 0)
			empty = e;
	}
	if (empty != NULL)
		empty->key = key;
	return empty;
}

static uint32_t ticket_of(const struct entry *e)
{
	const size_t offset = (size_t)((const unsigned char *)e - table.at);
	return (uint32_t)(offset / table.row * ROW + (offset % table.row - sizeof(struct row)) / table.stride) + 1;
}

uint32_t clients_take(unsigned worker, uint64_t key, uint32_t limit)
{
	struct row *r = row_at(key);
	uint32_t ticket = 0;
	if (!lock(r, worker))
		return 0;
	atomic_store_explicit(&table.used[key % ROWS], 1, memory_order_relaxed);
	struct entry *e = find(r, key);
	if (e == NULL) {
		ticket = NO_TICKET;
	} else if (sum(e) < limit) {
		atomic_fetch_add(&e->count[worker], 1);
		ticket = ticket_of(e);
	}
	unlock(r);
	return ticket;
}

void clients_release(unsigned worker, uint32_t ticket)
{
	if (ticket != NO_TICKET)
		atomic_fetch_sub(&entry_of(row_at((ticket - 1) / ROW), (ticket - 1) % ROW)->count[worker], 1);
}

void clients_forget_worker(unsigned worker)
{
	for (unsigned i = 0; i < ROWS; i++) {
		struct row *r = row_at(i);
		if (atomic_load(&table.used[i]) == 0)
			continue;
		for (unsigned k = 0; k < ROW; k++)
			atomic_store(&entry_of(r, k)->count[worker], 0);
		/* Last, so that whoever takes next finds the counts in order. */
		uint32_t dead = worker + 1;
		atomic_compare_exchange_strong(&r->holder, &dead, 0);
	}
}
