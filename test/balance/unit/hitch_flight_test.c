// SPDX-License-Identifier: Apache-2.0
/*
 * A server's handshake goes through hitch_ssl and hitch_flight, the client's side is OpenSSL alone. The socket is a relay that counts
 * reads and writes, and may refuse to take more.
 */
#include "test.h"

#include "../../../src/dataplane/hitch_flight.c"
#include "../../../src/dataplane/hitch_ssl.c"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static struct {
	int readable; /* times that hitch_io was told so */
} io;

void hitch_io_readable(int fd)
{
	(void)fd;
	io.readable++;
}

/* The server's socket: two buffers in memory, with a count of calls and room for so many bytes. */
static struct wire {
	char in[16384], out[16384];
	int in_n, out_n, reads, writes, room;
	bool end;
} wire;

static int wire_read(BIO *b, char *at, int n)
{
	BIO_clear_retry_flags(b);
	wire.reads++;
	if (wire.in_n == 0) {
		if (!wire.end)
			BIO_set_retry_read(b);
		return wire.end ? 0 : -1;
	}
	const int some = n < wire.in_n ? n : wire.in_n;
	memcpy(at, wire.in, (size_t)some);
	wire.in_n -= some;
	memmove(wire.in, wire.in + some, (size_t)wire.in_n);
	return some;
}

static int wire_write(BIO *b, const char *at, int n)
{
	BIO_clear_retry_flags(b);
	wire.writes++;
	const int some = n < wire.room ? n : wire.room;
	if (some == 0) {
		BIO_set_retry_write(b);
		return -1;
	}
	memcpy(wire.out + wire.out_n, at, (size_t)some);
	wire.out_n += some;
	wire.room -= some;
	return some;
}

static long wire_ctrl(BIO *b, int cmd, long n, void *p)
{
	(void)b, (void)n, (void)p;
	return cmd == BIO_CTRL_FLUSH ? 1 : cmd == BIO_CTRL_EOF ? wire.end && wire.in_n == 0 : 0;
}

static BIO_METHOD *wire_method;
static SSL_CTX *server_ctx, *client_ctx;

static int set_up(void **state)
{
	(void)state;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	server_ctx = SSL_CTX_new(TLS_server_method());
	client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_use_certificate(server_ctx, cert);
	SSL_CTX_use_PrivateKey(server_ctx, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
	BIO_meth_set_read(wire_method, wire_read);
	BIO_meth_set_write(wire_method, wire_write);
	BIO_meth_set_ctrl(wire_method, wire_ctrl);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	BIO_meth_free(wire_method);
	BIO_meth_free(method);
	return 0;
}

struct pair {
	SSL *server, *client;
	BIO *wire, *to_client, *to_server;
};

static struct pair open_pair(int version)
{
	struct pair p = {.server = hitch_SSL_new(server_ctx), .client = SSL_new(client_ctx)};
	memset(&wire, 0, sizeof wire);
	wire.room = (int)sizeof wire.out;
	io.readable = 0;
	p.wire = BIO_new(wire_method);
	BIO_set_init(p.wire, 1);
	/* OpenSSL 3.5 ignores it until the handshake is over, the machine's own OpenSSL may be an older one. */
	SSL_set_read_ahead(p.server, 0);
	SSL_set_accept_state(p.server);
	SSL_set_bio(p.server, p.wire, p.wire);
	hitch_flight_add(p.server);
	assert_ptr_not_equal(SSL_get_rbio(p.server), p.wire);
	p.to_client = BIO_new(BIO_s_mem());
	p.to_server = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(p.to_client, -1);
	SSL_set_connect_state(p.client);
	SSL_set_max_proto_version(p.client, version);
	SSL_set_bio(p.client, p.to_client, p.to_server);
	return p;
}

static void close_pair(struct pair *p)
{
	SSL_free(p->server);
	SSL_free(p->client);
}

/* What the client has written, to the server: at most n bytes of it. */
static int to_server(struct pair *p, int n)
{
	const int room = (int)sizeof wire.in - wire.in_n;
	const int r = BIO_read(p->to_server, wire.in + wire.in_n, n < room ? n : room);
	wire.in_n += r > 0 ? r : 0;
	return r;
}

static void to_client(struct pair *p)
{
	assert_int_equal(BIO_write(p->to_client, wire.out, wire.out_n), wire.out_n);
	wire.out_n = 0;
}

enum { ALL = 1 << 20 };

/* Up to the client's Finished, which lies with the server together with `early` bytes of the client's data. */
static void until_finished(struct pair *p, const char *early)
{
	assert_int_equal(SSL_do_handshake(p->client), -1);
	to_server(p, ALL);
	assert_int_equal(hitch_SSL_do_handshake(p->server), -1);
	to_client(p);
	assert_int_equal(SSL_do_handshake(p->client), 1);
	if (*early != '\0')
		assert_int_equal(SSL_write(p->client, early, (int)strlen(early)), (int)strlen(early));
	to_server(p, ALL);
}

static void client_reads(struct pair *p, const char *want)
{
	char got[64] = "";
	to_client(p);
	assert_int_equal(SSL_read(p->client, got, sizeof got - 1), (int)strlen(want));
	assert_string_equal(got, want);
}

static void server_says(struct pair *p, const char *text)
{
	assert_int_equal(SSL_write(p->server, text, (int)strlen(text)), (int)strlen(text));
	client_reads(p, text);
}

static void test_a_read_and_a_write_for_each_flight(void **state)
{
	(void)state;
	struct pair p = open_pair(TLS1_3_VERSION);
	until_finished(&p, "");
	assert_int_equal(wire.reads, 1);
	assert_int_equal(wire.writes, 1);
	assert_int_equal(hitch_SSL_do_handshake(p.server), 1);
	assert_int_equal(wire.reads, 2);
	assert_int_equal(wire.writes, 2);
	assert_ptr_equal(SSL_get_rbio(p.server), p.wire);
	assert_ptr_equal(SSL_get_wbio(p.server), p.wire);
	assert_int_equal(io.readable, 0);
	server_says(&p, "hello");
	close_pair(&p);
}

static void test_data_behind_the_finished_is_not_lost(void **state)
{
	(void)state;
	char got[16] = "";
	struct pair p = open_pair(TLS1_3_VERSION);
	until_finished(&p, "question");
	assert_int_equal(hitch_SSL_do_handshake(p.server), 1);
	/* The socket is empty: nobody else would say that there is something to read. */
	assert_int_equal(wire.in_n, 0);
	assert_int_equal(io.readable, 1);
	assert_int_equal(hitch_SSL_read(p.server, got, sizeof got), 8);
	assert_string_equal(got, "question");
	assert_ptr_equal(SSL_get_rbio(p.server), p.wire);
	server_says(&p, "answer");
	close_pair(&p);
}

static void test_tickets_wait_for_room(void **state)
{
	(void)state;
	struct pair p = open_pair(TLS1_3_VERSION);
	until_finished(&p, "");
	for (int room = 0; room < 2; room++) {
		wire.room = 100 * room;
		if (room == 0)
			assert_int_equal(hitch_SSL_do_handshake(p.server), 1);
		/* OpenSSL keeps the record; Hitch asks again once the socket is writable. */
		assert_int_equal(SSL_write(p.server, "hello", 5), -1);
		assert_int_equal(SSL_get_error(p.server, -1), SSL_ERROR_WANT_WRITE);
	}
	wire.room = 4096;
	server_says(&p, "hello");
	assert_int_equal(SSL_read(p.server, &(char){0}, 1), -1);
	assert_int_equal(SSL_get_error(p.server, -1), SSL_ERROR_WANT_READ);
	assert_int_equal(SSL_write(p.client, "ab", 2), 2);
	to_server(&p, ALL);
	assert_int_equal(hitch_SSL_read(p.server, (char[4]){0}, 4), 2);
	assert_ptr_equal(SSL_get_wbio(p.server), p.wire);
	close_pair(&p);
}

/* In pieces of any size, in TLS 1.2, where nothing may wait, and 1.3. */
static void test_any_pieces(void **state)
{
	(void)state;
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		for (int piece = 1; piece < 400; piece += 13) {
			struct pair p = open_pair(version);
			int server = 0, client = 0;
			for (int turn = 0; (server != 1 || client != 1) && turn < 4000; turn++) {
				if (client != 1)
					client = SSL_do_handshake(p.client);
				if (to_server(&p, piece) > 0 && server != 1)
					server = hitch_SSL_do_handshake(p.server);
				to_client(&p);
			}
			assert_int_equal(server, 1);
			assert_int_equal(client, 1);
			assert_int_equal(wire.in_n, 0);
			assert_ptr_equal(SSL_get_rbio(p.server), p.wire);
			server_says(&p, "hello");
			close_pair(&p);
		}
	}
}

static void test_who_just_goes_gets_nothing_back(void **state)
{
	(void)state;
	for (int clean = 0; clean < 2; clean++) {
		struct pair p = open_pair(TLS1_3_VERSION);
		until_finished(&p, "");
		assert_int_equal(hitch_SSL_do_handshake(p.server), 1);
		const int before = wire.writes;
		if (clean)
			SSL_shutdown(p.client);
		to_server(&p, ALL);
		wire.end = true;
		char c;
		const int r = hitch_SSL_read(p.server, &c, 1);
		assert_int_equal(r, 0);
		assert_int_equal(SSL_get_error(p.server, r), SSL_ERROR_ZERO_RETURN);
		wire.end = !clean; /* a close_notify is read before the end of the connection */
		(void)hitch_SSL_shutdown(p.server);
		assert_int_equal(wire.writes - before, clean);
		close_pair(&p);
	}
}

static void test_a_handshake_that_ends_early_is_an_error(void **state)
{
	(void)state;
	struct pair p = open_pair(TLS1_3_VERSION);
	wire.end = true;
	const int r = hitch_SSL_do_handshake(p.server);
	assert_int_not_equal(r, 1);
	assert_int_equal(SSL_get_error(p.server, r), SSL_ERROR_SSL);
	close_pair(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_read_and_a_write_for_each_flight),
		cmocka_unit_test(test_data_behind_the_finished_is_not_lost),
		cmocka_unit_test(test_tickets_wait_for_room),
		cmocka_unit_test(test_any_pieces),
		cmocka_unit_test(test_who_just_goes_gets_nothing_back),
		cmocka_unit_test(test_a_handshake_that_ends_early_is_an_error),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
