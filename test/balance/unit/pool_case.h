// SPDX-License-Identifier: Apache-2.0
/* Pools with counters in shared memory, as a master and WORKERS workers have them. */
#ifndef POOL_CASE_H
#define POOL_CASE_H

#include "pool.h"
#include "shm.h"
#include "slots.h"

enum { WORKERS = 4 };

static struct slots slots;
static uint64_t generation;

/* The configuration with these pool lines is in force from now on. */
static inline struct conf *load(const char *pools)
{
	struct conf_error e;
	const size_t size = strlen(pools) + 64;
	char *text = malloc(size);
	assert_non_null(text);
	int n = snprintf(text, size, "listen l tcp:127.0.0.1:1\n%s\n", pools);
	struct conf *c = conf_parse(text, (size_t)n, &e);
	free(text);
	if (c == NULL)
		fail_msg("%u: %s", e.line, e.reason);
	assert_true(slots_assign(&slots, c, ++generation));
	return c;
}

/* Nothing is in force, and all slots are free. */
static inline void unload(struct conf *c)
{
	conf_free(c);
	struct conf *none = load("pool unused");
	slots_collect(&slots, generation);
	conf_free(none);
}

/* The client's address is of the test's making: one per number. */
static inline struct addr client(unsigned i)
{
	struct addr a;
	char text[64];
	int n = snprintf(text, sizeof text, "10.%u.%u.%u:9", 1 + i / 65536, i / 256 % 256, i % 256);
	assert_true(addr_parse(&a, text, (size_t)n));
	return a;
}

#endif
