// SPDX-License-Identifier: Apache-2.0
/* What goes wrong in the HTTP lane, and when: one body taken for another's head, dead pods, half-sent heads, time. */
#include "test.h"

#include "http_case.h"

#define GET "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define UP_GET "GET / HTTP/1.1\r\n" REST
#define POST(n) "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: " n "\r\n\r\n"

static struct conf *conf;
static struct owner o;

static int load(void **state)
{
	(void)state;
	conf = owner_parse(case_conf);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

static void begin(void)
{
	struct addr peer;
	assert_true(addr_parse(&peer, "192.0.2.7:5", 11));
	owner_begin(&o, conf, &peer);
}

static size_t client(const char *text)
{
	return owner_feed(&o, CLIENT, text, strlen(text));
}

static size_t pod(const char *text)
{
	return owner_feed(&o, POD, text, strlen(text));
}

static bool got(enum side s, const char *text)
{
	o.got[s].at[o.got[s].n] = '\0';
	return strstr(o.got[s].at, text) != NULL;
}

/* One request and its answer, after which a connection to the pod is at rest. */
static void warm_up(void)
{
	client(GET);
	owner_settle(&o);
	pod(OK2);
	owner_settle(&o);
	assert_int_equal(o.idle, 1);
	o.got[CLIENT].n = o.got[POD].n = 0;
}

static unsigned answers(void)
{
	unsigned n = 0;
	o.got[CLIENT].at[o.got[CLIENT].n] = '\0';
	for (const char *p = o.got[CLIENT].at; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
		n++;
	return n;
}

/* A body that says what the next request must not be. It is read to its end into our buffer and is too long to travel with the head. */
static const char *post_with_request_inside(void)
{
	static char text[24000];
	int n = snprintf(text, sizeof text, POST("20500"));
	for (int i = 0; i < 20500; i += 41)
		snprintf(text + n + i, 42, "GET /inside HTTP/1.1\r\nHost: a.example\r\n\r\n");
	return text;
}

static void unsent_body_is_no_request(void **state)
{
	(void)state;
	for (int how = 0; how < 5; how++) {
		begin();
		if (how == 0)
			o.refuse = true; /* nobody to send it to */
		const char *text = post_with_request_inside();
		assert_int_equal(client(text), strlen(text));
		assert_true(o.connecting);
		if (how == 0) {
			owner_connect(&o);
		} else {
			owner_connect(&o);
			owner_drain(&o, POD, 1000);
		}
		if (how == 1)
			pod("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
		if (how == 2)
			pod("nonsense\r\n\r\n");
		if (how == 3) {
			owner_break(&o, POD);
			pod("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
			owner_eof(&o, POD);
		}
		if (how == 4)
			owner_wait(&o, 61000);
		o.refuse = false;
		owner_drain(&o, CLIENT, SIZE_MAX);
		assert_int_equal(answers(), 1);
		assert_false(o.connecting); /* nothing that came in the body is asked for */
		assert_false(o.connected);
		assert_int_equal(o.releases, 0);
		if (!o.closed && !o.shut[CLIENT]) {
			client(GET);
			owner_settle(&o);
			pod(OK2);
			owner_settle(&o);
			assert_int_equal(answers(), 2);
			assert_false(got(POD, "GET /inside HTTP/1.1\r\nHost: a.example\r\nX-"));
			assert_int_equal(owner_held(&o), 0);
		}
		owner_end(&o);
	}
}

/* What follows such a request is a request all the same. */
static void what_follows_an_unsent_body_is_served(void **state)
{
	static char text[26000];
	(void)state;
	snprintf(text, sizeof text, "%s%s", post_with_request_inside(), "GET /q HTTP/1.1\r\nHost: a.example\r\n\r\n");
	for (int how = 0; how < 3; how++) {
		begin();
		o.refuse = how == 0;
		assert_int_equal(client(text), strlen(text));
		owner_connect(&o);
		o.refuse = false;
		if (how > 0)
			owner_drain(&o, POD, 1000);
		if (how == 2) {
			owner_break(&o, POD);
			assert_int_equal(pod("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"), 38);
		}
		if (how == 1)
			pod("HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n");
		owner_drain(&o, CLIENT, SIZE_MAX);
		owner_settle(&o);
		pod(OK2);
		owner_settle(&o);
		assert_int_equal(answers(), 2);
		assert_true(got(POD, "GET /q HTTP/1.1\r\n"));
		assert_int_equal(o.connects, how == 0 ? 1 : 2);
		assert_int_equal(owner_held(&o), 0);
		owner_end(&o);
	}
}

/* A pod that answers before it has the whole head: what is left of it must not become the start of somebody else's request. */
static void half_sent_head_is_not_reused(void **state)
{
	(void)state;
	for (int warm = 0; warm < 2; warm++) {
		begin();
		if (warm)
			warm_up();
		unsigned before = o.releases;
		client(GET);
		owner_connect(&o);
		owner_drain(&o, POD, 10);
		pod("HTTP/1.1 431 No\r\nContent-Length: 0\r\n\r\n");
		owner_drain(&o, CLIENT, SIZE_MAX);
		assert_int_equal(answers(), 1);
		assert_int_equal(o.releases, before);
		assert_int_equal(owner_held(&o), 0);
		owner_end(&o);
	}
}

/* The client has the first half of an interim response: what comes next can't be another response. */
static void half_an_interim_response(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		begin();
		client(how == 2 ? POST("5") : GET);
		owner_connect(&o);
		owner_drain(&o, POD, SIZE_MAX);
		pod("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n");
		owner_drain(&o, CLIENT, 10);
		if (how == 0)
			pod("nonsense\r\n\r\n");
		else if (how == 1)
			owner_eof(&o, POD);
		else
			owner_wait(&o, 61000);
		owner_drain(&o, CLIENT, SIZE_MAX);
		assert_int_equal(answers(), 1);
		assert_true(o.closed);
		owner_end(&o);
	}
	/* None of it, or all of it: an answer can follow. */
	for (int all = 0; all < 2; all++) {
		begin();
		client(GET);
		owner_connect(&o);
		owner_drain(&o, POD, SIZE_MAX);
		pod("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n");
		if (all)
			owner_drain(&o, CLIENT, SIZE_MAX);
		pod("nonsense\r\n\r\n");
		owner_drain(&o, CLIENT, SIZE_MAX);
		assert_true(got(CLIENT, "HTTP/1.1 502 Bad Gateway\r\n"));
		assert_int_equal(answers(), 1 + (unsigned)all);
		owner_end(&o);
	}
}

/* On a connection that served others, an answer that is there before the request is theirs. */
static void an_answer_before_its_request(void **state)
{
	(void)state;
	for (int body = 0; body < 2; body++) {
		begin();
		warm_up();
		client(body ? POST("2") "ab" : GET);
		owner_connect(&o);
		assert_int_equal(o.reuses, 1);
		pod("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
		if (body) {
			owner_drain(&o, CLIENT, SIZE_MAX);
			assert_true(got(CLIENT, "HTTP/1.1 502 "));
		} else {
			owner_settle(&o);
			assert_int_equal(o.connects, 2);
			pod(OK2);
			owner_settle(&o);
			assert_true(got(CLIENT, "\r\n\r\nok"));
		}
		assert_false(got(CLIENT, "poison"));
		assert_int_equal(answers(), 1);
		owner_end(&o);
	}
}

static void retries_once_what_may_be_repeated(void **state)
{
	static const struct {
		const char *request;
		bool again;
	} rows[] = {
	    {GET, true},
	    {"HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n", true},
	    {"OPTIONS / HTTP/1.1\r\nHost: a.example\r\n\r\n", true},
	    {"DELETE / HTTP/1.1\r\nHost: a.example\r\n\r\n", true},
	    {"PUT / HTTP/1.1\r\nHost: a.example\r\n\r\n", true},
	    {"POST / HTTP/1.1\r\nHost: a.example\r\n\r\n", false},
	    {"PATCH / HTTP/1.1\r\nHost: a.example\r\n\r\n", false},
	    {"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nab", false},
	    {"GET / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nab", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int how = 0; how < 3; how++) { /* read its end; broken while writing; broken and then the end */
			begin();
			warm_up();
			client(rows[i].request);
			owner_connect(&o);
			assert_int_equal(o.reuses, 1);
			owner_drain(&o, POD, how == 0 ? SIZE_MAX : 5);
			if (how > 0)
				owner_break(&o, POD);
			if (how == 2)
				assert_int_equal(owner_drain(&o, POD, 1), 0);
			owner_eof(&o, POD);
			assert_int_equal(o.connecting, rows[i].again);
			if (!rows[i].again) {
				owner_settle(&o);
				assert_true(got(CLIENT, "HTTP/1.1 502 "));
				owner_end(&o);
				continue;
			}
			assert_true(o.core.fresh);
			o.got[POD].n = 0;
			owner_settle(&o);
			assert_true(got(POD, " / HTTP/1.1\r\n" REST)); /* the whole of it again */
			assert_int_equal(o.connects, 2);
			owner_eof(&o, POD); /* and not a third time */
			assert_false(o.connecting);
			owner_settle(&o);
			assert_true(got(CLIENT, "HTTP/1.1 502 "));
			assert_int_equal(answers(), 1);
			owner_end(&o);
		}
	}
}

static void no_retry(void **state)
{
	(void)state;
	begin(); /* a new connection */
	client(GET);
	owner_settle(&o);
	owner_eof(&o, POD);
	assert_false(o.connecting);
	owner_end(&o);

	static const char *const parts[] = {"H", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"};
	for (size_t i = 0; i < COUNT(parts); i++) { /* something was answered */
		begin();
		warm_up();
		client(GET);
		owner_settle(&o);
		assert_int_equal(o.reuses, 1);
		pod(parts[i]);
		owner_settle(&o);
		owner_eof(&o, POD);
		assert_false(o.connecting);
		owner_settle(&o);
		owner_end(&o);
	}
}

static void the_pool_may_go_before_a_retry(void **state)
{
	(void)state;
	struct conf *other = owner_parse("listen l tcp:127.0.0.1:1 table=t\n");
	begin();
	warm_up();
	client(GET);
	owner_settle(&o);
	o.env.conf = other;
	owner_eof(&o, POD);
	assert_false(o.connecting);
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 503 Service Unavailable\r\n"));
	client(GET); /* its listener has no table now */
	owner_settle(&o);
	assert_int_equal(answers(), 2);
	assert_true(got(CLIENT, "HTTP/1.1 404 "));
	owner_end(&o);
	conf_free(other);
}

static void no_pod_to_be_had(void **state)
{
	static const struct {
		enum core_failure how;
		const char *answer;
	} rows[] = {{FAILED_NONE, "HTTP/1.1 503 "}, {FAILED_CONNECT, "HTTP/1.1 502 "}, {FAILED_TIMEOUT, "HTTP/1.1 504 "}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin();
		client(GET GET);
		for (unsigned n = 1; n <= 2; n++) {
			assert_true(o.connecting);
			o.connecting = false;
			core_unreachable(&o.core, rows[i].how);
			owner_obey(&o);
			owner_drain(&o, CLIENT, SIZE_MAX);
			assert_int_equal(answers(), n);
			assert_true(got(CLIENT, rows[i].answer));
			assert_int_equal(got(CLIENT, "Retry-After: "), rows[i].how == FAILED_NONE);
		}
		assert_int_equal(owner_held(&o), 0);
		owner_end(&o);
	}
}

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
	struct addr peer;
	(void)state;
	assert_true(addr_parse(&peer, "203.0.113.9:5", 13));
	owner_begin(&o, conf, &peer);
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
	    cmocka_unit_test(unsent_body_is_no_request),
	    cmocka_unit_test(what_follows_an_unsent_body_is_served),
	    cmocka_unit_test(half_sent_head_is_not_reused),
	    cmocka_unit_test(half_an_interim_response),
	    cmocka_unit_test(an_answer_before_its_request),
	    cmocka_unit_test(retries_once_what_may_be_repeated),
	    cmocka_unit_test(no_retry),
	    cmocka_unit_test(the_pool_may_go_before_a_retry),
	    cmocka_unit_test(no_pod_to_be_had),
	    cmocka_unit_test(heads_too_large),
	    cmocka_unit_test(heads_as_large_as_allowed),
	    cmocka_unit_test(chunked_body_too_long),
	    cmocka_unit_test(one_request_at_a_time_per_client),
	    cmocka_unit_test(a_tunnel_counts_against_the_limit),
	    cmocka_unit_test(upgraded),
	    cmocka_unit_test(over_tls),
	    cmocka_unit_test(trusted_peers_are_believed),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
