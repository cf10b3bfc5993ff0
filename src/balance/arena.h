// SPDX-License-Identifier: Apache-2.0
/* arena: memory that is freed all at once, as a configuration is. */
#ifndef BALANCE_ARENA_H
#define BALANCE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *block;
	size_t left; /* bytes free at the end of the current block */
};

/* Zeroed memory for any object type, or NULL when there is none left. */
void *arena_alloc(struct arena *, size_t);

/* A NUL-terminated copy of n bytes, or NULL. */
char *arena_copy(struct arena *, const char *, size_t n);

/* Room for one more element in the array *base of n elements: grows by doubling,
 * old arrays stay in the arena. Returns the new element zeroed, or NULL. */
void *arena_push(struct arena *, void *base, size_t *n, size_t *cap, size_t size);

void arena_free(struct arena *);

#endif
