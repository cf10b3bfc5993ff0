// SPDX-License-Identifier: Apache-2.0
/* What goes wrong between the HTTP lane and pods: one body taken for another's head, dead connections, half-sent heads. */
#include "test.h"

#include "http_talk.h"

#define UP_GET "GET / HTTP/1.1\r\n" REST

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
			owner_eof(&o, POD); /* and not a third time: there is no other channel */
			owner_settle(&o);
			assert_int_equal(o.connects, 2);
			assert_true(got(CLIENT, "HTTP/1.1 502 "));
			assert_int_equal(answers(), 1);
			owner_end(&o);
		}
	}
}

/* A new connection that dies says that the channel is no good: the request goes on to the next one, if it may be repeated. */
static void goes_on_to_the_next_channel(void **state)
{
	(void)state;
	for (unsigned kept = 0; kept <= 1; kept++) {
		for (unsigned others = 0; others <= 4; others++) {
			begin();
			if (kept)
				warm_up();
			const unsigned before = o.connects;
			o.others = others;
			client(GET);
			owner_settle(&o);
			for (int i = 0; i < 9 && o.connected; i++) {
				o.got[POD].n = 0;
				owner_break(&o, POD);
				owner_eof(&o, POD);
				owner_settle(&o);
				if (o.connected)
					assert_true(got(POD, "GET / HTTP/1.1\r\n" REST));
			}
			/* Twice at most, with the kept connection's one. */
			const unsigned most = kept ? 1 : 2;
			assert_int_equal(o.connects - before, 1 + (others < most ? others : most));
			assert_true(got(CLIENT, "HTTP/1.1 502 "));
			assert_int_equal(answers(), 1);
			owner_end(&o);
		}
	}
	begin(); /* what changes something is not repeated */
	o.others = 3;
	client(POST("2") "ab");
	owner_settle(&o);
	owner_eof(&o, POD);
	assert_false(o.connecting);
	owner_settle(&o);
	assert_true(got(CLIENT, "HTTP/1.1 502 "));
	owner_end(&o);
	begin(); /* one that answers in the end */
	o.others = 2;
	client(GET);
	owner_settle(&o);
	owner_eof(&o, POD);
	owner_settle(&o);
	pod(OK2);
	owner_settle(&o);
	assert_true(got(CLIENT, OK2));
	assert_int_equal(o.releases, 1);
	owner_end(&o);
}

static void no_retry(void **state)
{
	(void)state;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unsent_body_is_no_request),
	    cmocka_unit_test(what_follows_an_unsent_body_is_served),
	    cmocka_unit_test(half_sent_head_is_not_reused),
	    cmocka_unit_test(half_an_interim_response),
	    cmocka_unit_test(an_answer_before_its_request),
	    cmocka_unit_test(retries_once_what_may_be_repeated),
	    cmocka_unit_test(goes_on_to_the_next_channel), cmocka_unit_test(no_retry),
	    cmocka_unit_test(the_pool_may_go_before_a_retry),
	    cmocka_unit_test(no_pod_to_be_had),
	};
	return cmocka_run_group_tests(tests, load_case_conf, unload);
}
