// SPDX-License-Identifier: Apache-2.0
/* schedule: whose turn it is in a group of channels with weights.
 *
 * Channel i owns weight(i) of the numbers 0 … total-1, and turn t falls on t·stride mod total. Since stride and total have no common divisor,
 * every number comes once in total turns: shares are exact over a round. Since stride/total is close to the golden section, the turns of a
 * channel lie about evenly apart at any weight (three-distance theorem): no bursts. A channel that cannot take its turn lets the
 * next turn come, so what it leaves is shared by all as they share the rest, and not inherited by one neighbour.
 *
 * Made by each worker for itself when a group is first used and when its weights have changed; memory is taken with the configuration. */
#ifndef BALANCE_SCHEDULE_H
#define BALANCE_SCHEDULE_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	uint32_t version; /* of the weights it was made from, plus one; 0: not yet made */
	uint32_t n;       /* channels */
	bool equal;       /* all have the same weight: turn t is channel t mod n */
	uint8_t shift;    /* from a number to its place in `guide` */
	uint32_t total;   /* sum of the weights, their common divisor taken out; 0: nobody has a turn */
	uint32_t stride;
	uint32_t *end;    /* by channel: where its numbers end and the next one's begin */
	uint32_t *guide;  /* channel to begin at when looking for a number */
	uint64_t *name;   /* by channel: for rank.h */
	uint64_t dice;    /* throws so far */
};

struct turn {
	uint32_t channel;
	uint64_t nth; /* of this channel's turns; the order within a round is another than that of time */
};

/* More channels than this with the highest weight would not fit the numbers. */
enum { SCHEDULE_MAX = (1 << 24) - 1 };

/* Memory for n channels, at most SCHEDULE_MAX; NULL when it ran out. */
struct schedule *schedule_new(struct arena *, uint32_t n);

/* Expects the weights in `end`, and replaces them. */
void schedule_make(struct schedule *);

/* Who owns a number; the total must not be 0. */
uint32_t schedule_find(const struct schedule *, uint32_t number);

struct turn schedule_weighted_turn(const struct schedule *, uint64_t t);

/* The turn's channel; total must not be 0. */
static inline struct turn schedule_turn(const struct schedule *s, uint64_t t)
{
	if (s->equal)
		return (struct turn){(uint32_t)(t % s->n), t / s->n};
	return schedule_weighted_turn(s, t);
}

/* A channel by lot: dice is a random number of 64 bits. */
static inline uint32_t schedule_draw(const struct schedule *s, uint64_t dice)
{
	if (s->equal)
		return (uint32_t)((dice >> 32) * s->n >> 32);
	return schedule_find(s, (uint32_t)((dice >> 32) * s->total >> 32));
}

#endif
