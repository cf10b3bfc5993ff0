// SPDX-License-Identifier: Apache-2.0
/* choose: one group's next channel, by its strategy. */
#include "choose.h"

#include "health.h"
#include "place.h"
#include "rank.h"
#include "schedule.h"
#include "shm.h"

#include <math.h>

enum {
	LOOKS = 16,   /* turns or lots that may fall on a channel of no use before all are looked at */
	CELLS = 1024, /* what least connections may add up for one connection … */
	WINDOW = 16,  /* … but never fewer channels than this */
	FULL = 1024,  /* a weight that is not in slow start, as takes_part has it */
};

static bool is_well(const struct choice *c, const struct channel *ch)
{
	if (health_usable(c->pool, ch, c->now_ms))
		return !c->attempt->panic; /* it had its chance */
	c->attempt->sick = true;
	return c->attempt->panic;
}

static bool is_usable(const struct choice *c, const struct channel *ch)
{
	return pool_enabled(ch) && (!health_matters(c->pool) || is_well(c, ch));
}

static bool claim_probe(const struct choice *c, const struct channel *ch)
{
	struct attempt *a = c->attempt;
	a->claim = 0;
	if (a->panic || health_begin(c->pool, ch->slot, c->now_ms, &a->claim))
		return true;
	place_give(ch->slot, V_ACTIVE, c->worker);
	a->sick = true;
	return false;
}

/* The place is taken; of a channel that may be back the first connection has to find that out, and only it goes there. */
static bool claim(const struct choice *c, const struct channel *ch)
{
	return !health_matters(c->pool) || claim_probe(c, ch);
}

static bool has_room(const struct choice *c, const struct channel *ch)
{
	if (ch->max == 0 || shm_sum(ch->slot, V_ACTIVE) < ch->max)
		return true;
	c->attempt->full = true;
	return false;
}

/* Looks first: trying costs a lot more, and in a crowd nearly all that is tried is full. */
static bool take_limited(const struct choice *c, const struct channel *ch)
{
	if (!has_room(c, ch))
		return false;
	if (place_take(ch->slot, V_ACTIVE, c->worker, ch->max))
		return claim(c, ch);
	c->attempt->full = true;
	return false;
}

static bool take(const struct choice *c, const struct channel *ch)
{
	if (ch->max != 0)
		return take_limited(c, ch);
	shm_add(shm_cell(ch->slot, c->worker), V_ACTIVE, 1);
	return claim(c, ch);
}

bool choose_this(const struct choice *c, const struct channel *ch)
{
	return is_usable(c, ch) && take(c, ch);
}

static const struct channel *given(const struct choice *c, uint32_t i)
{
	c->attempt->skip = i + 1;
	c->attempt->tried++;
	return &c->group->channels[i];
}

/* How much of its weight a channel has, of FULL: in slow start it grows from a tenth of it. */
static uint32_t share(const struct choice *c, const struct channel *ch)
{
	const uint64_t whole = c->pool->slow_start_ms;
	if (whole == 0)
		return FULL;
	const uint64_t since = atomic_load_explicit(&shm_shared(ch->slot)->since_ms, memory_order_relaxed);
	/* The clock of this turn may be behind that of whoever wrote the time. */
	const uint64_t age = c->now_ms > since ? c->now_ms - since : 0;
	if (since == 0 || age >= whole)
		return FULL;
	return FULL / 10 + (uint32_t)((FULL - FULL / 10) * age / whole);
}

/* Whether a channel has a part in this choice, of which it may have its share only; lot is uniform over 64 bits. */
static bool takes_part(const struct choice *c, const struct channel *ch, uint64_t lot)
{
	return c->pool->slow_start_ms == 0 || lot >> 54 < share(c, ch);
}

static void make_schedule(const struct group *g, struct schedule *s, uint32_t version)
{
	for (size_t i = 0; i < g->n; i++) {
		const struct channel *ch = &g->channels[i];
		s->end[i] = pool_weight(ch);
		/* sin_port and sin6_port lie at the same place. */
		s->name[i] = rank_mix(addr_hash(&ch->addr) + ((uint64_t)ch->addr.in.sin_port << 32 | ch->id) * 0x9e3779b97f4a7c15u);
	}
	schedule_make(s);
	s->version = version;
}

/* Made anew when it is first used and when a weight has changed. */
static struct schedule *schedule_of(const struct group *g)
{
	struct schedule *s = g->schedule;
	const uint32_t version = choose_version(g);
	if (s->version != version)
		make_schedule(g, s, version);
	return s;
}

static uint32_t scheduled_weight(const struct schedule *s, uint32_t i)
{
	return s->equal ? 1 : s->end[i] - (i == 0 ? 0 : s->end[i - 1]);
}

/* The order of the group's channels for attempt->key, from where the attempt has got to. One pass for each channel that is given: what makes a
 * channel unusable is only looked at when it would be the best so far, which of n channels about ln n are. */
static const struct channel *by_rank(const struct choice *c, const struct schedule *s)
{
	struct attempt *a = c->attempt;
	const bool plain = s->equal && c->pool->slow_start_ms == 0;
	for (;;) {
		double best = INFINITY;
		uint32_t at = 0;
		for (uint32_t i = 0; i < s->n && s->total > 0; i++) {
			const struct channel *ch = &c->group->channels[i];
			const uint64_t draw = rank_draw(a->key, s->name[i]);
			const uint32_t weight = scheduled_weight(s, i);
			if (weight == 0)
				continue;
			/* Below a logarithm lies its tangent, and most channels are out by that; without weights it has the same order. */
			const double least = (double)(int64_t)(~draw >> 1) * RANK_TANGENT;
			if (least >= best * weight)
				continue;
			double rank = plain ? least : rank_log(draw) / weight;
			if (rank >= best)
				continue;
			if (!plain)
				rank = rank * FULL / share(c, ch);
			if (rank >= best || (a->ranked && (rank < a->rank || (rank == a->rank && i <= a->last))))
				continue;
			if (i + 1 == a->skip || !is_usable(c, ch) || !has_room(c, ch))
				continue;
			best = rank;
			at = i;
		}
		if (best == INFINITY)
			return NULL;
		a->ranked = true;
		a->rank = best;
		a->last = at;
		if (take(c, &c->group->channels[at])) {
			a->tried++;
			return &c->group->channels[at];
		}
	}
}

static uint64_t next_turn(const struct group *g)
{
	return atomic_fetch_add_explicit(&shm_shared(g->slot)->cursor, 1, memory_order_relaxed);
}

static const struct channel *round_robin(const struct choice *c, const struct schedule *s)
{
	for (unsigned look = 0; look < LOOKS; look++) {
		const uint64_t t = c->attempt->drawn ? c->attempt->key : next_turn(c->group);
		const struct turn turn = schedule_turn(s, t);
		const struct channel *ch = &c->group->channels[turn.channel];
		c->attempt->drawn = false;
		c->attempt->key = t;
		/* Multiples of the golden section: the turns it takes part in lie evenly between those it passes on. */
		if (is_usable(c, ch) && takes_part(c, ch, turn.nth * 0x9e3779b97f4a7c15u) && take(c, ch))
			return given(c, turn.channel);
	}
	return by_rank(c, s);
}

struct load {
	uint32_t channel;
	uint32_t weight; /* 0: no channel */
	uint64_t active;
};

static bool is_lighter(struct load a, struct load b)
{
	return a.weight != 0 && (b.weight == 0 || a.active * b.weight < b.active * a.weight);
}

/* weight 0 when the channel is of no use in this choice. */
static struct load load_of(const struct choice *c, const struct schedule *s, uint32_t i, uint64_t lot)
{
	const struct channel *ch = &c->group->channels[i];
	struct load l = {.channel = i};
	const uint32_t weight = scheduled_weight(s, i);
	if (weight == 0 || !is_usable(c, ch) || !takes_part(c, ch, rank_draw(lot, s->name[i])))
		return l;
	l.active = shm_sum(ch->slot, V_ACTIVE);
	if (ch->max != 0 && l.active >= ch->max)
		c->attempt->full = true;
	else
		l.weight = weight * share(c, ch);
	return l;
}

/* The cells are what counts, so a killed worker leaves nothing behind; adding them up has its price. Groups of up to CELLS / workers channels are
 * looked at as a whole, of larger ones so many from a place chosen by lot. */
static struct load lightest(const struct choice *c, const struct schedule *s, uint32_t looks, uint32_t at, uint64_t lot)
{
	struct load best = {0};
	for (uint32_t look = 0; look < looks; look++) {
		const struct load l = load_of(c, s, at, lot);
		if (is_lighter(l, best))
			best = l;
		if (best.weight != 0 && best.active == 0)
			break;
		at = at + 1 == s->n ? 0 : at + 1;
	}
	return best;
}

/* Two workers may find the same channel. The place is taken only as the one behind those that were counted; who comes too late looks
 * again, and takes what it then finds at the last. Among equals the schedule decides. */
static const struct channel *least_connections(const struct choice *c, struct schedule *s)
{
	const uint32_t most = CELLS / shm_used() > WINDOW ? CELLS / shm_used() : WINDOW;
	for (unsigned look = 0; look < LOOKS; look++) {
		const uint64_t t = next_turn(c->group);
		const uint32_t start = s->n <= most ? schedule_turn(s, t).channel : schedule_draw(s, rank_mix(t));
		c->attempt->key = t;
		if (!takes_part(c, &c->group->channels[start], rank_draw(t, s->name[start])))
			continue;
		const struct load l = lightest(c, s, s->n < most ? s->n : most, start, t);
		if (l.weight == 0)
			break;
		const struct channel *ch = &c->group->channels[l.channel];
		if (look < LOOKS - 1 ? place_take(ch->slot, V_ACTIVE, c->worker, (uint32_t)l.active + 1) && claim(c, ch) : take(c, ch))
			return given(c, l.channel);
	}
	return by_rank(c, s);
}

static const struct channel *two_choices(const struct choice *c, struct schedule *s)
{
	for (unsigned look = 0; look < LOOKS; look++) {
		const uint64_t lot = rank_mix(++s->dice ^ (uint64_t)c->worker << 56);
		const struct load a = load_of(c, s, schedule_draw(s, lot), lot);
		uint32_t other = a.channel;
		c->attempt->key = lot;
		if (a.weight == 0)
			continue;
		for (uint64_t again = 1; other == a.channel && again <= 4 && s->n > 1; again++)
			other = schedule_draw(s, rank_mix(lot + again));
		if (other == a.channel)
			other = other + 1 == s->n ? 0 : other + 1;
		const struct load b = load_of(c, s, other, lot);
		const struct load l = is_lighter(b, a) ? b : a;
		if (take(c, &c->group->channels[l.channel]))
			return given(c, l.channel);
	}
	return by_rank(c, s);
}

/* Channel after channel, beginning where the strategy says. */
static const struct channel *in_order(const struct choice *c, uint64_t start, size_t offered)
{
	struct attempt *a = c->attempt;
	while (a->tried < offered) {
		const struct channel *ch = &c->group->channels[(start + a->tried++) % c->group->n];
		if (is_usable(c, ch) && take(c, ch))
			return ch;
	}
	return NULL;
}

const struct channel *choose(const struct choice *c)
{
	const struct group *g = c->group;
	struct attempt *a = c->attempt;
	if (g->hash)
		return in_order(c, addr_hash(c->client), c->pool->strict_hash ? 1 : g->n);
	if (c->pool->lb == LB_FIRST)
		return in_order(c, 0, g->n);
	struct schedule *s = schedule_of(g);
	if (s->total == 0)
		return NULL;
	if (c->pool->lb == LB_HASH)
		a->key = addr_hash(c->client);
	if (c->pool->lb == LB_HASH || a->tried > 0 || a->ranked)
		return by_rank(c, s);
	if (c->pool->lb == LB_LEASTCONN)
		return least_connections(c, s);
	if (c->pool->lb == LB_P2C)
		return two_choices(c, s);
	return round_robin(c, s);
}
