// SPDX-License-Identifier: Apache-2.0
/* cert: who a client's certificate says it is. */
#ifndef BALANCE_CERT_H
#define BALANCE_CERT_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the subject of a PEM certificate as an RFC 4514 string (`CN=x,O=y`, NUL-terminated). Control bytes and what does not
 * fit make it fail, so that the result can stand in a header field. */
bool cert_subject(const char *pem, size_t n, char *dn, size_t size);

#endif
