// SPDX-License-Identifier: Apache-2.0
/* Under other names: the sanitizers have their own of these, which tell what is right. */
#include "test.h"

#define memcpy tested_memcpy
#define memmove tested_memmove
void *tested_memcpy(void *restrict, const void *restrict, size_t);
void *tested_memmove(void *, const void *, size_t);
#include "../../../src/dataplane/memory.c"
#undef memcpy
#undef memmove

#ifdef __x86_64__
enum { MOST = 2 * STRING + 70 };

static void fill(unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 31 + seed * 7 + (i >> 8));
}

/* Every length, into blocks of just that size: a byte too many is seen. */
static void copies_every_length(void **state)
{
	(void)state;
	for (size_t n = 0; n <= MOST; n++) {
		unsigned char *from = malloc(n + 1), *to = malloc(n + 1), *moved = malloc(n + 1);
		fill(from, n, (unsigned)n);
		to[n] = moved[n] = 0xa5;
		assert_ptr_equal(tested_memcpy(to, from, n), to);
		assert_ptr_equal(tested_memmove(moved, from, n), moved);
		assert_memory_equal(to, from, n);
		assert_memory_equal(moved, from, n);
		assert_int_equal(to[n], 0xa5);
		assert_int_equal(moved[n], 0xa5);
		free(from);
		free(to);
		free(moved);
	}
}

/* Both ways, by every distance at which steps of the loops could meet. */
static void moves_within_one_block(void **state)
{
	(void)state;
	static const size_t lengths[] = {1, 7, 15, 16, 17, 31, 33, 63, 64, 65, 100, 128, 129, 191, 192, 193, 500, STRING, STRING + 13};
	static unsigned char block[MOST + 600], expected[MOST + 600], was[MOST + 600];
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		const size_t n = lengths[i];
		for (size_t shift = 0; shift <= 2 * 140; shift++) {
			fill(was, sizeof was, (unsigned)shift);
			for (int up = 0; up < 2; up++) {
				const size_t from = 300, to = up ? 300 + shift : 300 - shift;
				memcpy(block, was, sizeof was);
				memcpy(expected, was, sizeof was);
				for (size_t k = 0; k < n; k++)
					expected[to + k] = was[from + k];
				tested_memmove(block + to, block + from, n);
				assert_memory_equal(block, expected, sizeof block);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copies_every_length),
	    cmocka_unit_test(moves_within_one_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void)
{
	return cmocka_run_group_tests((const struct CMUnitTest[]){}, NULL, NULL);
}
#endif
