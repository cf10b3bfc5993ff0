// SPDX-License-Identifier: Apache-2.0
/* http_path: a request path as it is compared with rules. */
#ifndef BALANCE_HTTP_PATH_H
#define BALANCE_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* True when path_normalise would change nothing. */
bool path_is_normal(const char *, size_t n);

/* Decodes escapes of unreserved characters, writes others in upper case, makes one slash of several and resolves dot segments
 * (RFC 3986 §6.2.2), so that a rule can't be walked around. Writes at most n bytes to out and their number to *len. False for a broken escape or an escaped NUL. */
bool path_normalise(char *out, size_t *len, const char *, size_t n);

#endif
