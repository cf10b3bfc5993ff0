// SPDX-License-Identifier: Apache-2.0
/* Refuses memory: including this file links the test with the allocator wrapped (src/balance/balance.mk). */
#ifndef REFUSE_H
#define REFUSE_H

#include <stddef.h>

/* How many more calls succeed before one is refused; negative: all do. */
static long refuse_after = -1;

static int refused(void)
{
	return refuse_after >= 0 && refuse_after-- == 0;
}

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);

void *__wrap_malloc(size_t n)
{
	return refused() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refused() ? NULL : __real_realloc(p, n);
}

#endif
