// SPDX-License-Identifier: Apache-2.0
/* queue: who waits for a place in a full pool. */
#include "queue.h"

#include "connect.h"
#include "limit.h"
#include "place.h"
#include "wake.h"

#include <stdlib.h>

/* Those of one worker who wait for one pool. Made with the first, freed by queue_serve when empty. */
struct queue {
	struct queue *next;
	uint32_t slot; /* the pool's limit_slot */
	struct waiter *first, **end;
};

bool queue_is_awaited(const struct pool *pool)
{
	return pool->queue != 0 && shm_sum(pool->limit_slot, L_QUEUED) > 0;
}

static struct queue *find(struct worker *w, uint32_t slot)
{
	/* Few pools are full at a time. */
	for (struct queue *q = w->queues; q != NULL; q = q->next)
		if (q->slot == slot)
			return q;
	struct queue *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->slot = slot;
	q->end = &q->first;
	q->next = w->queues;
	if (w->queues == NULL)
		w->queue_poll = w->env.now + QUEUE_POLL_MS;
	w->queues = q;
	return q;
}

static void publish(const struct worker *w, const struct queue *q)
{
	atomic_store(&conn_cell(w, q->slot)->v[L_SINCE], q->first == NULL ? 0 : q->first->since);
}

static struct waiter *make_waiter(const struct worker *w, struct conn *c)
{
	struct waiter *x = calloc(1, sizeof *x);
	if (x == NULL)
		return NULL;
	x->conn = c;
	x->since = w->env.now;
	x->until = w->env.now + c->core.pool->queue_ms;
	return c->waiter = x;
}

static void insert(struct queue *q, struct waiter *x, struct waiter **at)
{
	x->queue = q;
	x->link = at;
	x->next = *at;
	*at = x;
	if (x->next != NULL)
		x->next->link = &x->next;
	else
		q->end = &x->next;
}

static bool others_wait(const struct worker *w, uint32_t slot)
{
	for (unsigned i = 0; i < shm_used(); i++)
		if (i != w->id && atomic_load(&shm_cell(slot, i)->v[L_QUEUED]) > 0)
			return true;
	return false;
}

bool queue_join(struct worker *w, struct conn *c)
{
	const struct pool *pool = c->core.pool;
	const bool again = c->waiter != NULL;
	if (pool->queue == 0 || (again && c->waiter->until <= w->env.now))
		return false;
	struct queue *q = find(w, pool->limit_slot);
	if (q == NULL || (!again && make_waiter(w, c) == NULL))
		return false;
	if (!place_take(q->slot, L_QUEUED, w->id, pool->queue))
		return false;
	insert(q, c->waiter, again ? &q->first : q->end);
	c->connect_until = c->waiter->until;
	if (q->first == c->waiter) {
		publish(w, q);
		/* A place may have become free before this one was counted. Others who wait have been counted before and will have it. */
		w->queue_due |= !again && !others_wait(w, q->slot);
	}
	return true;
}

void queue_take_out(struct worker *w, struct conn *c)
{
	struct waiter *x = c->waiter;
	struct queue *q = x->queue;
	const bool was_first = q->first == x;
	*x->link = x->next;
	if (x->next != NULL)
		x->next->link = x->link;
	else
		q->end = x->link;
	x->queue = NULL;
	c->connect_until = 0;
	place_give(q->slot, L_QUEUED, w->id);
	if (was_first)
		publish(w, q);
}

void queue_end_wait(struct worker *w, struct conn *c)
{
	/* A place that was meant for it is the next one's. */
	w->queue_due |= queue_holds(c);
	queue_leave(w, c);
	free(c->waiter);
	c->waiter = NULL;
}

/* The worker other than this one whose first has waited longest, or w->id when nobody waits elsewhere. */
static unsigned longest_waiting(const struct worker *w, uint32_t slot, bool or_here)
{
	uint64_t least = UINT64_MAX;
	unsigned found = w->id;
	for (unsigned i = 0; i < shm_used(); i++) {
		const struct shm_cell *cell = shm_cell(slot, i);
		if ((i == w->id && !or_here) || atomic_load(&cell->v[L_QUEUED]) == 0)
			continue;
		const uint64_t since = atomic_load(&cell->v[L_SINCE]);
		if (since < least) {
			least = since;
			found = i;
		}
	}
	return found;
}

void queue_freed(struct worker *w, uint32_t slot)
{
	if (shm_sum(slot, L_QUEUED) == 0)
		return;
	const unsigned who = longest_waiting(w, slot, true);
	if (who == w->id)
		w->queue_due = true;
	else
		wake(who);
}

bool queue_due(const struct worker *w)
{
	return w->queue_due || (w->queues != NULL && w->queue_poll <= w->env.now);
}

static void serve(struct worker *w, struct queue *q)
{
	struct waiter *next;
	for (struct waiter *x = q->first; x != NULL; x = next) {
		/* Strictly hashed clients each wait for a channel of their own. */
		const bool ordered = !x->conn->core.pool->strict_hash;
		next = x->next;
		if (!connect_retry(w, x->conn) && ordered)
			return;
	}
	if (q->first != NULL)
		return;
	const unsigned who = longest_waiting(w, q->slot, false);
	if (who != w->id)
		wake(who);
}

static void sweep(struct worker *w)
{
	for (struct queue **link = &w->queues; *link != NULL;) {
		struct queue *q = *link;
		if (q->first != NULL) {
			link = &q->next;
			continue;
		}
		*link = q->next;
		free(q);
	}
}

void queue_drop_all(struct worker *w)
{
	sweep(w);
}

void queue_serve(struct worker *w)
{
	w->queue_due = false;
	w->queue_poll = w->env.now + QUEUE_POLL_MS;
	/* New queues are put in front, and none is freed meanwhile. */
	for (struct queue *q = w->queues; q != NULL; q = q->next)
		serve(w, q);
	sweep(w);
}

void queue_repool(struct worker *w)
{
	struct waiter *next;
	for (struct queue *q = w->queues; q != NULL; q = q->next)
		for (struct waiter *x = q->first; x != NULL; x = next) {
			const struct pool *pool = x->conn->core.pool;
			next = x->next;
			if (pool == NULL || pool->queue == 0 || pool->limit_slot != q->slot)
				connect_requeue(w, x->conn);
		}
	w->queue_due |= w->queues != NULL;
}
