/* SPDX-License-Identifier: Apache-2.0 */
/* hitch_flight: a BIO between OpenSSL and a client's socket for as long as the handshake takes. */
#ifndef HITCH_FLIGHT_H
#define HITCH_FLIGHT_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* Before the handshake, on a server's connection that has its socket. Without memory the connection stays as it is. */
void hitch_flight_add(SSL *ssl);

/* Around SSL_do_handshake(3). What has been gathered leaves when it is over; a connection that needs the BIO no more loses it. */
void hitch_flight_begin(SSL *ssl);
void hitch_flight_end(SSL *ssl, bool done);

/* Whether bytes lie here that the socket does not have any more. Takes the BIO off once nothing does. */
bool hitch_flight_pending(SSL *ssl);

#endif
