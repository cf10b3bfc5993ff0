// SPDX-License-Identifier: Apache-2.0
/* report: the answers of the control socket. */
#ifndef BALANCE_REPORT_H
#define BALANCE_REPORT_H

#include "master.h"
#include "words.h"

#include <stdio.h>

void report_status(FILE *, const struct master *);

/* Every pool, or the one of this name; then the channels that have left and still have connections. */
void report_pools(FILE *, const struct master *, struct word only);

/* The pools with the most connections and requests under way, at most so many. */
void report_top(FILE *, const struct master *, uint32_t most);
void report_http(FILE *, const struct master *);

/* `ok` false, with a reason and, unless its len is 0, the word it is about. */
void report_refusal(FILE *, const char *why, struct word which);

#endif
