/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory: memcpy(3) and memmove(3) for x86-64.
 *
 * musl copies with `rep movsq`, which takes some thirty cycles to get going; nearly all copies here are a header field or a record, far
 * shorter than what that pays for. So short copies are a few loads that overlap, and then as many stores: all bytes are read before the first is
 * written, which makes the same code right for overlapping areas. Other machines keep musl's.
 */
#ifdef __x86_64__
/* A compiler that knows a copy when it sees one would have these call themselves. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#include <emmintrin.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LONG = 128,   /* more than this is a loop */
	STRING = 2048, /* more than this is what the processor's own string copy is made for */
};

typedef uint64_t __attribute__((may_alias, aligned(1))) u64;
typedef uint32_t __attribute__((may_alias, aligned(1))) u32;
typedef uint16_t __attribute__((may_alias, aligned(1))) u16;

static inline __m128i load(const unsigned char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline void store(unsigned char *p, __m128i v)
{
	_mm_storeu_si128((__m128i *)(void *)p, v);
}

static inline void copy_to_16(unsigned char *to, const unsigned char *from, size_t n)
{
	if (n >= 8) {
		const u64 a = *(const u64 *)from, b = *(const u64 *)(from + n - 8);
		*(u64 *)to = a;
		*(u64 *)(to + n - 8) = b;
	} else if (n >= 4) {
		const u32 a = *(const u32 *)from, b = *(const u32 *)(from + n - 4);
		*(u32 *)to = a;
		*(u32 *)(to + n - 4) = b;
	} else if (n >= 2) {
		const u16 a = *(const u16 *)from, b = *(const u16 *)(from + n - 2);
		*(u16 *)to = a;
		*(u16 *)(to + n - 2) = b;
	} else if (n == 1) {
		*to = *from;
	}
}

static inline void copy_to_128(unsigned char *to, const unsigned char *from, size_t n)
{
	const __m128i a = load(from), b = load(from + n - 16);
	if (n > 32) {
		const __m128i c = load(from + 16), d = load(from + n - 32);
		if (n > 64) {
			const __m128i e = load(from + 32), f = load(from + 48), g = load(from + n - 64), h = load(from + n - 48);
			store(to + 32, e);
			store(to + 48, f);
			store(to + n - 64, g);
			store(to + n - 48, h);
		}
		store(to + 16, c);
		store(to + n - 32, d);
	}
	store(to, a);
	store(to + n - 16, b);
}

/* The last bytes are read first and written last, so that the loop may go over them in steps of its own. */
static void copy_forward(unsigned char *to, const unsigned char *from, size_t n)
{
	const __m128i w = load(from + n - 64), x = load(from + n - 48), y = load(from + n - 32), z = load(from + n - 16);
	unsigned char *const end = to + n;
	for (; n > 64; n -= 64, to += 64, from += 64) {
		const __m128i a = load(from), b = load(from + 16), c = load(from + 32), d = load(from + 48);
		store(to, a);
		store(to + 16, b);
		store(to + 32, c);
		store(to + 48, d);
	}
	store(end - 64, w);
	store(end - 48, x);
	store(end - 32, y);
	store(end - 16, z);
}

static void copy_backward(unsigned char *to, const unsigned char *from, size_t n)
{
	const __m128i w = load(from), x = load(from + 16), y = load(from + 32), z = load(from + 48);
	for (; n > 64; n -= 64) {
		const __m128i a = load(from + n - 16), b = load(from + n - 32), c = load(from + n - 48), d = load(from + n - 64);
		store(to + n - 16, a);
		store(to + n - 32, b);
		store(to + n - 48, c);
		store(to + n - 64, d);
	}
	store(to, w);
	store(to + 16, x);
	store(to + 32, y);
	store(to + 48, z);
}

void *memmove(void *to, const void *from, size_t n)
{
	if (n <= 16)
		copy_to_16(to, from, n);
	else if (n <= LONG)
		copy_to_128(to, from, n);
	else if ((uintptr_t)to - (uintptr_t)from < n)
		copy_backward(to, from, n);
	else
		copy_forward(to, from, n);
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	if (n <= 16) {
		copy_to_16(to, from, n);
	} else if (n <= LONG) {
		copy_to_128(to, from, n);
	} else if (n < STRING) {
		copy_forward(to, from, n);
	} else {
		void *at = to;
		__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
	}
	return to;
}
#else
typedef int memory_is_the_c_librarys;
#endif
