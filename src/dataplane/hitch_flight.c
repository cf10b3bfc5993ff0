/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_flight: flights of a handshake in one read and one write each.
 *
 * Until the handshake is over OpenSSL ignores read-ahead and asks for the header and the body of each record apart: seven read(2) for a
 * ClientHello and the client's Finished, and one more that finds nothing. TLS 1.3's session tickets follow in a write and so in a
 * TCP segment each. The BIO here reads what there is, and lets the tickets leave together, when SSL_do_handshake(3) is about to return.
 *
 * Only tickets wait: the client has got all that was written before them, so they fit into the socket; if the kernel has no memory they
 * go with the next write, which is early enough, since no client needs them to go on (RFC 8446, 4.6.1). When a connection
 * is past its handshake the BIO is taken off, and costs nothing any more.
 */
#include "hitch_flight.h"

#include <stdlib.h>
#include <string.h>

enum {
	IN = 2048,  /* a ClientHello with a hybrid key share; what is longer takes one more read */
	OUT = 1024, /* two tickets */
};

struct flight {
	SSL *ssl;
	bool active;      /* SSL_do_handshake is running: the bytes are the handshake's, and what comes behind them */
	bool dry;         /* the last read has emptied the socket; what comes now makes it readable again */
	int from, to;     /* in `in`: what OpenSSL has not asked for yet */
	int out_n;
	char in[IN], out[OUT];
};

static BIO_METHOD *method;
static int type;

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int flight_read(BIO *b, char *at, int n)
{
	struct flight *f = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	if (f->from == f->to && (!f->active || n >= IN)) {
		const int r = BIO_read(BIO_next(b), at, n);
		BIO_copy_next_retry(b);
		return r;
	}
	if (f->from == f->to) {
		if (f->dry) {
			BIO_set_retry_read(b);
			return -1;
		}
		const int r = BIO_read(BIO_next(b), f->in, IN);
		if (r <= 0) {
			BIO_copy_next_retry(b);
			return r;
		}
		f->from = 0;
		f->to = r;
		f->dry = r < IN;
	}
	const int some = min(n, f->to - f->from);
	memcpy(at, f->in + f->from, (size_t)some);
	f->from += some;
	return some;
}

/* 1: nothing is left. Otherwise as BIO_write(3). */
static int send_out(BIO *b, struct flight *f)
{
	const int r = BIO_write(BIO_next(b), f->out, f->out_n);
	if (r > 0) {
		f->out_n -= r;
		memmove(f->out, f->out + r, (size_t)f->out_n);
	}
	if (f->out_n == 0)
		return 1;
	if (r > 0)
		BIO_set_retry_write(b);
	else
		BIO_copy_next_retry(b);
	return -1;
}

static bool is_ticket(const struct flight *f)
{
	return f->active && SSL_version(f->ssl) == TLS1_3_VERSION && SSL_get_state(f->ssl) == TLS_ST_SW_SESSION_TICKET;
}

static int flight_write(BIO *b, const char *at, int n)
{
	struct flight *f = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	if (n <= OUT - f->out_n && is_ticket(f)) {
		memcpy(f->out + f->out_n, at, (size_t)n);
		f->out_n += n;
		return n;
	}
	if (f->out_n > 0 && send_out(b, f) != 1)
		return -1;
	const int r = BIO_write(BIO_next(b), at, n);
	BIO_copy_next_retry(b);
	return r;
}

static long flight_ctrl(BIO *b, int cmd, long n, void *p)
{
	const struct flight *f = BIO_get_data(b);
	if (f != NULL && f->from < f->to) {
		if (cmd == BIO_CTRL_PENDING)
			return f->to - f->from;
		if (cmd == BIO_CTRL_EOF)
			return 0;
	}
	return BIO_next(b) == NULL ? 0 : BIO_ctrl(BIO_next(b), cmd, n, p);
}

static int flight_free(BIO *b)
{
	free(BIO_get_data(b));
	return 1;
}

static bool make_method(void)
{
	if (method != NULL)
		return true;
	type = BIO_get_new_index() | BIO_TYPE_FILTER;
	method = BIO_meth_new(type, "flight");
	if (method == NULL)
		return false;
	return BIO_meth_set_read(method, flight_read) && BIO_meth_set_write(method, flight_write) &&
	       BIO_meth_set_ctrl(method, flight_ctrl) && BIO_meth_set_destroy(method, flight_free);
}

static struct flight *find(const SSL *ssl)
{
	BIO *b = SSL_get_rbio(ssl);
	return method != NULL && b != NULL && BIO_method_type(b) == type ? BIO_get_data(b) : NULL;
}

void hitch_flight_add(SSL *ssl)
{
	BIO *socket = SSL_get_rbio(ssl);
	struct flight *f = malloc(sizeof *f);
	BIO *b = f != NULL && make_method() ? BIO_new(method) : NULL;
	if (b == NULL) {
		free(f);
		return;
	}
	f->ssl = ssl;
	f->active = false;
	f->from = f->to = f->out_n = 0;
	BIO_set_data(b, f);
	BIO_set_init(b, 1);
	BIO_up_ref(socket);
	BIO_push(b, socket);
	SSL_set_bio(ssl, b, b);
}

static void take_off(SSL *ssl)
{
	BIO *socket = BIO_next(SSL_get_rbio(ssl));
	BIO_up_ref(socket);
	SSL_set_bio(ssl, socket, socket);
}

void hitch_flight_begin(SSL *ssl)
{
	struct flight *f = find(ssl);
	if (f == NULL)
		return;
	f->active = true;
	f->dry = false;
}

void hitch_flight_end(SSL *ssl, bool done)
{
	struct flight *f = find(ssl);
	if (f == NULL)
		return;
	f->active = false;
	if (!done)
		return;
	if (f->out_n > 0)
		(void)send_out(SSL_get_rbio(ssl), f);
	(void)hitch_flight_pending(ssl);
}

bool hitch_flight_pending(SSL *ssl)
{
	const struct flight *f = find(ssl);
	if (f == NULL)
		return false;
	if (f->from < f->to)
		return true;
	if (f->out_n == 0)
		take_off(ssl);
	return false;
}
