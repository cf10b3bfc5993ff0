// SPDX-License-Identifier: Apache-2.0
/* client_hello: the server name that a TLS client asks for, read from the first bytes it sends (RFC 8446 §4.1.2, RFC 6066 §3). */
#ifndef BALANCE_CLIENT_HELLO_H
#define BALANCE_CLIENT_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest ClientHello that is accepted; with post-quantum key shares they have some 2,000 bytes. */
enum { CLIENT_HELLO_MAX = 16384 };

enum hello_result { HELLO_MORE, HELLO_OK, HELLO_BAD };

/* Where reading stands; zeros to begin with. */
struct client_hello {
	uint32_t record;    /* bytes left of the record */
	uint32_t body;      /* of the ClientHello */
	uint32_t list;      /* of the extensions */
	uint32_t extension; /* of the one being read */
	uint32_t skip;      /* bytes nobody looks at */
	uint32_t number;    /* what the bytes so far make */
	uint8_t stage, have; /* have: bytes of the number so far */
	uint8_t header[5], header_n;
	bool named, done;
	uint8_t name_len; /* 0: no name */
	char name[255];   /* host name as the client wrote it; letters, digits and ._- */
};

/* Reads on. HELLO_MORE: it can still become one. HELLO_OK: it is whole, and name is set; what follows is not looked at. HELLO_BAD: it never
 * can. */
enum hello_result client_hello_feed(struct client_hello *, const unsigned char *, size_t n);

#endif
