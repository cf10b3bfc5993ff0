// SPDX-License-Identifier: Apache-2.0
/* channel_state: what becomes of a channel right now, in one word; and what somebody at the control socket makes of it. */
#ifndef BALANCE_CHANNEL_STATE_H
#define BALANCE_CHANNEL_STATE_H

#include "conf.h"
#include "control_line.h"

enum channel_state {
	CHANNEL_UP,
	CHANNEL_DOWN,     /* by its checks */
	CHANNEL_EJECTED,  /* connecting failed too often */
	CHANNEL_PROBING,  /* one connection decides whether it is back */
	CHANNEL_DISABLED, /* by command, or by -a */
	CHANNEL_DRAINING, /* weight 0: no new connections */
};

enum channel_state channel_state(const struct pool *, const struct channel *, uint64_t now_ms);
const char *channel_state_name(enum channel_state);

/* Does what a line asks for to every channel of the pool with this address. Returns how many there are. */
size_t channel_change(const struct pool *, const struct control_line *, uint64_t now_ms);

/* What of the live settings a reload takes away, for each channel that both configurations have: a weight whose configured weight has
 * changed. A drained or disabled channel stays so. False when memory ran out; nothing has changed then. */
bool channel_reconcile(const struct conf *old, const struct conf *coming);

#endif
