// SPDX-License-Identifier: Apache-2.0
/* splice: bulk data moved inside the kernel, through a pipe. */
#ifndef BALANCE_SPLICE_H
#define BALANCE_SPLICE_H

#include "conn.h"

/* Moves bytes from a side that core_passes, without bringing them into this process. Ends by itself when the stream calms down. */
bool splice_flow(struct worker *, struct conn *, enum side from);

/* Closes the pipes that are kept. */
void splice_drop_all(struct worker *);

/* NULL is fine. A pipe with bytes in it is closed, an empty one kept for the next. */
void splice_give_back(struct worker *, struct pipe_pair *);

#endif
