// SPDX-License-Identifier: Apache-2.0
/* report: the answers of the control socket. */
#ifndef BALANCE_REPORT_H
#define BALANCE_REPORT_H

#include "master.h"

#include <stdio.h>

void report_status(FILE *, const struct master *);
void report_pools(FILE *, const struct master *);
void report_http(FILE *, const struct master *);

#endif
