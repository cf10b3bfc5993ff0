// SPDX-License-Identifier: Apache-2.0
/* choose: one group's next channel, by its strategy. */
#ifndef BALANCE_CHOOSE_H
#define BALANCE_CHOOSE_H

#include "pool.h"

/* What one call of pool_take is about. */
struct choice {
	const struct pool *pool;
	const struct group *group;
	struct attempt *attempt;
	const struct addr *client;
	unsigned worker;
	uint64_t now_ms;
};

/* Takes a place on a channel of the group that the attempt has not had yet; NULL when there is none. */
const struct channel *choose(const struct choice *);

/* Takes a place on this one, unless it is of no use or has none. */
bool choose_this(const struct choice *, const struct channel *);

#endif
