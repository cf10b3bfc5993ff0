// SPDX-License-Identifier: Apache-2.0
/* watch: which channels have changed their state since the last look.
 *
 * A state changes by command, by a worker that saw a channel fail, or by a check. The master finds out by looking, and only while
 * somebody follows: what happens on a connection costs nothing more. */
#ifndef BALANCE_WATCH_H
#define BALANCE_WATCH_H

#include "channel_state.h"

struct watch {
	unsigned char *state; /* by slot: 1 + enum channel_state, 0: not seen yet */
	size_t n;
};

/* Takes the states as they are for known. False when memory ran out: then changes of new channels are not told. */
bool watch_begin(struct watch *, const struct conf *, uint64_t now_ms);

struct watch_change {
	const struct pool *pool;
	const struct channel *channel;
	enum channel_state was, is;
	uint64_t now_ms;
};

/* Calls changed for each channel that has another state than the last time. */
void watch_look(struct watch *, const struct conf *, uint64_t now_ms, void (*changed)(void *with, const struct watch_change *), void *with);

void watch_end(struct watch *);

#endif
