// SPDX-License-Identifier: Apache-2.0
/* Limits, upgrades, TLS facts and trust, as rules and configuration ask for them. */
#include "test.h"

#include "http_talk.h"

static void heads_too_large(void **state)
{
	static char text[40000];
	(void)state;
	for (int cut = 0; cut < 2; cut++) {
		for (int row = 0; row < 4; row++) {
			begin();
			size_t n = 0;
			const char *answer = "HTTP/1.1 431 ";
			if (row == 0) { /* a target without end */
				n = (size_t)snprintf(text, sizeof text, "GET /%030000d", 0);
				answer = "HTTP/1.1 414 ";
			} else if (row == 1) { /* one byte too many in the target */
				n = (size_t)snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a.example\r\n\r\n", HTTP_TARGET_MAX, 0);
				answer = "HTTP/1.1 414 ";
			} else if (row == 2) { /* one field too many */
				n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a.example\r\n");
				for (int i = 0; i < HTTP_FIELDS_MAX; i++)
					n += (size_t)snprintf(text + n, sizeof text - n, "A: %d\r\n", i);
				n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
			} else { /* a field without end */
				n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a.example\r\nA: %030000d", 0);
			}
			for (size_t i = 0; i < n;) {
				size_t k = owner_feed(&o, CLIENT, text + i, cut ? 1 : n - i);
				if (k == 0)
					break;
				i += k;
			}
			owner_drain(&o, CLIENT, SIZE_MAX);
			assert_true(got(CLIENT, answer));
			assert_true(o.shut[CLIENT]);
			assert_int_equal(o.got[POD].n, 0);
			owner_end(&o);
		}
	}
}

static void heads_as_large_as_allowed(void **state)
{
	static char text[40000];
	(void)state;
	begin();
	for (int row = 0; row < 3; row++) {
		size_t n;
		if (row == 0) {
			n = (size_t)snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a.example\r\n\r\n", HTTP_TARGET_MAX - 1, 0);
		} else if (row == 1) {
			n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a.example\r\n");
			for (int i = 1; i < HTTP_FIELDS_MAX; i++)
				n += (size_t)snprintf(text + n, sizeof text - n, "A: %d\r\n", i);
			n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
		} else {
			n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a.example\r\nA: ");
			n += (size_t)snprintf(text + n, sizeof text - n, "%0*d\r\n\r\n", (int)(HTTP_HEAD_MAX - n - 4), 0);
			assert_int_equal(n, HTTP_HEAD_MAX);
		}
		for (size_t i = 0; i < n; i += 7)
			owner_feed(&o, CLIENT, text + i, n - i < 7 ? n - i : 7);
		owner_settle(&o);
		assert_true(o.connected);
		pod(OK2);
		owner_settle(&o);
		assert_int_equal(answers(), (unsigned)row + 1);
		assert_int_equal(owner_held(&o), 0);
	}
	assert_true(got(CLIENT, OK2 OK2 OK2));
	owner_end(&o);
}

static void chunked_body_too_long(void **state)
{
	(void)state;
	begin();
	client("POST / HTTP/1.1\r\nHost: small.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
	owner_settle(&o);
	client("8\r\n01234567\r\n");
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 413 "));
	assert_true(o.shut[CLIENT]);
	assert_int_equal(o.releases, 0);
	owner_end(&o);

	begin(); /* its end is known: on with the next request */
	client("POST / HTTP/1.1\r\nHost: small.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
	owner_settle(&o);
	client("8\r\n01234567\r\n0\r\n\r\n" GET);
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 413 "));
	assert_int_equal(o.releases, 0);
	assert_int_equal(o.connects, 2);
	pod(OK2);
	owner_settle(&o);
	assert_true(got(CLIENT, OK2));
	owner_end(&o);

	begin(); /* broken is not long */
	client("POST / HTTP/1.1\r\nHost: small.example\r\nTransfer-Encoding: chunked\r\n\r\n");
	owner_settle(&o);
	client("x\r\n");
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 400 "));
	assert_int_equal(o.releases, 0);
	owner_end(&o);
}

static void one_request_at_a_time_per_client(void **state)
{
	(void)state;
	begin();
	client("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n");
	assert_int_equal(o.tickets, 1);
	owner_settle(&o);
	assert_int_equal(o.tickets, 1);
	pod(OK2);
	owner_settle(&o);
	assert_int_equal(o.tickets, 0);
	o.ticket_limit = 0;
	client("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n");
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 503 "));
	o.ticket_limit = 1;
	o.refuse = true;
	client("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n");
	owner_settle(&o);
	assert_int_equal(o.tickets, 0);
	o.refuse = false;
	client("GET / HTTP/1.1\r\nHost: one.example\r\n\r\n");
	owner_settle(&o);
	assert_int_equal(o.tickets, 1);
	owner_break(&o, CLIENT);
	owner_end(&o); /* looks that none is kept */
}

static void a_tunnel_counts_against_the_limit(void **state)
{
	(void)state;
	begin();
	client("GET / HTTP/1.1\r\nHost: one.example\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
	owner_settle(&o);
	pod("HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
	owner_settle(&o);
	assert_int_equal(o.done, 1);
	assert_int_equal(o.tickets, 1);
	owner_end(&o); /* looks that it is given back */
}

static void upgraded(void **state)
{
	static const char request[] = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
	                              "Sec-WebSocket-Key: x\r\n\r\n";
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n";
	static const char to_client[] = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
	(void)state;
	for (int step = 1; step <= 100; step += 99) {
		begin();
		for (size_t i = 0; i < sizeof request - 1;)
			i += owner_feed(&o, CLIENT, request + i, (size_t)step < sizeof request - 1 - i ? (size_t)step : sizeof request - 1 - i);
		owner_settle(&o);
		assert_true(got(POD, "Sec-WebSocket-Key: x\r\n" ADDED("a.example") "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"));
		const size_t head = o.got[POD].n;
		for (size_t i = 0; i < sizeof answer - 1;)
			i += owner_feed(&o, POD, answer + i, (size_t)step < sizeof answer - 1 - i ? (size_t)step : sizeof answer - 1 - i);
		pod("down");
		assert_int_equal(client("GET / HTTP/1.1\r\n\r\nup"), 20); /* no request any more */
		owner_settle(&o);
		assert_int_equal(o.got[POD].n, head + 20);
		assert_memory_equal(o.got[POD].at + head, "GET / HTTP/1.1\r\n\r\nup", 20);
		assert_int_equal(o.got[CLIENT].n, sizeof to_client - 1 + 4);
		assert_memory_equal(o.got[CLIENT].at, to_client, sizeof to_client - 1);
		assert_int_equal(owner_held(&o), 0);
		assert_int_equal(core_deadline(&o.core), o.core.last + 3600000);
		assert_int_equal(core_pass_limit(&o.core, CLIENT), SIZE_MAX);
		owner_eof(&o, CLIENT); /* one end and the other: as in the TCP lane */
		assert_true(o.shut[POD]);
		pod("last words");
		owner_eof(&o, POD);
		assert_false(o.closed);
		owner_settle(&o);
		assert_true(o.closed);
		assert_true(got(CLIENT, "downlast words"));
		assert_int_equal(o.core.why, WHY_DONE);
		owner_end(&o);
	}
	/* What the client sent along belongs to the tunnel, and early words of the pod too. */
	begin();
	client("GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst");
	owner_settle(&o);
	assert_false(got(POD, "first"));
	pod("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello");
	owner_settle(&o);
	assert_true(got(POD, "\r\n\r\nfirst"));
	assert_true(got(CLIENT, "\r\n\r\nhello"));
	owner_end(&o);
}

static void over_tls(void **state)
{
	(void)state;
	for (int row = 0; row < 3; row++) {
		begin();
		o.core.tls = true;
		o.core.client_cert = row != 2;
		o.core.client_verified = row == 0;
		o.core.sni = strdup("MTLS.example.");
		o.core.sni_len = 13;
		client("GET / HTTP/1.1\r\nHost: mtls.example:8443\r\nssl-client-verify: SUCCESS\r\n\r\n");
		owner_settle(&o);
		assert_true(got(POD, row == 0   ? "\r\nssl-client-verify: SUCCESS\r\n\r\n"
		                     : row == 1 ? "\r\nssl-client-verify: FAILED\r\n\r\n"
		                                : "\r\nssl-client-verify: NONE\r\n\r\n"));
		assert_true(got(POD, "X-Forwarded-Proto: https\r\n"));
		assert_true(got(POD, "X-Forwarded-Port: 443\r\n"));
		pod("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nStrict-Transport-Security: max-age=1\r\n\r\nok");
		owner_settle(&o);
		assert_true(got(CLIENT, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nStrict-Transport-Security: max-age=60\r\n\r\nok"));
		o.got[POD].n = 0;
		client("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"); /* no certificate demanded there */
		owner_settle(&o);
		assert_true(o.connected && !got(POD, "ssl-client"));
		pod(OK2);
		owner_settle(&o);
		owner_end(&o);
	}
	begin();
	o.core.tls = true;
	o.core.sni = strdup("a.example");
	o.core.sni_len = 9;
	client("GET / HTTP/1.1\r\nHost: mtls.example\r\n\r\n");
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 421 Misdirected Request\r\n"));
	assert_true(got(CLIENT, "Strict-Transport-Security: max-age=60\r\n"));
	assert_int_equal(o.connects, 0);
	owner_end(&o);
	begin(); /* no SNI and no Host are not the same name */
	o.core.tls = true;
	client("GET / HTTP/1.1\r\nHost: mtls.example\r\n\r\n");
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 421 "));
	owner_end(&o);
}

static void trusted_peers_are_believed(void **state)
{
	(void)state;
	begin_as("203.0.113.9:5");
	client("GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 1.1.1.1\r\nX-Request-ID: theirs\r\nX-Forwarded-Proto: https\r\n"
	       "X-Forwarded-Host: b.example\r\nX-Forwarded-Port: 444\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"
	       "ssl-client-verify: SUCCESS\r\nssl_client_verify: SUCCESS\r\n\r\n");
	owner_settle(&o);
	assert_true(got(POD, "GET / HTTP/1.1\r\nHost: a.example\r\nX-Request-ID: theirs\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b.example\r\n"
	                     "X-Forwarded-Port: 444\r\nX-Real-IP: 1.1.1.1\r\nForwarded: for=1.1.1.1\r\n"
	                     "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 203.0.113.9\r\n\r\n"));
	pod(OK2);
	owner_settle(&o);
	o.got[CLIENT].n = 0;
	client("GET / HTTP/1.1\r\nHost: redirect.example\r\nX-Forwarded-Proto: https\r\n\r\n"); /* has come over TLS already */
	owner_settle(&o);
	assert_int_equal(o.got[CLIENT].n, 0);
	assert_true(o.connected);
	owner_end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heads_too_large),
	    cmocka_unit_test(heads_as_large_as_allowed),
	    cmocka_unit_test(chunked_body_too_long),
	    cmocka_unit_test(one_request_at_a_time_per_client),
	    cmocka_unit_test(a_tunnel_counts_against_the_limit),
	    cmocka_unit_test(upgraded),
	    cmocka_unit_test(over_tls),
	    cmocka_unit_test(trusted_peers_are_believed),
	};
	return cmocka_run_group_tests(tests, load_case_conf, unload);
}
