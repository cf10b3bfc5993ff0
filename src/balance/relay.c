// SPDX-License-Identifier: Apache-2.0
/* relay: the TCP lane of the core. Connect, then bytes as they come. */
#include "core_lane.h"

#include <stdlib.h>

void relay_start(struct core *c, const struct pool *pool)
{
	c->pool = pool;
	c->state = CORE_CONNECTING;
	c->idle_ms = pool->idle_ms;
	c->wants |= CORE_CONNECT;
}

/* When all that a side sent has been passed on and it has ended, the other side is told. */
static void pass_end(struct core *c, enum side from)
{
	const enum side to = other(from);
	if (c->state != CORE_RELAYING || !c->ended[from] || c->stream[from] != NULL || c->shut[to])
		return;
	c->shut[to] = true;
	if (c->shut[from] || (c->gone && from == CLIENT))
		core_close_for(c, WHY_DONE);
	else
		c->wants |= to == POD ? CORE_SHUT_POD : CORE_SHUT_CLIENT;
}

struct iovec relay_space(struct core *c, enum side from)
{
	/* While a pod is being connected to, the client's bytes wait in the kernel: they can still go to any channel. */
	return c->state == CORE_RELAYING ? core_room(c, from) : (struct iovec){0};
}

void relay_eof(struct core *c, enum side from)
{
	pass_end(c, from);
}

void relay_broken(struct core *c, enum side s)
{
	if (c->state != CORE_RELAYING || s == CLIENT) {
		core_close_for(c, WHY_RESET);
		return;
	}
	/* The pod takes no more, yet what it has said (an early refusal of an upload, say) is still to be read. */
	core_drop_stream(c, CLIENT);
	c->ended[CLIENT] = true;
	c->shut[POD] = true;
	if (c->shut[CLIENT])
		core_close_for(c, WHY_DONE); /* it had ended before it broke: nothing can flow any more */
	else
		pass_end(c, POD);
}

void relay_client_gone(struct core *c, bool left_bytes)
{
	if (c->state == CORE_CONNECTING && !left_bytes) {
		core_close_for(c, WHY_RESET);
		return;
	}
	/* Nobody waits for the pod's answer; a pod that never answers must not keep the connection and its place. */
	c->gone = true;
	if (c->shut[POD])
		core_close_for(c, WHY_DONE);
}

struct iovec relay_pending(const struct core *c, enum side to)
{
	struct buf *b = c->stream[other(to)];
	if (c->state != CORE_RELAYING || b == NULL)
		return (struct iovec){0};
	return (struct iovec){b->data + b->r, b->w - b->r};
}

void relay_output(struct core *c, enum side to)
{
	const enum side from = other(to);
	if (c->stream[from]->r < c->stream[from]->w)
		return;
	core_drop_stream(c, from);
	pass_end(c, from);
}

size_t relay_pass_limit(const struct core *c, enum side from)
{
	return c->state == CORE_RELAYING && !c->ended[from] && c->stream[from] == NULL ? SIZE_MAX : 0;
}

void relay_connected(struct core *c)
{
	c->state = CORE_RELAYING;
	free(c->sni);
	free(c->origin);
	c->sni = NULL;
	c->origin = NULL;
	pass_end(c, CLIENT);
}

uint64_t relay_deadline(const struct core *c)
{
	if (c->state == CORE_RELAYING && c->idle_ms != 0)
		return c->last + c->idle_ms;
	return UINT64_MAX; /* connecting: the owner keeps the time of each attempt */
}
