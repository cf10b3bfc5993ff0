// SPDX-License-Identifier: Apache-2.0
/* queue: who waits for a place in a full pool. Each worker keeps those it accepted, first come first served, and counts them in shared memory, so
 * that the bound is one for all workers and whoever frees a place, in any worker, can wake the one whose first has waited longest.
 *
 * No wake-up gets lost: who waits is counted before it looks for a place once more; who frees a place does so before it looks who waits; and a
 * worker whose last one goes looks whether others have any. What races leave over, what a killed worker has taken along, and places that come
 * about otherwise (a channel is enabled, an attempt to connect fails) are found by looking again every QUEUE_POLL_MS while somebody waits. */
#ifndef BALANCE_QUEUE_H
#define BALANCE_QUEUE_H

#include "conn.h"

enum { QUEUE_POLL_MS = 100 };

struct queue;

/* One connection's waiting; lives from the first time it has to wait until it has a pod or an answer. */
struct waiter {
	struct conn *conn;
	struct queue *queue; /* NULL: not in it right now */
	struct waiter *next, **link;
	uint64_t since, until;
};

/* Whether others wait for this pool, so that it would be unfair to take a place. */
bool queue_is_awaited(const struct pool *);

/* The connection waits for a place in core.pool; who has waited before stands first. False when the queue is full or its time is over. */
bool queue_join(struct worker *, struct conn *);

static inline bool queue_holds(const struct conn *c)
{
	return c->waiter != NULL && c->waiter->queue != NULL;
}

/* It is out of the queue, with a place taken. Inline, as the next: hardly anybody waits. */
void queue_take_out(struct worker *, struct conn *);

static inline void queue_leave(struct worker *w, struct conn *c)
{
	if (queue_holds(c))
		queue_take_out(w, c);
}

/* Its waiting is over; when it is still in the queue, it has got nothing. Harmless when it never waited. */
void queue_end_wait(struct worker *, struct conn *);

static inline void queue_forget(struct worker *w, struct conn *c)
{
	if (c->waiter != NULL)
		queue_end_wait(w, c);
}

/* A place of the pool with this limit_slot, or of one of its channels, has become free. */
void queue_freed(struct worker *, uint32_t slot);

/* Gives what is free to those who wait here; to be called at the end of a turn when queue_due. */
bool queue_due(const struct worker *);
void queue_serve(struct worker *);

/* Frees the queues, in which nobody is any more. */
void queue_drop_all(struct worker *);

/* The configuration was replaced and core.pool of all who wait is of the new one, or NULL: those whose queue is gone start anew or are refused. */
void queue_repool(struct worker *);

#endif
