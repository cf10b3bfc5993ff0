// SPDX-License-Identifier: Apache-2.0
/* What hitch_io says of its sockets is compared with what poll(2) says of them: it may hope for more, and never see less. */
#include "test.h"

#include "../../../src/dataplane/hitch_io.c"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>

enum { PAIRS = 6, STEPS = 60000, EVENTS = 64 };

struct pair {
	int ours, peer; /* -1: closed */
	uint32_t want;
	bool added;
};

static int listener = -1, epoll_fd = -1;
static uint64_t seed = 88172645463325252u;

static unsigned next_random(unsigned below)
{
	return random_next(&seed) % below;
}

static int set_up(void **state)
{
	(void)state;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return bind(listener, (struct sockaddr *)&in, sizeof in) < 0 || listen(listener, 64) < 0 || epoll_fd < 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(listener);
	close(epoll_fd);
	free(io.at);
	free(io.queue);
	if (io.epoll >= 0)
		close(io.epoll);
	memset(&io, 0, sizeof io);
	io.epoll = io.libev = -1;
	return 0;
}

/* Ours is the accepted end of a TCP connection, as Hitch's clients are, with small buffers so that they fill. */
static void open_pair(struct pair *p)
{
	struct sockaddr_in in;
	socklen_t len = sizeof in;
	const int small = 4096;
	assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
	p->peer = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(p->peer, (struct sockaddr *)&in, len), 0);
	p->ours = hitch_accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(p->ours >= 0);
	setsockopt(p->ours, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	setsockopt(p->peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	p->added = false;
	p->want = 0;
}

static void close_ours(struct pair *p)
{
	hitch_io_forget(p->ours);
	close(p->ours);
	close(p->peer);
	p->ours = p->peer = -1;
}

static void set_want(struct pair *p, uint32_t want)
{
	struct epoll_event e = {.events = want, .data.u64 = (uint64_t)p->ours};
	assert_int_equal(hitch_epoll_ctl(epoll_fd, p->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->ours, &e), 0);
	p->added = true;
	p->want = want;
}

static void listen_for(struct pair *pairs, uint32_t *told)
{
	struct epoll_event events[EVENTS];
	const int n = hitch_epoll_wait(epoll_fd, events, EVENTS, 0);
	assert_true(n >= 0);
	for (int i = 0; i < n; i++)
		for (int k = 0; k < PAIRS; k++)
			if (pairs[k].ours >= 0 && events[i].data.u64 == (uint64_t)pairs[k].ours) {
				assert_int_equal(events[i].events & ~pairs[k].want, 0);
				told[k] |= events[i].events;
			}
}

static uint32_t ask_poll(const struct pair *p)
{
	struct pollfd f = {.fd = p->ours, .events = POLLIN | POLLOUT};
	poll(&f, 1, 0);
	return ((f.revents & (POLLIN | POLLHUP | POLLERR)) ? EPOLLIN : 0u) | ((f.revents & (POLLOUT | POLLHUP | POLLERR)) ? EPOLLOUT : 0u);
}

/* Everything that is ready and wanted is told of before long: loopback delivers in its own time, and not every turn asks the kernel. */
static void check(struct pair *pairs)
{
	enum { TRIES = 2000 };
	uint32_t told[PAIRS] = {0};
	for (int k = 0; k < PAIRS; k++) {
		uint32_t missing = 0;
		for (int i = 0; i < TRIES && pairs[k].ours >= 0 && pairs[k].added; i++) {
			missing = ask_poll(&pairs[k]) & pairs[k].want & ~told[k];
			if (missing == 0)
				break;
			listen_for(pairs, told);
		}
		if (missing != 0)
			fail_msg("pair %d: %x is ready and wanted, and never told of", k, missing);
	}
}

static void act(struct pair *p)
{
	static char bytes[8192];
	switch (next_random(9)) {
	case 0:
		(void)!send(p->peer, bytes, 1 + next_random(3000), MSG_DONTWAIT | MSG_NOSIGNAL);
		break;
	case 1:
		hitch_recv(p->ours, bytes, 1 + next_random(sizeof bytes), 0);
		break;
	case 2:
		hitch_read(p->ours, bytes, 1 + next_random(sizeof bytes));
		break;
	case 3:
		hitch_send(p->ours, bytes, 1 + next_random(sizeof bytes), MSG_NOSIGNAL);
		break;
	case 4:
		for (int i = 0; i < 64 && hitch_send(p->ours, bytes, sizeof bytes, MSG_NOSIGNAL) > 0; i++)
			;
		break;
	case 5:
		(void)!recv(p->peer, bytes, 1 + next_random(sizeof bytes), MSG_DONTWAIT);
		break;
	case 6:
		set_want(p, (uint32_t[]){EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT}[next_random(3)]);
		break;
	case 7:
		if (next_random(20) == 0)
			shutdown(p->peer, SHUT_WR);
		break;
	default:
		if (next_random(20) == 0)
			close_ours(p);
	}
}

static void misses_nothing_that_poll_sees(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	struct pair pairs[PAIRS];
	for (int k = 0; k < PAIRS; k++)
		pairs[k].ours = -1;
	for (int i = 0; i < STEPS; i++) {
		struct pair *p = &pairs[next_random(PAIRS)];
		if (p->ours < 0)
			open_pair(p);
		else
			act(p);
		if (next_random(4) == 0)
			check(pairs);
	}
	for (int k = 0; k < PAIRS; k++)
		if (pairs[k].ours >= 0)
			close_ours(&pairs[k]);
}

/* An ordinary exchange asks the kernel for nothing but the bytes: what is drained by a short read is no more told of. */
static void knows_when_all_has_been_read(void **state)
{
	(void)state;
	struct pair p;
	struct epoll_event e;
	char bytes[64];
	open_pair(&p);
	set_want(&p, EPOLLIN);
	assert_int_equal(send(p.peer, "request", 7, 0), 7);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 1000), 1);
	assert_int_equal(e.events, EPOLLIN);
	assert_int_equal(hitch_recv(p.ours, bytes, sizeof bytes, 0), 7);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 0), 0);
	set_want(&p, EPOLLIN | EPOLLOUT);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 0), 1);
	assert_int_equal(e.events, EPOLLOUT);
	close_ours(&p);
}

/* Bytes and the end together: a short read must not make it forget the end. */
static void tells_of_the_end_behind_the_bytes(void **state)
{
	(void)state;
	struct pair p;
	struct epoll_event e;
	char bytes[64];
	open_pair(&p);
	assert_int_equal(send(p.peer, "last", 4, 0), 4);
	shutdown(p.peer, SHUT_WR);
	struct pollfd both = {.fd = p.ours, .events = POLLRDHUP};
	assert_int_equal(poll(&both, 1, 1000), 1);
	set_want(&p, EPOLLIN);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 1000), 1);
	assert_int_equal(hitch_recv(p.ours, bytes, sizeof bytes, 0), 4);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 0), 1);
	assert_int_equal(hitch_recv(p.ours, bytes, sizeof bytes, 0), 0);
	close_ours(&p);
}

static void counts_as_readable_when_told_so(void **state)
{
	(void)state;
	struct pair p;
	struct epoll_event e;
	char bytes[8];
	open_pair(&p);
	set_want(&p, EPOLLIN);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 0), 0);
	hitch_io_readable(p.ours);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 0), 1);
	assert_int_equal(e.data.u64, p.ours);
	assert_int_equal(hitch_read(p.ours, bytes, sizeof bytes), -1);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 0), 0);
	close_ours(&p);
}

/* libev closes its epoll descriptor when it has lost count, and adds everything again to a new one, which may get the same number. */
static void survives_a_new_epoll_descriptor(void **state)
{
	(void)state;
	struct pair p;
	struct epoll_event e;
	open_pair(&p);
	set_want(&p, EPOLLIN);
	hitch_io_forget(epoll_fd);
	close(epoll_fd);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	p.added = false;
	set_want(&p, EPOLLIN);
	assert_int_equal(send(p.peer, "x", 1, 0), 1);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 1000), 1);
	close_ours(&p);
}

/* As epoll_ctl(2) answers, which is what libev goes by. */
static void answers_as_the_kernel_does(void **state)
{
	(void)state;
	struct pair p;
	open_pair(&p);
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)p.ours};
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_MOD, p.ours, &e), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p.ours, &e), 0);
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p.ours, &e), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_DEL, p.ours, &e), 0);
	assert_int_equal(send(p.peer, "x", 1, 0), 1);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 10), 0);
	e = (struct epoll_event){.events = EPOLLIN, .data.u64 = (uint64_t)p.ours};
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p.ours, &e), 0);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 1000), 1);
	close_ours(&p);
}

/* Any other descriptor is the kernel's business, events and data as they are. */
static void leaves_others_to_the_kernel(void **state)
{
	(void)state;
	int pipe_fd[2];
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = UINT64_C(0x7fffffff00000001)};
	assert_int_equal(pipe(pipe_fd), 0);
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pipe_fd[0], &e), 0);
	assert_int_equal(write(pipe_fd[1], "x", 1), 1);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 1000), 1);
		assert_int_equal(e.data.u64, UINT64_C(0x7fffffff00000001));
	}
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

/* The backend: connected at once over a Unix socket, and only after a while over TCP. */
static void knows_when_it_is_connected(void **state)
{
	(void)state;
	struct sockaddr_in in;
	socklen_t len = sizeof in;
	struct epoll_event e;
	assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(hitch_connect(fd, (struct sockaddr *)&in, len), -1);
	assert_int_equal(errno, EINPROGRESS);
	e = (struct epoll_event){.events = EPOLLOUT, .data.u64 = (uint64_t)fd};
	assert_int_equal(hitch_epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &e), 0);
	assert_int_equal(hitch_epoll_wait(epoll_fd, &e, 1, 1000), 1);
	assert_int_equal(e.events, EPOLLOUT);
	/* As connect(2): 0 from the call that finds it done, EISCONN from then on. */
	assert_int_equal(hitch_connect(fd, (struct sockaddr *)&in, len), 0);
	assert_int_equal(hitch_connect(fd, (struct sockaddr *)&in, len), -1);
	assert_int_equal(errno, EISCONN);
	hitch_io_forget(fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(misses_nothing_that_poll_sees, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(knows_when_all_has_been_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(tells_of_the_end_behind_the_bytes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(counts_as_readable_when_told_so, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(survives_a_new_epoll_descriptor, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(answers_as_the_kernel_does, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(leaves_others_to_the_kernel, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(knows_when_it_is_connected, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
