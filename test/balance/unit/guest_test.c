// SPDX-License-Identifier: Apache-2.0
/* How a guest comes, what it refuses, and how it leaves without a trace. */
#include "guest_host.h"

static int pods = -1;
static char conf[512];

/* Descriptors of this process. */
static unsigned count_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* What the host's epoll set watches; it has nothing of its own in it. A descriptor that was closed is still watched while another process has it. */
static unsigned count_watched(void)
{
	char path[64], line[256];
	unsigned n = 0;
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", host_epoll);
	FILE *f = fopen(path, "r");
	while (fgets(line, sizeof line, f) != NULL)
		n += strncmp(line, "tfd:", 4) == 0;
	fclose(f);
	return n;
}

static pid_t start_usual(void)
{
	return start_master(conf);
}

static void join(void)
{
	host_join_again();
	UNTIL(guest.state == IN);
}

static bool is_away(void)
{
	return guest.state == OUT;
}

static void never_there(void **state)
{
	(void)state;
	const unsigned before = count_fds();
	host_join_again();
	assert_true(is_away());
	assert_false(host_open(0, "tcp"));
	assert_int_equal(guest_wait_ms(-1), -1);
	assert_int_equal(guest_wait_ms(7), 7);
	host_turn(0);
	assert_int_equal(count_fds(), before);
}

/* Somebody else at the `guests` socket. */
static int listen_fake(void)
{
	const char *what;
	const int fd = socket_listen_unix(host_path("guests"), SOCK_SEQPACKET, 8, &what);
	assert_true(fd >= 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void turned_away(void **state)
{
	(void)state;
	const unsigned before = count_fds();
	const int fake = listen_fake();
	host_join_again();
	const int guests_end = accept(fake, NULL, NULL);
	assert_true(guests_end >= 0);
	/* Not twice, while it waits for an answer, nor before a while has gone by. */
	host_join_again();
	assert_int_equal(accept(fake, NULL, NULL), -1);
	assert_false(host_open(0, "tcp"));
	close(guests_end);
	UNTIL(is_away());
	guest.tried = master_now_ms();
	host_join();
	assert_int_equal(accept(fake, NULL, NULL), -1);
	close(fake);
	assert_int_equal(count_fds(), before);
	assert_int_equal(count_watched(), 0);
}

static int make_file(void)
{
	const int fd = memfd_create("test", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 1 << 16), 0);
	return fd;
}

static void speaks_nonsense(void **state)
{
	(void)state;
	static const struct {
		struct message first, second;
		size_t fds;
	} cases[] = {
	    {{.type = MESSAGE_DRAIN}, {0}, 0},
	    {{.type = MESSAGE_CONF, .slots = 4, .size = GUESTS_LAYOUT}, {0}, 8},
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = 4, .size = GUESTS_LAYOUT}, {0}, 0},
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = 4, .size = GUESTS_LAYOUT}, {0}, 7},
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = 4, .size = GUESTS_LAYOUT}, {0}, 9},
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = 4, .size = GUESTS_LAYOUT + 1}, {0}, 8},
	    {{.type = MESSAGE_JOINED, .slot = 4, .slots = 4, .size = GUESTS_LAYOUT}, {0}, 8},
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = UINT32_MAX, .size = GUESTS_LAYOUT}, {0}, 3},
	    /* The first is good: shared memory and bells are there, and have to go again. */
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = 4, .size = GUESTS_LAYOUT}, {.type = MESSAGE_JOINED, .slot = 1, .slots = 4}, 8},
	    {{.type = MESSAGE_JOINED, .slot = 1, .slots = 4, .size = GUESTS_LAYOUT}, {.type = MESSAGE_CONF}, 8},
	};
	const unsigned before = count_fds();
	const int fake = listen_fake();
	int fds[9];
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = make_file();
	for (size_t i = 0; i < COUNT(cases); i++) {
		host_join_again();
		const int end = accept(fake, NULL, NULL);
		assert_true(end >= 0);
		assert_true(message_send_fds(end, &cases[i].first, fds, cases[i].fds));
		assert_true(message_send(end, &cases[i].second, -1));
		UNTIL(is_away());
		assert_false(host_open(0, "tcp"));
		close(end);
		host_turn(0);
		assert_int_equal(count_watched(), 0);
	}
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
	close(fake);
	assert_int_equal(count_fds(), before);
}

static int accept_pod(void)
{
	int fd;
	UNTIL((fd = accept4(pods, NULL, NULL, SOCK_CLOEXEC)) >= 0);
	return fd;
}

static void comes_and_is_listed(void **state)
{
	(void)state;
	char listed[64];
	snprintf(listed, sizeof listed, "\"guests\":[{\"pid\":%d,", (int)getpid());
	const pid_t master = start_usual();
	assert_true(says("status", "\"guests\":[]"));
	join();
	assert_true(says("status", listed));
	host_join_again();
	assert_true(guest.state == IN);
	assert_false(host_open(0, "nothing"));
	assert_false(host_open(0, "control"));
	assert_true(host_open(0, "tcp"));
	UNTIL(says("status", "\"accepted\":1,\"active\":1"));
	host_close(0);
	UNTIL(says("status", "\"accepted\":1,\"active\":0"));
	close(accept_pod());
	assert_true(says("reload", "\"ok\":true"));
	assert_int_equal(guest.worker.generation, 2);
	assert_true(says("status", "\"generation\":2,\"connections\":0,\"restarts\":0}],\"listeners\""));
	assert_int_equal(end_master(master, SIGTERM), 0);
	UNTIL(is_away());
}

static void no_number_is_free(void **state)
{
	(void)state;
	const pid_t master = start_usual();
	const int other = connect_unix(host_path("guests"), SOCK_SEQPACKET);
	assert_true(other >= 0);
	UNTIL(!says("status", "\"guests\":[]"));
	host_join_again();
	assert_false(is_away());
	UNTIL(is_away());
	close(other);
	UNTIL(says("status", "\"guests\":[]"));
	join();
	assert_int_equal(end_master(master, SIGTERM), 0);
	UNTIL(is_away());
}

/* As a host does: only when it was told that it may. */
static bool send_word(unsigned i)
{
	if (!seats[i].writable)
		return false;
	seats[i].writable = false;
	const ssize_t n = guest_send(seats[i].conn, "word", 4);
	seats[i].writable |= n == 4;
	assert_true(n == 4 || (n == -1 && errno == EAGAIN));
	return n == 4;
}

/* Sends a word to the pod and has it back. */
static void echo(unsigned i, int pod)
{
	char text[8] = "";
	UNTIL(send_word(i));
	seats[i].readable = false;
	UNTIL(recv(pod, text, sizeof text, MSG_DONTWAIT) == 4);
	assert_int_equal(send(pod, text, 4, 0), 4);
	UNTIL(seats[i].readable);
	assert_int_equal(guest_recv(seats[i].conn, text, sizeof text), 4);
	assert_memory_equal(text, "word", 4);
}

static int open_through(unsigned i)
{
	assert_true(host_open(i, "tcp"));
	return accept_pod();
}

static void the_master_dies(void **state)
{
	(void)state;
	const unsigned before = count_fds();
	pid_t master = start_usual();
	join();
	const int first = open_through(0), second = open_through(1);
	echo(0, first);
	assert_int_equal(end_master(master, SIGKILL), -SIGKILL);
	UNTIL(guest.worker.draining);
	assert_false(host_open(2, "tcp"));
	echo(0, first);
	echo(1, second);
	/* The next one is there before the clients have ended: the guest still belongs to the first. */
	master = start_usual();
	host_join_again();
	assert_true(says("status", "\"guests\":[]"));
	echo(1, second);
	host_close(0);
	UNTIL(recv(first, &(char){0}, 1, MSG_DONTWAIT) == 0);
	assert_false(is_away());
	close(second);
	UNTIL(seats[1].ended);
	host_close(1);
	UNTIL(is_away());
	close(first);
	assert_int_equal(count_fds(), before);
	join();
	const int third = open_through(0);
	echo(0, third);
	host_close(0);
	close(third);
	assert_int_equal(end_master(master, SIGTERM), 0);
	UNTIL(is_away());
	assert_int_equal(count_fds(), before);
}

/* A worker of the master's own that has connections outlives it, and holds what the guest had: its bell, above all. */
static void leaves_no_trace(void **state)
{
	(void)state;
	const unsigned before = count_fds();
	const pid_t master = start_usual();
	const int client = connect_unix(host_path("tcp"), SOCK_STREAM);
	const int pod = accept_pod();
	join();
	assert_int_not_equal(count_watched(), 0);
	assert_int_equal(end_master(master, SIGKILL), -SIGKILL);
	UNTIL(is_away());
	assert_int_equal(count_watched(), 0);
	close(client);
	close(pod);
	assert_int_equal(count_fds(), before);
}

static void time_is_up(void **state)
{
	(void)state;
	char short_grace[600];
	const unsigned before = count_fds();
	snprintf(short_grace, sizeof short_grace, "grace 0.2\n%s", conf);
	const pid_t master = start_master(short_grace);
	join();
	const int pod = open_through(0);
	assert_int_equal(end_master(master, SIGTERM), 0);
	UNTIL(is_away());
	assert_true(seats[0].ended);
	assert_null(seats[0].conn);
	UNTIL(recv(pod, &(char){0}, 1, MSG_DONTWAIT) == 0);
	close(pod);
	assert_int_equal(count_fds(), before);
	assert_int_equal(count_watched(), 0);
}

static int set_up(void **state)
{
	unsigned port;
	if (host_set_up(state) != 0)
		return -1;
	pods = listen_pod(&port);
	snprintf(conf, sizeof conf, "workers 1\nlisten l unix:%s\npool p 127.0.0.1:%u\nroute l * p\n", host_path("tcp"), port);
	return 0;
}

static int tear_down(void **state)
{
	close(pods);
	return host_tear_down(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(never_there),
	    cmocka_unit_test(turned_away),
	    cmocka_unit_test(speaks_nonsense),
	    cmocka_unit_test(comes_and_is_listed),
	    cmocka_unit_test(no_number_is_free),
	    cmocka_unit_test(the_master_dies),
	    cmocka_unit_test(leaves_no_trace),
	    cmocka_unit_test(time_is_up),
	};
	int status;
	return is_master(argc, argv, &status) ? status : cmocka_run_group_tests(tests, set_up, tear_down);
}
