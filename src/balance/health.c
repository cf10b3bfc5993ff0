// SPDX-License-Identifier: Apache-2.0
/* health: which channels are worth trying, as all workers see it. */
#include "health.h"

#include "pool.h"
#include "rank.h"

#include <errno.h>

enum state { CLOSED, OPEN, PROBING, SETTLING };

/* The fields of the word. A time of 38 bits is eight years of uptime. */
enum { FAILS_BITS = 16, ROW_BITS = 8, STATE_BITS = 2, UNTIL_SHIFT = FAILS_BITS + ROW_BITS + STATE_BITS };

struct breaker {
	uint32_t fails; /* in a row */
	uint32_t row;   /* ejections in a row */
	enum state state;
	uint64_t until;
};

static const uint32_t most_fails = (1u << FAILS_BITS) - 1, most_row = (1u << ROW_BITS) - 1;

static struct breaker unpack(uint64_t word)
{
	return (struct breaker){
	    .fails = (uint32_t)word & most_fails,
	    .row = (uint32_t)(word >> FAILS_BITS) & most_row,
	    .state = (enum state)(word >> (FAILS_BITS + ROW_BITS) & 3),
	    .until = word >> UNTIL_SHIFT,
	};
}

static uint64_t pack(struct breaker b)
{
	return (uint64_t)b.fails | (uint64_t)b.row << FAILS_BITS | (uint64_t)b.state << (FAILS_BITS + ROW_BITS) |
	       b.until << UNTIL_SHIFT;
}

static _Atomic uint64_t *word_of(uint32_t slot)
{
	return &shm_shared(slot)->breaker;
}

static bool is_settled(struct breaker b, uint64_t now)
{
	return b.state == SETTLING && b.until <= now;
}

static bool swap(uint32_t slot, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong(word_of(slot), &from, to);
}

/* In the checker's word: the verdict, and how many results in a row speak against it. */
static const uint32_t down_bit = 1u << 31;

static bool is_down(const struct pool *p, uint32_t slot)
{
	return p->check.kind != CHECK_NONE &&
	       (atomic_load_explicit(&shm_shared(slot)->check, memory_order_relaxed) & down_bit) != 0;
}

bool health_allows(const struct pool *p, uint32_t slot, uint64_t now)
{
	if (is_down(p, slot))
		return false;
	const uint64_t word = atomic_load(word_of(slot));
	if (p->eject.fails == 0 || word == 0)
		return true;
	const struct breaker b = unpack(word);
	return b.state == CLOSED || b.until <= now;
}

bool health_begin(const struct pool *p, uint32_t slot, uint64_t now, uint64_t *claim)
{
	*claim = 0;
	if (p->eject.fails == 0)
		return true;
	const uint64_t word = atomic_load(word_of(slot));
	struct breaker b = unpack(word);
	if (b.state == CLOSED)
		return true;
	if (b.until > now)
		return false;
	if (b.state == SETTLING)
		return true; /* for good, unless the next one fails */
	b.state = PROBING;
	b.until = now + p->connect_ms + HEALTH_CLAIM_MS;
	if (!swap(slot, word, pack(b)))
		return false;
	*claim = pack(b);
	return true;
}

void health_connected(uint32_t slot, uint64_t now, uint64_t *claim)
{
	struct breaker b = unpack(*claim);
	if (*claim == 0)
		return;
	b.state = SETTLING;
	b.until = now + HEALTH_SETTLE_MS;
	*claim = swap(slot, *claim, pack(b)) ? pack(b) : 0;
	if (*claim != 0)
		atomic_store(&shm_shared(slot)->since_ms, now);
}

/* Whether a report comes from the connection that has the say. Without a breaker that is open everybody has. */
static bool has_say(struct breaker b, uint64_t word, uint64_t claim, uint64_t now)
{
	return b.state == CLOSED || word == claim || is_settled(b, now);
}

enum health_change health_passed(uint32_t slot, uint64_t now, uint64_t claim)
{
	uint64_t word;
	/* Nearly always there is nothing to forget. */
	while ((word = atomic_load_explicit(word_of(slot), memory_order_relaxed)) != 0) {
		const struct breaker b = unpack(word);
		if (!has_say(b, word, claim, now))
			return HEALTH_SAME;
		if (!swap(slot, word, 0))
			continue;
		return b.state == CLOSED ? HEALTH_SAME : HEALTH_RETURNED;
	}
	return HEALTH_SAME;
}

void health_yield(uint32_t slot, uint64_t now, uint64_t claim)
{
	struct breaker b = unpack(claim);
	if (b.state != PROBING)
		return; /* connected: it settles by itself */
	b.state = OPEN;
	b.until = now;
	swap(slot, claim, pack(b));
}

/* Half-open is not yet usable: it is a place for one connection. */
static bool is_open_to_all(const struct pool *p, uint32_t slot, uint64_t now)
{
	const struct breaker b = unpack(atomic_load(word_of(slot)));
	return !is_down(p, slot) && (b.state == CLOSED || is_settled(b, now));
}

/* Whether the pool can do without the channel. */
static bool is_spare(const struct pool *p, uint32_t slot, uint64_t now, enum health_failure why)
{
	size_t enabled = 0, usable = 0;
	for (size_t g = 0; g < p->n; g++) {
		for (size_t i = 0; i < p->groups[g].n; i++) {
			const struct channel *ch = &p->groups[g].channels[i];
			if (!pool_enabled(ch))
				continue;
			enabled++;
			usable += ch->slot != slot && is_open_to_all(p, ch->slot, now);
			if (usable > 0 && why == HEALTH_UNREACHABLE)
				return true;
		}
	}
	return usable > 0 && usable >= enabled / 2;
}

static uint64_t ejection_ms(const struct eject *h, uint32_t slot, uint32_t row, uint64_t now)
{
	uint64_t ms = (uint64_t)h->base_ms * row;
	if (ms > h->max_ms)
		ms = h->max_ms;
	const uint64_t low = ms - ms / 5;
	const uint64_t high = ms + ms / 5 > h->max_ms ? h->max_ms : ms + ms / 5;
	/* Channels that failed in one millisecond must not all come back in one. */
	return low + rank_mix(now << 20 ^ slot) % (high - low + 1);
}

enum health_change health_failed(const struct pool *p, uint32_t slot, uint64_t now, uint64_t claim, enum health_failure why)
{
	const struct eject *h = &p->eject;
	if (h->fails == 0)
		return HEALTH_SAME;
	for (;;) {
		const uint64_t word = atomic_load(word_of(slot));
		struct breaker b = unpack(word);
		if (!has_say(b, word, claim, now))
			return HEALTH_SAME;
		if (is_settled(b, now))
			b = (struct breaker){0};
		const bool probe = b.state != CLOSED;
		b.fails = probe || b.fails >= h->fails ? h->fails : b.fails + 1;
		b.state = CLOSED;
		b.until = 0;
		const uint64_t counted = pack(b);
		if (b.fails < h->fails || !is_spare(p, slot, now, why)) {
			if (swap(slot, word, counted))
				return probe ? HEALTH_RETURNED : HEALTH_SAME;
			continue;
		}
		b.row += b.row < most_row;
		b.state = OPEN;
		b.until = now + ejection_ms(h, slot, b.row, now);
		if (!swap(slot, word, pack(b)))
			continue;
		/* Another worker may have ejected the other last channel at the same time: whoever sees that it was so steps back. */
		if (!is_spare(p, slot, now, HEALTH_UNREACHABLE) && swap(slot, pack(b), counted))
			return HEALTH_SAME;
		atomic_fetch_add(&shm_shared(slot)->ejections, 1);
		return HEALTH_EJECTED;
	}
}

enum health_change health_checked(const struct check *h, uint32_t slot, uint64_t now, bool good)
{
	_Atomic uint32_t *check = &shm_shared(slot)->check;
	const uint32_t word = atomic_load_explicit(check, memory_order_relaxed);
	const bool down = (word & down_bit) != 0;
	uint32_t next = word & down_bit;
	if (good == down) {
		next = word + 1;
		if ((next & ~down_bit) >= (down ? h->rise : h->fall))
			next = down ? 0 : down_bit;
	}
	if (next == word)
		return HEALTH_SAME;
	atomic_store_explicit(check, next, memory_order_relaxed);
	if ((next & down_bit) == (word & down_bit))
		return HEALTH_SAME;
	if (down)
		atomic_store(&shm_shared(slot)->since_ms, now);
	return down ? HEALTH_UP : HEALTH_DOWN;
}

bool health_is_fault(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
	case ENOSPC:
	case EADDRNOTAVAIL:
		return false;
	}
	return true;
}

const char *health_state(const struct pool *p, uint32_t slot, uint64_t now)
{
	if (atomic_load(&shm_shared(slot)->disabled) != 0)
		return "disabled";
	if (is_down(p, slot))
		return "down";
	const struct breaker b = unpack(atomic_load(word_of(slot)));
	if (p->eject.fails == 0 || b.state == CLOSED || is_settled(b, now))
		return "up";
	return b.state == OPEN && b.until > now ? "ejected" : "probing";
}

uint64_t health_ejected_for(uint32_t slot, uint64_t now)
{
	const struct breaker b = unpack(atomic_load(word_of(slot)));
	return b.state == OPEN && b.until > now ? b.until - now : 0;
}

static void forget(const struct pool *p, uint32_t slot)
{
	struct shm_shared *s = shm_shared(slot);
	if (p->eject.fails == 0 && atomic_load_explicit(&s->breaker, memory_order_relaxed) != 0)
		atomic_store(&s->breaker, 0);
	if (p->check.kind == CHECK_NONE && atomic_load_explicit(&s->check, memory_order_relaxed) != 0)
		atomic_store(&s->check, 0);
}

void health_settle(const struct conf *c)
{
	for (size_t i = 0; i < c->pools_n; i++) {
		const struct pool *p = c->pools[i];
		for (size_t g = 0; g < p->n; g++)
			for (size_t k = 0; k < p->groups[g].n; k++)
				forget(p, p->groups[g].channels[k].slot);
	}
}
