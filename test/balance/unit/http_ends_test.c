// SPDX-License-Identifier: Apache-2.0
/* How the HTTP lane waits and ends: deadlines of each state, sides that leave, bytes that pass unseen, memory that runs out. */
#include "test.h"

#include "http_talk.h"
#include "refuse.h"

enum { HEAD_MS = 1000, IDLE_MS = 2000, BODY_MS = 3000, TUNNEL_MS = 4000, RESPONSE_MS = 7000 };

static int load(void **state)
{
	(void)state;
	conf = owner_parse("listen l tcp:127.0.0.1:1 table=t\npool q -r 7 1.2.3.4:2\nrule t a.example prefix / q\naccess-log /x\n"
	                   "http head-timeout=1 idle-timeout=2 body-timeout=3 tunnel-timeout=4\n");
	return 0;
}

static uint64_t left(void)
{
	return core_deadline(&o.core) - o.env.now;
}

static void between_requests(void **state)
{
	(void)state;
	begin();
	assert_int_equal(left(), IDLE_MS);
	owner_wait(&o, IDLE_MS - 1);
	assert_false(o.closed);
	owner_wait(&o, 1);
	assert_true(o.closed);
	assert_int_equal(o.got[CLIENT].n, 0); /* nothing was asked, nothing is answered */
	assert_int_equal(o.done, 0);
	owner_end(&o);
}

static void a_trickled_head_buys_no_time(void **state)
{
	(void)state;
	begin();
	owner_wait(&o, 1500);
	client("G");
	assert_int_equal(left(), HEAD_MS);
	for (int i = 0; i < 9; i++) {
		owner_wait(&o, 100);
		client("E");
	}
	assert_int_equal(left(), 100);
	owner_wait(&o, 100);
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 408 Request Timeout\r\n"));
	assert_true(got(CLIENT, "Connection: close\r\n"));
	assert_true(o.shut[CLIENT]);
	assert_int_equal(o.last[0].status, 408);
	assert_true(left() <= 5000); /* lingers a while */
	client("more of it");
	assert_int_equal(owner_held(&o), 0); /* and forgets what comes */
	owner_wait(&o, 5000);
	assert_true(o.closed);
	owner_end(&o);
}

static void a_silent_pod(void **state)
{
	(void)state;
	begin();
	client(GET);
	assert_int_equal(core_deadline(&o.core), UINT64_MAX); /* the owner times each attempt */
	owner_settle(&o);
	assert_int_equal(left(), RESPONSE_MS);
	owner_wait(&o, 6000);
	pod("HTTP/1.1 1");
	assert_int_equal(left(), RESPONSE_MS);
	owner_wait(&o, RESPONSE_MS);
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 504 Gateway Timeout\r\n"));
	assert_false(o.shut[CLIENT]);
	assert_int_equal(o.drops, 1);
	assert_int_equal(o.last[0].status, 504);
	client(GET); /* the client had no part in it */
	owner_settle(&o);
	pod("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
	owner_settle(&o);
	assert_int_equal(left(), RESPONSE_MS);
	owner_wait(&o, RESPONSE_MS);
	assert_true(o.closed); /* cut short, and seen to be */
	assert_int_equal(o.core.why, WHY_TIMEOUT);
	owner_end(&o);
}

static void a_silent_client(void **state)
{
	(void)state;
	begin();
	client(POST("5") "ab");
	owner_settle(&o);
	assert_int_equal(left(), BODY_MS);
	owner_wait(&o, 2000);
	client("c");
	owner_settle(&o);
	assert_int_equal(left(), BODY_MS);
	owner_wait(&o, BODY_MS);
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 408 "));
	assert_int_equal(o.releases, 0);
	assert_true(o.shut[CLIENT]);
	owner_end(&o);

	begin(); /* one that takes nothing of the answer */
	client(GET);
	owner_settle(&o);
	pod(OK2);
	assert_int_equal(left(), BODY_MS);
	owner_drain(&o, CLIENT, 3);
	owner_wait(&o, BODY_MS - 1);
	assert_false(o.closed);
	owner_wait(&o, 1);
	assert_true(o.closed);
	assert_int_equal(o.releases, 0);
	owner_end(&o);

	begin(); /* … of an answer of ours */
	client("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
	assert_int_equal(left(), BODY_MS);
	owner_wait(&o, BODY_MS);
	assert_true(o.closed);
	owner_end(&o);

	begin(); /* … in a tunnel */
	client("GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
	owner_settle(&o);
	pod("HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n");
	owner_settle(&o);
	assert_int_equal(left(), TUNNEL_MS);
	owner_wait(&o, TUNNEL_MS);
	assert_true(o.closed);
	owner_end(&o);
}

/* Whoever leaves in the middle: 499 in the books, and nothing is kept. */
static void the_client_leaves(void **state)
{
	(void)state;
	for (int when = 0; when < 4; when++) {
		for (int how = 0; how < 3; how++) {
			begin();
			client(when == 0 ? "GET /" : when == 3 ? POST("5") "ab" : GET);
			if (when >= 2)
				owner_settle(&o);
			if (how == 0)
				owner_eof(&o, CLIENT);
			else if (how == 1)
				owner_break(&o, CLIENT);
			else
				core_client_gone(&o.core, false), owner_obey(&o);
			/* Done asking is not gone; a body cut short is. */
			const bool stays = (how == 0 && when == 2) || (how == 2 && (when == 0 || when == 3));
			assert_int_equal(o.closed, !stays);
			if (how == 0 && when == 2) {
				pod(OK2);
				owner_settle(&o);
				assert_true(got(CLIENT, "Connection: close\r\n\r\nok"));
				assert_true(o.closed);
			}
			owner_end(&o);
			if (when > 0 && !(how == 0 && when == 2))
				assert_int_equal(o.last[o.done - 1].status, 499);
			assert_int_equal(o.done, when == 0 ? 0 : 1);
		}
	}
	begin(); /* in the wait between two requests */
	owner_eof(&o, CLIENT);
	assert_true(o.closed);
	assert_int_equal(o.core.why, WHY_DONE);
	owner_end(&o);
}

static void the_pod_leaves(void **state)
{
	static const struct {
		const char *said;
		bool whole;
	} rows[] = {
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", false},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", false},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n", false},
	    {"HTTP/1.1 200 OK\r\n\r\nab", true},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin();
		client(GET);
		owner_settle(&o);
		pod(rows[i].said);
		owner_settle(&o);
		owner_eof(&o, POD);
		assert_int_equal(o.closed, !rows[i].whole); /* what is cut short must not look whole (RFC 9112 §8) */
		assert_int_equal(o.shut[CLIENT], rows[i].whole);
		owner_end(&o);
	}
	begin(); /* broken chunks in the middle */
	client(GET);
	owner_settle(&o);
	pod("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
	owner_settle(&o);
	pod("x\r\n");
	assert_true(o.closed);
	owner_end(&o);
}

/* An answer while the request is still on its way: both go on, and neither connection is used again. */
static void an_early_answer(void **state)
{
	(void)state;
	begin();
	client(POST("10") "abc");
	owner_settle(&o);
	pod("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
	owner_settle(&o);
	assert_true(got(CLIENT, "Connection: close\r\n\r\nab"));
	client("defg");
	owner_settle(&o);
	assert_true(got(POD, "\r\n\r\nabcdefg"));
	pod("cd");
	owner_settle(&o);
	assert_int_equal(o.releases, 0);
	assert_int_equal(o.drops, 1);
	assert_true(o.shut[CLIENT]);
	assert_true(client(GET) > 0); /* read away, not taken for a request */
	assert_false(o.connecting);
	owner_end(&o);
}

/* A side that does not take its bytes stops the other one, and what is held is bounded. */
static void back_pressure(void **state)
{
	static char block[60000];
	(void)state;
	memset(block, 'x', sizeof block);
	begin();
	client(POST("1000000000"));
	owner_settle(&o);
	size_t up = 0, n;
	while ((n = owner_feed(&o, CLIENT, block, sizeof block)) > 0)
		up += n;
	assert_in_range(up, 1, BUF_SIZE);
	pod("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
	size_t down = 0;
	while ((n = owner_feed(&o, POD, block, sizeof block)) > 0)
		down += n;
	assert_in_range(down, 1, 2 * BUF_SIZE);
	assert_true(owner_drain(&o, POD, SIZE_MAX) == up);
	assert_true(owner_feed(&o, CLIENT, block, sizeof block) > 0);
	while (owner_drain(&o, CLIENT, SIZE_MAX) > 0)
		;
	assert_true(owner_feed(&o, POD, block, sizeof block) > 0);
	owner_end(&o);
	begin(); /* what follows a complete request waits in the kernel */
	client(GET GET);
	owner_settle(&o);
	assert_int_equal(client(GET), 0);
	owner_end(&o);
}

/* Bytes that the kernel moves: only of a body, only as many as it has, only when none are held here. */
static void passed_unseen(void **state)
{
	(void)state;
	begin();
	client(POST("100000"));
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 0);
	owner_connect(&o);
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 0); /* the head goes first */
	owner_settle(&o);
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 100000);
	assert_int_equal(core_pass_limit(&o.core, POD), 0);
	core_passed(&o.core, CLIENT, 99990);
	client("12345");
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 0); /* these are to go before */
	owner_settle(&o);
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 5);
	core_passed(&o.core, CLIENT, 5);
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 0);
	assert_int_equal(core_space(&o.core, CLIENT).iov_len, 0);
	pod("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\nabcde");
	assert_int_equal(core_pass_limit(&o.core, POD), 0);
	owner_settle(&o);
	assert_int_equal(core_pass_limit(&o.core, POD), 49995);
	core_passed(&o.core, POD, 49995);
	owner_obey(&o);
	assert_int_equal(o.releases, 1);
	assert_int_equal(o.last[0].bytes_in, sizeof(POST("100000")) - 1 + 100000);
	assert_int_equal(o.last[0].bytes_out, o.got[CLIENT].n + 49995);
	client(GET);
	owner_settle(&o);
	pod("HTTP/1.1 200 OK\r\n\r\n");
	owner_settle(&o);
	assert_int_equal(core_pass_limit(&o.core, POD), SIZE_MAX);
	owner_eof(&o, POD);
	assert_true(o.shut[CLIENT]);
	owner_end(&o);
	begin(); /* chunks are looked at */
	client("POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n");
	owner_settle(&o);
	assert_int_equal(core_pass_limit(&o.core, CLIENT), 0);
	owner_end(&o);
}

static void books(void **state)
{
	(void)state;
	begin();
	client(POST("5") "abcde");
	owner_connect(&o);
	owner_wait(&o, 20);
	owner_settle(&o);
	pod(OK2);
	owner_settle(&o);
	assert_int_equal(o.done, 1);
	assert_int_equal(o.last[0].status, 200);
	assert_int_equal(o.last[0].bytes_in, sizeof(POST("5")) - 1 + 5); /* also what went along with the head */
	assert_int_equal(o.last[0].bytes_out, sizeof OK2 - 1);
	assert_int_equal(o.last[0].answered_us - o.last[0].connected_us, 20000);
	assert_int_equal(o.last[0].pool_slot, conf->pools[0]->http_slot);
	owner_end(&o);
}

/* Refused memory at any point: the connection ends, nothing leaks. */
static void memory_runs_out(void **state)
{
	(void)state;
	for (long after = 0; after < 40; after++) {
		buf_drop_all(&owner_bufs); /* or nothing would be asked for */
		refuse_after = after;
		begin();
		client(GET);
		owner_settle(&o);
		pod("HTTP/1.1 100 Continue\r\n\r\n");
		pod(OK2);
		owner_settle(&o);
		client(POST("5") "ab");
		owner_settle(&o);
		client("cde");
		owner_settle(&o);
		pod("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n");
		owner_settle(&o);
		client("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
		owner_settle(&o);
		refuse_after = -1;
		owner_end(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(between_requests), cmocka_unit_test(a_trickled_head_buys_no_time), cmocka_unit_test(a_silent_pod),
	    cmocka_unit_test(a_silent_client), cmocka_unit_test(the_client_leaves), cmocka_unit_test(the_pod_leaves),
	    cmocka_unit_test(an_early_answer), cmocka_unit_test(back_pressure), cmocka_unit_test(passed_unseen), cmocka_unit_test(books),
	    cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
