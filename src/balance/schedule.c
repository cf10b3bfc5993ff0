// SPDX-License-Identifier: Apache-2.0
/* schedule: whose turn it is in a group of channels with weights. */
#include "schedule.h"

struct schedule *schedule_new(struct arena *a, uint32_t n)
{
	struct schedule *s = arena_alloc(a, sizeof *s);
	if (s == NULL || n == 0)
		return s;
	s->n = n;
	s->name = arena_alloc(a, n * sizeof *s->name);
	s->end = arena_alloc(a, n * sizeof *s->end);
	s->guide = arena_alloc(a, n * sizeof *s->guide);
	return s->name == NULL || s->end == NULL || s->guide == NULL ? NULL : s;
}

static uint32_t divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		const uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* The largest quotient on Euclid's way to the common divisor of total and stride, which has to be 1: the smaller it is, the more evenly the
 * multiples of stride lie on the circle (the quotients of the golden section are all 1). UINT32_MAX when there is another divisor. */
static uint32_t unevenness(uint32_t total, uint32_t stride)
{
	uint32_t most = 0;
	while (stride != 0) {
		const uint32_t quotient = total / stride, rest = total % stride;
		/* The last one may be counted down by one: it ends in …, q-1, 1 as well. */
		const uint32_t counted = rest == 0 && quotient > 1 ? quotient - 1 : quotient;
		if (counted > most)
			most = counted;
		total = stride;
		stride = rest;
	}
	return total == 1 ? most : UINT32_MAX;
}

static uint32_t find_stride(uint32_t total)
{
	enum { LOOK_AT = 48 }; /* to either side; among so many neighbours there are always some without a common divisor */
	const uint32_t golden = (uint32_t)((uint64_t)total * 2654435769u >> 32);
	uint32_t best = 1, least = UINT32_MAX;
	for (uint32_t i = 0; i <= LOOK_AT; i++) {
		for (int side = 0; side < 2; side++) {
			const uint32_t stride = side == 0 ? golden - i : golden + i;
			if (stride == 0 || stride >= total)
				continue;
			const uint32_t uneven = unevenness(total, stride);
			if (uneven < least) {
				best = stride;
				least = uneven;
			}
		}
	}
	return best;
}

static void make_guide(struct schedule *s)
{
	s->shift = 0;
	while ((s->total - 1) >> s->shift >= s->n)
		s->shift++;
	uint32_t i = 0;
	for (uint32_t place = 0; place <= (s->total - 1) >> s->shift; place++) {
		while (s->end[i] <= place << s->shift)
			i++;
		s->guide[place] = i;
	}
}

void schedule_make(struct schedule *s)
{
	uint32_t common = 0;
	bool equal = true;
	for (uint32_t i = 0; i < s->n; i++) {
		common = divisor(s->end[i], common);
		equal &= s->end[i] == s->end[0];
	}
	s->total = 0;
	for (uint32_t i = 0; i < s->n && common != 0; i++)
		s->end[i] = s->total += s->end[i] / common;
	s->equal = equal && s->total != 0;
	if (s->equal || s->total == 0)
		return;
	s->stride = find_stride(s->total);
	make_guide(s);
}

uint32_t schedule_find(const struct schedule *s, uint32_t number)
{
	uint32_t i = s->guide[number >> s->shift];
	while (s->end[i] <= number)
		i++;
	return i;
}

struct turn schedule_weighted_turn(const struct schedule *s, uint64_t t)
{
	const uint32_t number = (uint32_t)(t % s->total * s->stride % s->total);
	const uint32_t i = schedule_find(s, number);
	const uint32_t begin = i == 0 ? 0 : s->end[i - 1];
	return (struct turn){i, t / s->total * (s->end[i] - begin) + (number - begin)};
}
