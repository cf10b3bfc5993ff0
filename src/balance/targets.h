// SPDX-License-Identifier: Apache-2.0
/* targets: what a configuration wants checked. The same check of the same address is one target, however many pools ask for it. */
#ifndef BALANCE_TARGETS_H
#define BALANCE_TARGETS_H

#include "check.h"
#include "timer.h"

/* A channel that a target's results are for. */
struct watcher {
	struct watcher *next;
	const struct pool *pool; /* rise and fall */
	uint32_t slot;
};

struct target {
	struct timer timer;
	struct check_plan plan;
	struct checking checking;
	struct watcher *watchers;
	struct target *next; /* waiting for a place */
	bool waiting;
	uint64_t due;   /* when the next check begins, ms */
	uint64_t until; /* when the one under way is given up */
};

struct targets {
	struct arena arena;
	struct target **at;
	size_t n, cap;
	struct map by_key;
};

/* Fills empty targets in. What it points to belongs to conf. False when memory ran out. */
bool targets_build(struct targets *, const struct conf *);

/* Calls visit for each target of coming with the one of before that makes the same check, or NULL. */
void targets_match(struct targets *coming, const struct targets *before,
                   void (*visit)(void *with, struct target *, struct target *before), void *with);

void targets_free(struct targets *);

/* Whether there is any. */
bool targets_wanted(const struct conf *);

#endif
