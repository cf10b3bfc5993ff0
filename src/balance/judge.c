// SPDX-License-Identifier: Apache-2.0
/* judge: what becomes of a connection to a pod, told to health. */
#include "judge.h"

#include "message.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* Of the 200 KB that a socket of this kind queues, the rest is left to messages that must not be lost. */
enum { TOLD_MAX = 128 * 1024 };

void judge_tell(int master_fd, uint32_t slot, enum health_change change)
{
	int queued;
	if (change == HEALTH_SAME || master_fd < 0 || ioctl(master_fd, SIOCOUTQ, &queued) < 0 || queued > TOLD_MAX)
		return;
	const struct message m = {.type = MESSAGE_HEALTH, .slot = slot, .size = change};
	message_send(master_fd, &m, -1);
}

bool judge_begin(struct worker *w, struct conn *c)
{
	return health_begin(c->core.pool, c->slot, w->env.now, &c->claim);
}

void judge_failed(struct worker *w, struct conn *c, int error)
{
	const uint64_t claim = c->claim;
	c->claim = 0;
	if (!health_is_fault(error)) {
		health_yield(c->slot, w->env.now, claim);
		return;
	}
	pool_failed(c->core.pool, c->slot);
	judge_tell(w->master_fd, c->slot, health_failed(c->core.pool, c->slot, w->env.now, claim, HEALTH_UNREACHABLE));
}

void judge_connected(struct worker *w, struct conn *c)
{
	c->judged = c->core.pool->eject.fails != 0;
	c->pool_slot = c->core.pool->http_slot;
	health_connected(c->slot, w->env.now, &c->claim);
}

void judge_read(struct worker *w, struct conn *c, enum io io)
{
	enum health_change change = HEALTH_SAME;
	if (io == IO_AGAIN)
		return;
	c->judged = false;
	if (io == IO_OK || (io == IO_EOF && c->core.http == NULL && !c->pod->broken)) {
		change = health_passed(c->slot, w->env.now, c->claim);
	} else {
		/* The configuration may have changed since the connection was made: what a pool that is gone thought of it matters no more. */
		const struct pool *p = conf_pool(w->env.conf, c->pool_slot);
		if (p != NULL)
			change = health_failed(p, c->slot, w->env.now, c->claim, HEALTH_RESET);
	}
	judge_tell(w->master_fd, c->slot, change);
	c->claim = 0;
}

void judge_parted(struct worker *w, struct conn *c)
{
	if (c->claim != 0)
		health_yield(c->slot, w->env.now, c->claim);
	c->claim = 0;
	c->judged = false;
}
