// SPDX-License-Identifier: Apache-2.0
/* json: strings for JSON output (RFC 8259 §7). */
#ifndef BALANCE_JSON_H
#define BALANCE_JSON_H

#include <stdio.h>

/* Writes a quoted string; control bytes and bytes beyond ASCII are escaped, so that any input gives valid JSON. */
void json_string(FILE *, const char *);

#endif
