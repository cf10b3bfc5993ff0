// SPDX-License-Identifier: Apache-2.0
/* arena: memory that is freed all at once, as a configuration is. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 65536u

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) unsigned char data[];
};

void *arena_alloc(struct arena *a, size_t n)
{
	const size_t align = alignof(max_align_t);
	if (n > (size_t)-1 - BLOCK)
		return NULL;
	n = (n + align - 1) / align * align;
	if (n > a->left) {
		size_t size = n > BLOCK ? n : BLOCK;
		struct arena_block *b = calloc(1, sizeof *b + size);
		if (b == NULL)
			return NULL;
		b->size = size;
		b->next = a->block;
		a->block = b;
		a->left = size;
	}
	void *p = a->block->data + (a->block->size - a->left);
	a->left -= n;
	return p;
}

char *arena_copy(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	if (p != NULL)
		memcpy(p, s, n);
	return p;
}

void *arena_push(struct arena *a, void *base, size_t *n, size_t *cap, size_t size)
{
	void **array = base;
	if (*n == *cap) {
		size_t want = *cap ? *cap * 2 : 4;
		void *p = arena_alloc(a, want * size);
		if (p == NULL)
			return NULL;
		if (*n > 0)
			memcpy(p, *array, *n * size);
		*array = p;
		*cap = want;
	}
	return (unsigned char *)*array + (*n)++ * size;
}

void arena_free(struct arena *a)
{
	while (a->block != NULL) {
		struct arena_block *next = a->block->next;
		free(a->block);
		a->block = next;
	}
	a->left = 0;
}
