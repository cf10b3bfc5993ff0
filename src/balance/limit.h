// SPDX-License-Identifier: Apache-2.0
/* limit: what a connection holds of its pool's limits: one of `maxconn` places, and one of `client-limit` for its client. In the TCP lane from
 * the search for a channel to the end, in the HTTP lane for one request. */
#ifndef BALANCE_LIMIT_H
#define BALANCE_LIMIT_H

#include "conn.h"

/* The connection looks for a channel of this pool from now on; what it holds of another pool is given back. */
void limit_enter(struct worker *, struct conn *, const struct pool *);

/* A place for its client; false when the client has as many as it may. Asking twice takes one. */
bool limit_take_client(struct worker *, struct conn *, const struct pool *);

/* A place in the pool; false when all are taken. Asking twice takes one. */
bool limit_take_place(struct worker *, struct conn *, const struct pool *);

/* The pool's place alone goes back: the connection waits for a channel. */
void limit_give_place(struct worker *, struct conn *);

/* All of it goes back; what was used is offered to those who wait. Inline: most pools have no limits. */
void limit_leave_slot(struct worker *, struct conn *);

static inline void limit_leave(struct worker *w, struct conn *c)
{
	if (c->limit_slot != NO_SLOT)
		limit_leave_slot(w, c);
}

/* The configuration was replaced: connections that hold a channel of a pool that has limits now count against them. */
void limit_adopt(struct worker *);

#endif
