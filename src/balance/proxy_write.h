// SPDX-License-Identifier: Apache-2.0
/* proxy_write: the PROXY protocol header, versions 1 and 2, as it goes to a pod (haproxy.org, "The PROXY protocol", 2.1, 2.2). */
#ifndef BALANCE_PROXY_WRITE_H
#define BALANCE_PROXY_WRITE_H

#include "conf.h"
#include "proxy.h"

/* All TLVs of one header together; what does not fit whole is left out. Hitch's facts of a client certificate with long names take some 300
 * bytes; the certificate itself is not passed on. */
enum { ORIGIN_TLVS_MAX = 2048, PROXY_WRITE_MAX = 16 + 36 + ORIGIN_TLVS_MAX };

/* What a PROXY header said that nothing but a PROXY header to the pod needs. */
struct origin {
	struct addr local;    /* what the client connected to; len 0: unknown */
	uint16_t tlvs_n;
	unsigned char tlvs[]; /* as they go out: authority, ALPN, TLS facts */
};

/* Keeps of the facts what a header of this kind may carry. NULL when memory ran out. */
struct origin *origin_keep(enum send_proxy most, const struct facts *);

/* Writes the header for a client and the address it connected to (len 0: unknown); returns its length. TLVs only go with v2-ssl. */
size_t proxy_write(enum send_proxy, const struct addr *client, const struct addr *local, const unsigned char *tlvs, size_t n,
                   unsigned char to[PROXY_WRITE_MAX]);

#endif
