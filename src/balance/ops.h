// SPDX-License-Identifier: Apache-2.0
/* ops: what a worker does for its cores: counting requests, limits per client, random numbers. */
#ifndef BALANCE_OPS_H
#define BALANCE_OPS_H

#include "core.h"

extern const struct core_ops worker_ops;

/* Upper bounds of the duration histogram's buckets, in microseconds; the last bucket has none. */
enum { DURATION_BUCKETS = 15 };
extern const uint64_t duration_bounds[DURATION_BUCKETS - 1];

/* Where a number of the histogram stands: 0 … DURATION_BUCKETS-1 the buckets, then the sum in microseconds. */
enum { DURATION_SUM = DURATION_BUCKETS };

#endif
