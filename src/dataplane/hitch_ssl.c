/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_ssl: records are read as they come, not header and body apart.
 *
 * Without read-ahead OpenSSL asks for the five bytes of a record's header, then for the rest: two read(2) for each request. With it, more than
 * one record may lie in OpenSSL's buffer while the socket is empty. Hitch takes one at a time and waits for the socket to be readable, so the socket
 * counts as readable until the buffer has been read (hitch_io.h).
 */
#include "hitch_ssl.h"

#include "hitch_io.h"

/* An incomplete record also counts as pending. It ends with a read that finds nothing, and only progress asks again. */
static void look_for_more(SSL *ssl)
{
	if (SSL_has_pending(ssl))
		hitch_io_readable(SSL_get_fd(ssl));
}

SSL *hitch_SSL_new(SSL_CTX *ctx)
{
	/* Here, since a connection's first record layer, which reads the handshake, takes it over when it is made. */
	SSL_CTX_set_read_ahead(ctx, 1);
	return SSL_new(ctx);
}

int hitch_SSL_do_handshake(SSL *ssl)
{
	const int r = SSL_do_handshake(ssl);
	if (r == 1)
		look_for_more(ssl);
	return r;
}

int hitch_SSL_read(SSL *ssl, void *at, int n)
{
	const int r = SSL_read(ssl, at, n);
	if (r > 0)
		look_for_more(ssl);
	return r;
}
