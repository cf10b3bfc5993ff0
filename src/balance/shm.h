// SPDX-License-Identifier: Apache-2.0
/* shm: counters that all workers share and that outlive each of them.
 *
 * A slot belongs to one listener, one group or one channel. It has one shared row (round-robin cursor, disabled) and one
 * cell per worker. Only worker w writes cell w, so counting needs no locked instruction and no cache line bounces;
 * whoever wants a total adds the cells up. When a worker dies, the master clears its V_ACTIVE cells and nothing leaks.
 *
 * The memory is an unlinked file that grows in chunks, behind a head: there is no fixed number of slots. */
#ifndef BALANCE_SHM_H
#define BALANCE_SHM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHM_ROW = 64, SHM_CHUNK_SLOTS = 1024 };

/* What the eight numbers of a cell mean, for channels and for listeners. */
enum {
	V_ACTIVE,      /* open connections */
	V_TOTAL,       /* channel: connections made; listener: connections accepted */
	V_FAILED,      /* channel: attempts that failed; listener: missing or broken PROXY headers */
	V_IN,          /* channel: bytes from clients */
	V_OUT,         /* channel: bytes to clients */
	V_NO_ROUTE,    /* listener: closed for want of a route */
	V_REQUESTS = V_NO_ROUTE, /* channel: HTTP requests */
	V_NO_CHANNEL,  /* listener: no channel of the pool could be reached */
	V_COUNT = 8,

	V_PROXY_ERRORS = V_FAILED,
};

/* … and for a pool's http_slot, where V_ACTIVE is the requests under way. */
enum {
	H_1XX = 1, /* H_1XX + n: answers of class n + 1 */
	H_MICROSECONDS = 6,
};

/* … and for a pool's limit_slot, where V_ACTIVE is the places taken. */
enum {
	L_QUEUED = 1, /* waiting */
	L_SINCE,      /* when the first of this worker's queue came, ms */
	L_LIMITED,    /* refused because pool, channels, queue or client were at their limit */
	L_TIMEOUTS,   /* waited for too long */
};

struct shm_cell {
	_Alignas(SHM_ROW) _Atomic uint64_t v[V_COUNT];
};

/* What all processes may write. Times are CLOCK_MONOTONIC in milliseconds; a row begins as zeros. */
struct shm_shared {
	_Alignas(SHM_ROW) _Atomic uint64_t cursor; /* group: turns taken */
	_Atomic uint64_t since_ms;        /* channel: when it came, or came back, and began its slow start; 0: there was none */
	_Atomic uint64_t breaker;         /* channel: passive ejection, packed by health.c; 0: closed, nothing counted */
	_Atomic uint32_t disabled;        /* channel: gets no connections; by command, or by a worker that saw it fail */
	_Atomic uint32_t weight;          /* channel: weight by command, plus one; 0: as configured */
	_Atomic uint32_t weights_version; /* group: changes with each of its channels' weights */
	_Atomic uint32_t check;           /* channel: what active checks found, packed by health.c; 0: up */
	_Atomic uint32_t ejections;       /* channel: times it was ejected at all */
	_Atomic uint32_t spare[5];
};
_Static_assert(sizeof(struct shm_shared) == SHM_ROW, "one row, one cache line");

/* What the file begins with. */
struct shm_head {
	_Atomic uint32_t used; /* workers that have, or ever had, something in their cells: those below this number */
};

extern struct shm {
	int fd;
	unsigned workers; /* cells per slot */
	struct shm_head *head;
	size_t stride; /* bytes per slot: the shared row and a cell per worker */
	unsigned char **chunk;
	size_t chunks;
} shm;

/* Before the first fork: cells for so many workers, of which the first `used` are in use. Returns 0, or -1 with errno. */
int shm_init(unsigned workers, unsigned used);

/* In a process that was not forked from the master: the file that the master made for so many. Takes the descriptor. */
int shm_join(int fd, unsigned workers);

/* Unmaps everything, so that another shm_join may follow. */
void shm_leave(void);

/* Says that this worker's cells are in use from now on. The master calls it before the worker begins. */
void shm_use(unsigned worker);

/* Makes slots 0 … n-1 addressable in this process; the master calls it first, which grows the file. */
int shm_map(uint32_t n);

/* Sets all of a slot's numbers to zero. */
void shm_clear(uint32_t slot);

/* Sum of one number over all workers. */
uint64_t shm_sum(uint32_t slot, unsigned v);

/* How many workers there are to look at. */
static inline unsigned shm_used(void)
{
	return atomic_load_explicit(&shm.head->used, memory_order_seq_cst);
}

static inline unsigned char *shm_at(uint32_t slot)
{
	return shm.chunk[slot / SHM_CHUNK_SLOTS] + (slot % SHM_CHUNK_SLOTS) * shm.stride;
}

static inline struct shm_shared *shm_shared(uint32_t slot)
{
	return (struct shm_shared *)(void *)shm_at(slot);
}

static inline struct shm_cell *shm_cell(uint32_t slot, unsigned worker)
{
	return (struct shm_cell *)(void *)(shm_at(slot) + SHM_ROW * (worker + 1));
}

/* Adds to a number that only this worker writes. */
static inline void shm_add(struct shm_cell *c, unsigned v, uint64_t n)
{
	uint64_t old = atomic_load_explicit(&c->v[v], memory_order_relaxed);
	atomic_store_explicit(&c->v[v], old + n, memory_order_relaxed);
}

#endif
