// SPDX-License-Identifier: Apache-2.0
/* addr: socket addresses as text and back. */
#ifndef BALANCE_ADDR_H
#define BALANCE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
	socklen_t len; /* 0: unknown */
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

#define ADDR_TEXT 64 /* room for any text addr_format writes, NUL included */

/* Reads `IPV4:PORT` or `[IPV6]:PORT` from n bytes. Names are not resolved. Port 1–65535. */
bool addr_parse(struct addr *, const char *, size_t n);

/* Writes the form that addr_parse reads; `-` when unknown. */
void addr_format(const struct addr *, char text[ADDR_TEXT]);

/* Reads 1–65535. */
bool addr_port(const char *, size_t n, unsigned *port);

/* An IPv4 address that came as IPv6 (`::ffff:1.2.3.4`, RFC 4291 §2.5.5.2) becomes IPv4 again. */
void addr_unmap(struct addr *);

/* Writes the address without port or brackets. */
void addr_format_host(const struct addr *, char text[ADDR_TEXT]);

/* A 64-bit mix of the address without the port: the same client gives the same number. */
unsigned long long addr_hash(const struct addr *);

/* Fills a Unix address; false when the path does not fit. */
bool addr_unix(struct sockaddr_un *, const char *path);

#endif
