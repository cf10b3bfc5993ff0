// SPDX-License-Identifier: Apache-2.0
/* proxy: the PROXY protocol header, versions 1 and 2 (haproxy.org, "The PROXY protocol", 2.1, 2.2). */
#ifndef BALANCE_PROXY_H
#define BALANCE_PROXY_H

#include "addr.h"
#include "conf.h"

#include <stdint.h>

/* The longest header that is accepted: the fixed part, the largest addresses and TLVs with a few certificates' worth of facts. */
enum { PROXY_HEADER_MAX = 16384 };

/* What is known of a connection before its first byte. The strings point into the bytes that were parsed. */
struct facts {
	struct addr client, local; /* len 0 when the header does not say */
	const char *sni;           /* PP2_TYPE_AUTHORITY */
	const char *alpn;          /* PP2_TYPE_ALPN */
	const char *cert;          /* Hitch's proxy-client-cert (type 0xe0): the client's certificate, PEM */
	const char *ssl;           /* PP2_TYPE_SSL, its sub-TLVs included */
	uint16_t sni_len, alpn_len, cert_len, ssl_len;
	bool tls;                  /* PP2_TYPE_SSL present with PP2_CLIENT_SSL */
	bool client_cert;          /* the client presented a certificate */
	bool client_verified;      /* … and its verification succeeded */
};

enum proxy_result { PROXY_MORE, PROXY_OK, PROXY_BAD };

/* Reads a header of an accepted version from the first n bytes. PROXY_MORE: what there is can still become a header.
 * PROXY_OK: facts are set and *used bytes belong to the header. PROXY_BAD: it never can. */
enum proxy_result proxy_parse(enum proxy_mode, const unsigned char *, size_t n, struct facts *, size_t *used);

#endif
