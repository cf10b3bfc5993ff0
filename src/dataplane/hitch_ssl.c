/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_ssl: records are read as they come, not header and body apart.
 *
 * Without read-ahead OpenSSL asks for the five bytes of a record's header, then for the rest: two read(2) for each request. With it, more than
 * one record may lie in OpenSSL's buffer while the socket is empty. Hitch takes one at a time and waits for the socket to be readable, so the socket
 * counts as readable until the buffer has been read (hitch_io.h).
 */
#include "hitch_ssl.h"

#include "hitch_flight.h"
#include "hitch_io.h"

/* An incomplete record also counts as pending. It ends with a read that finds nothing, and only progress asks again. */
static void look_for_more(SSL *ssl)
{
	if (hitch_flight_pending(ssl) || SSL_has_pending(ssl))
		hitch_io_readable(SSL_get_fd(ssl));
}

SSL *hitch_SSL_new(SSL_CTX *ctx)
{
	/* Here, since a connection's first record layer, which reads the handshake, takes it over when it is made. */
	SSL_CTX_set_read_ahead(ctx, 1);
	return SSL_new(ctx);
}

int hitch_SSL_set_fd(SSL *ssl, int fd)
{
	const int r = SSL_set_fd(ssl, fd);
	if (r == 1 && SSL_is_server(ssl))
		hitch_flight_add(ssl);
	return r;
}

int hitch_SSL_do_handshake(SSL *ssl)
{
	hitch_flight_begin(ssl);
	const int r = SSL_do_handshake(ssl);
	hitch_flight_end(ssl, r == 1);
	if (r == 1) {
		/* Most clients just go. OpenSSL would answer that with a fatal alert, which wakes a socket that nobody has any more. */
		SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
		look_for_more(ssl);
	}
	return r;
}

/* A client that has ended the connection below TLS gets no close_notify either: only a reset could come back. */
int hitch_SSL_shutdown(SSL *ssl)
{
	if (BIO_eof(SSL_get_rbio(ssl)))
		SSL_set_quiet_shutdown(ssl, 1);
	return SSL_shutdown(ssl);
}

int hitch_SSL_read(SSL *ssl, void *at, int n)
{
	const int r = SSL_read(ssl, at, n);
	if (r > 0)
		look_for_more(ssl);
	return r;
}
