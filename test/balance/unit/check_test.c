// SPDX-License-Identifier: Apache-2.0
/* One active check over a real socket: what it asks, and its verdict on answers that come a byte at a time. */
#include "test.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct conf *conf;
static int listener, epoll;
static struct check_plan plan;

static void load(const char *options)
{
	char text[2048];
	struct conf_error e;
	snprintf(text, sizeof text, "listen l tcp:127.0.0.1:1\npool p %s 127.0.0.1:1\n", options);
	conf_free(conf);
	conf = conf_parse(text, strlen(text), &e);
	if (conf == NULL)
		fail_msg("%u: %s", e.line, e.reason);
	plan.pool = conf->pools[0];
}

static int set_up(void **state)
{
	(void)state;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	plan.addr.len = sizeof a;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	return bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 16) < 0 ||
	       getsockname(listener, &plan.addr.sa, &plan.addr.len) < 0 || epoll < 0;
}

static int tear_down(void **state)
{
	(void)state;
	conf_free(conf);
	close(listener);
	close(epoll);
	return 0;
}

/* Waits for the socket to tell something, once. */
static enum check_result next(struct checking *c, unsigned *why)
{
	struct epoll_event e;
	assert_int_equal(epoll_wait(epoll, &e, 1, 5000), 1);
	assert_ptr_equal(e.data.ptr, c);
	return check_event(c, &plan, why);
}

/* A check that has sent its request; returns the endpoint's side of it. */
static int asked(struct checking *c, char request[2048])
{
	unsigned why = 0;
	enum check_result r = check_begin(c, &plan, epoll, c, &why);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (r == CHECK_GOING && c->fd >= 0)
		r = next(c, &why);
	assert_int_equal(r, CHECK_GOING);
	ssize_t n = read(fd, request, 2047);
	assert_true(n > 0);
	request[n] = '\0';
	return fd;
}

static void asks_for_the_path(void **state)
{
	(void)state;
	struct checking c;
	char request[2048], wanted[256];
	load("check=http,/a?b=c");
	close(asked(&c, request));
	snprintf(wanted, sizeof wanted, "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", ntohs(plan.addr.in.sin_port));
	assert_memory_equal(request, wanted, strlen(wanted));
	assert_non_null(strstr(request, "\r\nConnection: close\r\n\r\n"));
	check_stop(&c);
	load("send-proxy=v1 check=http,/");
	close(asked(&c, request));
	assert_memory_equal(request, "PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n", 31);
	check_stop(&c);
	load("send-proxy=v2 check=http,/");
	close(asked(&c, request));
	assert_memory_equal(request, "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET / HTTP/1.1\r\n", 32);
	check_stop(&c);
	load("check=http,/,b.example");
	close(asked(&c, request));
	assert_non_null(strstr(request, "\r\nHost: b.example\r\n"));
	check_stop(&c);
}

static void verdicts(void **state)
{
	static const struct {
		const char *answer;
		enum check_result result;
		unsigned why;
	} rows[] = {
	    {"HTTP/1.1 200 OK\r\n\r\n", CHECK_GOOD, 0},
	    {"HTTP/1.0 204\r\n\r\n", CHECK_GOOD, 0},
	    {"HTTP/1.1 399 x\r\n\r\nbody", CHECK_GOOD, 0},
	    {"HTTP/1.1 400 x\r\n\r\n", CHECK_BAD, CHECK_STATUS + 400},
	    {"HTTP/1.1 503 x\r\n\r\n", CHECK_BAD, CHECK_STATUS + 503},
	    {"HTTP/1.1 103 x\r\nA: \r\r\nb: c\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", CHECK_GOOD, 0},
	    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 500 OK\r\n\r\n", CHECK_BAD, CHECK_STATUS + 500},
	    {"HTTP/1.1 100 Continue\r\n\r\n", CHECK_BAD, CHECK_GARBLED},
	    {"HTTP/1.1 20", CHECK_BAD, CHECK_GARBLED},
	    {"HTTP/2.0 200 OK\r\n", CHECK_BAD, CHECK_GARBLED},
	    {"HTTP/1.1 2x0 OK\r\n", CHECK_BAD, CHECK_GARBLED},
	    {"SSH-2.0-something\r\n", CHECK_BAD, CHECK_GARBLED},
	    {"", CHECK_BAD, CHECK_GARBLED},
	};
	(void)state;
	load("check=http,/");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct checking c;
		char request[2048];
		unsigned why = 0, verdicts = 0;
		enum check_result result = CHECK_GOING;
		int fd = asked(&c, request);
		for (const char *p = rows[i].answer; c.fd >= 0; p++) {
			if (*p == '\0')
				close(fd);
			else
				assert_int_equal(write(fd, p, 1), 1);
			const enum check_result r = next(&c, &why);
			verdicts += r != CHECK_GOING;
			if (r != CHECK_GOING)
				result = r;
			if (*p == '\0')
				break;
		}
		assert_int_equal(verdicts, 1);
		assert_int_equal(result, rows[i].result);
		if (result == CHECK_BAD)
			assert_int_equal(why, rows[i].why);
		assert_int_equal(c.fd, -1); /* over when the endpoint ends */
	}
}

static void an_answer_without_end_is_cut_off(void **state)
{
	(void)state;
	struct checking c;
	char request[2048], block[4096];
	unsigned why = 0, good = 0;
	load("check=http,/");
	memset(block, 'x', sizeof block);
	int fd = asked(&c, request);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	assert_int_equal(write(fd, "HTTP/1.1 200 OK\r\n", 17), 17);
	for (int i = 0; i < 100 && c.fd >= 0; i++) {
		if (write(fd, block, sizeof block) < 0 && errno != EAGAIN)
			break;
		good += next(&c, &why) == CHECK_GOOD;
	}
	assert_int_equal(c.fd, -1);
	assert_int_equal(good, 1);
	close(fd);
}

static void time_is_up(void **state)
{
	(void)state;
	struct checking c;
	char request[2048];
	unsigned why = 0;
	load("check=http,/");
	int fd = asked(&c, request);
	assert_int_equal(check_expired(&c, &why), CHECK_BAD);
	assert_int_equal(why, ETIMEDOUT);
	assert_int_equal(c.fd, -1);
	close(fd);
	/* After the verdict it says nothing more. */
	fd = asked(&c, request);
	assert_int_equal(write(fd, "HTTP/1.1 200 OK\r\n\r\n", 19), 19);
	assert_int_equal(next(&c, &why), CHECK_GOOD);
	assert_true(c.fd >= 0);
	assert_int_equal(check_expired(&c, &why), CHECK_GOING);
	assert_int_equal(c.fd, -1);
	close(fd);
}

static void a_reset_is_bad(void **state)
{
	(void)state;
	struct checking c;
	char request[2048];
	unsigned why = 0;
	const struct linger now = {.l_onoff = 1};
	load("check=http,/");
	int fd = asked(&c, request);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
	assert_int_equal(next(&c, &why), CHECK_BAD);
	assert_int_equal(why, ECONNRESET);
}

static void a_connect_is_enough_for_tcp(void **state)
{
	(void)state;
	struct checking c;
	unsigned why = 0;
	load("check=tcp");
	enum check_result r = check_begin(&c, &plan, epoll, &c, &why);
	if (r == CHECK_GOING)
		r = next(&c, &why);
	assert_int_equal(r, CHECK_GOOD);
	assert_int_equal(c.fd, -1);
	close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	/* Nobody there. */
	const struct addr there = plan.addr;
	plan.addr.in.sin_addr.s_addr = htonl(0x7f090909);
	plan.addr.in.sin_port = htons(9);
	r = check_begin(&c, &plan, epoll, &c, &why);
	if (r == CHECK_GOING)
		r = next(&c, &why);
	assert_int_equal(r, CHECK_BAD);
	assert_int_equal(why, ECONNREFUSED);
	plan.addr = there;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(asks_for_the_path), cmocka_unit_test(verdicts),       cmocka_unit_test(an_answer_without_end_is_cut_off),
	    cmocka_unit_test(time_is_up),        cmocka_unit_test(a_reset_is_bad), cmocka_unit_test(a_connect_is_enough_for_tcp),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
