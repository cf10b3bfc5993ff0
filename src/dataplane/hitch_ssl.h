/* SPDX-License-Identifier: Apache-2.0 */
/* hitch_ssl: what hitch.c calls instead of OpenSSL; the build renames it there (vendor/packages/hitch.sh). */
#ifndef HITCH_SSL_H
#define HITCH_SSL_H

#include <openssl/ssl.h>

/* Arguments and results as SSL_new(3), SSL_set_fd(3), SSL_do_handshake(3), SSL_read(3), SSL_shutdown(3). */
SSL *hitch_SSL_new(SSL_CTX *ctx);
int hitch_SSL_set_fd(SSL *ssl, int fd);
int hitch_SSL_do_handshake(SSL *ssl);
int hitch_SSL_read(SSL *ssl, void *at, int n);
int hitch_SSL_shutdown(SSL *ssl);

#endif
