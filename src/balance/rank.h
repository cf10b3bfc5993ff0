// SPDX-License-Identifier: Apache-2.0
/* rank: in which order the channels of a group come for a key: weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after
 * Schindelhauer and Schomaker 2005, "logarithmic method").
 *
 * Every channel draws a number from the key and its own name; the lowest is first. So a channel that comes or goes moves only its own
 * keys, the order of the others and their place in the file mean nothing, and whoever does not get the first has a second of its own. */
#ifndef BALANCE_RANK_H
#define BALANCE_RANK_H

#include <stdint.h>

/* Mixes all bits into all (the finalizer of MurmurHash3, Austin Appleby, public domain). */
static inline uint64_t rank_mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 33;
}

/* What a channel draws; uniform. */
static inline uint64_t rank_draw(uint64_t key, uint64_t name)
{
	return rank_mix(key ^ name);
}

/* -log2 of a draw taken as a number between 0 and 1: above 0 and below 65, and falling with the draw. The logarithm of the mantissa is a polynomial
 * that has value and slope of the true one at both ends, within 0.0005 between; a library's might differ in the last bit from build to build, and
 * every process has to come to the same order. */
static inline double rank_log(uint64_t draw)
{
	const uint64_t bits = draw | 1u;
	const int zeros = __builtin_clzll(bits);
	const double x = (double)(bits << zeros << 1 >> 12) * 0x1p-52;
	return zeros + 1 - (x + x * (1 - x) * (0.44269504 + x * (-0.2473500 + x * 0.0833045)));
}

/* Times 1 - draw (of 63 bits): never above the logarithm, as -ln u >= 1 - u; a little less than 1 / ln 2 for what rank_log is off. */
#define RANK_TANGENT (1.44 * 0x1p-63)

#endif
