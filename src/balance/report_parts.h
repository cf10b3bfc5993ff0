// SPDX-License-Identifier: Apache-2.0
/* report_parts: what the answers of the control socket are put together from. */
#ifndef BALANCE_REPORT_PARTS_H
#define BALANCE_REPORT_PARTS_H

#include "count.h"
#include "json.h"
#include "report.h"

/* `,"key":value` */
void report_number(FILE *, const char *key, uint64_t value);
void report_text(FILE *, const char *key, const char *value);

/* Whether what has these counters is a `listener `, a `channel ` and so on. */
bool report_is_kind(const struct slot_owner *, const char *kind);

#endif
