// SPDX-License-Identifier: Apache-2.0
/* cert: who a client's certificate says it is. */
#ifndef BALANCE_CERT_H
#define BALANCE_CERT_H

#include <stdbool.h>
#include <stddef.h>

/* Writes the subject of a PEM certificate as an RFC 4514 string (`CN=x,O=y`, NUL-terminated), byte for byte what
 * `openssl x509 -subject -nameopt RFC2253` prints: printable ASCII, so that it can stand in a header field. False when it does not fit. */
bool cert_subject(const char *pem, size_t n, char *dn, size_t size);

#endif
