// SPDX-License-Identifier: Apache-2.0
/* health: which channels are worth trying, as all workers see it.
 *
 * Two things take a channel out: an active check that failed often enough (`check`, written by the checker process alone), and
 * passive ejection (`breaker`), a circuit breaker fed by what happens to the connections of all workers:
 *
 *   closed ──N failures in a row──▶ open ──time is over──▶ half-open ──one worker claims it──▶ probing ──connected──▶ settling
 *      ▲                              ▲                                                           │                      │
 *      │                              └──────────────── failed: for longer ───────────────────────┴──────────────────────┤
 *      └────────────────────────────────── a byte came, or no failure within SETTLE_MS ──────────────────────────────────┘
 *
 * The whole breaker is one 64-bit word that changes by compare-and-swap: failures in a row, ejections in a row, state, and the time
 * it holds until. A claim is the word its worker wrote; what that worker reports later counts only while the word is still that
 * one, so reports of other connections, of a claim that ran out or of a slot that has a new owner change nothing. And since every
 * state but `closed` has its end in the word, a worker that is killed blocks nothing and leaks nothing.
 *
 * A channel is never ejected when that would leave its pool without a usable one. Failures that a client might provoke (a reset
 * after the connection was made) moreover never eject more than half of a pool. */
#ifndef BALANCE_HEALTH_H
#define BALANCE_HEALTH_H

#include "conf.h"
#include "shm.h"

/* A probe's connection that was neither reset nor heard of for so long is taken for good: some services never speak first. */
enum { HEALTH_SETTLE_MS = 1000 };

/* Beyond the pool's connect timeout, a claim is kept for so long. */
enum { HEALTH_CLAIM_MS = 1000 };

enum health_failure {
	HEALTH_UNREACHABLE, /* refused, no route, no answer in time */
	HEALTH_RESET,       /* after it was accepted and before any byte came back */
};

/* What changed, for whoever wants to tell. */
enum health_change { HEALTH_SAME, HEALTH_EJECTED, HEALTH_RETURNED, HEALTH_DOWN, HEALTH_UP };

bool health_allows(const struct pool *, uint32_t slot, uint64_t now_ms);

/* Whether anything below has a say in a pool. */
static inline bool health_matters(const struct pool *p)
{
	return (p->eject.fails | (uint32_t)p->check.kind) != 0;
}

/* Whether the pool's health settings let a connection try this channel. Takes and changes nothing. */
static inline bool health_usable(const struct pool *p, const struct channel *ch, uint64_t now_ms)
{
	return !health_matters(p) || health_allows(p, ch->slot, now_ms);
}

/* A connection is about to try the channel; its place is taken. False when another connection has the probe meanwhile. *claim is 0,
 * or what the functions below want to be told. */
bool health_begin(const struct pool *, uint32_t slot, uint64_t now_ms, uint64_t *claim);

/* The attempt reached the channel. A claim goes on until something is heard. A slow start begins here. */
void health_connected(uint32_t slot, uint64_t now_ms, uint64_t *claim);

/* The channel showed that it works. */
enum health_change health_passed(uint32_t slot, uint64_t now_ms, uint64_t claim);

/* It showed that it does not. */
enum health_change health_failed(const struct pool *, uint32_t slot, uint64_t now_ms, uint64_t claim, enum health_failure);

/* The attempt ended without saying anything about the channel (the client left, …): the next connection may probe at once. */
void health_yield(uint32_t slot, uint64_t now_ms, uint64_t claim);

/* The checker's result for one channel of a pool. */
enum health_change health_checked(const struct check *, uint32_t slot, uint64_t now_ms, bool good);

/* Whether an attempt that failed with this errno says something about the channel, rather than about this machine. */
bool health_is_fault(int error);

/* For people: `up`, `down`, `ejected`, `probing` or `disabled`. */
const char *health_state(const struct pool *, uint32_t slot, uint64_t now_ms);

/* How long an ejection still lasts, in milliseconds. */
uint64_t health_ejected_for(uint32_t slot, uint64_t now_ms);

/* A new configuration: what its pools no longer ask for is forgotten. */
void health_settle(const struct conf *);

#endif
