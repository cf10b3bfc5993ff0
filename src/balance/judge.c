// SPDX-License-Identifier: Apache-2.0
/* judge: what becomes of a connection to a pod, told to health. */
#include "judge.h"

#include "health.h"
#include "news.h"
#include "socket.h"

void judge_failed(struct worker *w, struct conn *c, int error)
{
	const uint64_t claim = c->attempt.claim;
	c->attempt.claim = 0;
	if (!health_is_fault(error)) {
		health_yield(c->slot, w->env.now, claim);
		return;
	}
	pool_failed(c->core.pool, c->slot);
	news_send(w->master_fd, c->slot, health_failed(c->core.pool, c->slot, w->env.now, claim, HEALTH_UNREACHABLE), 0);
}

void judge_connected(struct worker *w, struct conn *c)
{
	const struct pool *p = c->core.pool; /* NULL: gone while the attempt was under way */
	c->judged = p != NULL && p->eject.fails != 0;
	c->pool_slot = p == NULL ? NO_POOL : p->http_slot;
	health_connected(c->slot, w->env.now, &c->attempt.claim);
}

void judge_read(struct worker *w, struct conn *c, enum io io)
{
	enum health_change change = HEALTH_SAME;
	if (io == IO_AGAIN)
		return;
	c->judged = false;
	if (io == IO_OK || (io == IO_EOF && c->core.http == NULL && !c->pod->broken)) {
		change = health_passed(c->slot, w->env.now, c->attempt.claim);
	} else if (core_is_pods_turn(&c->core)) {
		/* The configuration may have changed since the connection was made: what a pool that is gone thought of it matters no more. */
		const struct pool *p = conf_pool(w->env.conf, c->pool_slot);
		if (p != NULL)
			change = health_failed(p, c->slot, w->env.now, c->attempt.claim, HEALTH_RESET);
	}
	news_send(w->master_fd, c->slot, change, 0);
	c->attempt.claim = 0;
}

void judge_parted(struct worker *w, struct conn *c)
{
	if (c->attempt.claim != 0)
		health_yield(c->slot, w->env.now, c->attempt.claim);
	c->attempt.claim = 0;
	c->judged = false;
}
