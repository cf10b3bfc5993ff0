// SPDX-License-Identifier: Apache-2.0
/* map: byte strings to pointers; open addressing, seeded so that nobody can choose collisions. */
#ifndef BALANCE_MAP_H
#define BALANCE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_entry {
	const char *key; /* owned by the caller, must outlive the entry */
	uint32_t len;
	uint32_t hash;
	void *value; /* never NULL in a used entry */
};

struct map {
	struct map_entry *at;
	size_t cap; /* 0 or a power of two */
	size_t count;
};

/* Call once per process family, before the first map is filled. */
void map_seed(void);

void *map_get(const struct map *, const char *key, size_t len);

/* Adds or replaces. Returns false when memory ran out; the map is unchanged then. */
bool map_put(struct map *, const char *key, size_t len, void *value);

void *map_remove(struct map *, const char *key, size_t len);

void map_free(struct map *);

#endif
