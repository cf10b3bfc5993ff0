// SPDX-License-Identifier: Apache-2.0
/* What every unit test here includes: cmocka with what it needs, a seeded random source, memory with a hard end. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* xorshift: the same numbers in every run, so a failure comes again. */
static inline uint32_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16);
}

/* A copy of n bytes that ends where the process may no longer read: one byte too far is a fault, in any build. */
struct guarded {
	unsigned char *at, *map;
	size_t size;
};

static inline struct guarded guard(const void *bytes, size_t n)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guarded g = {.size = (n + page - 1) / page * page + page};
	g.map = mmap(NULL, g.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(g.map != MAP_FAILED);
	assert_int_equal(mprotect(g.map + g.size - page, page, PROT_NONE), 0);
	g.at = g.map + g.size - page - n;
	if (n > 0)
		memcpy(g.at, bytes, n);
	return g;
}

static inline void unguard(struct guarded g)
{
	munmap(g.map, g.size);
}

#endif
