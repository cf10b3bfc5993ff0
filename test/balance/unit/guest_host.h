// SPDX-License-Identifier: Apache-2.0
/* The test as the host of a guest, and masters for it to join: each a process of its own, this program with `--master FILE`. */
#ifndef GUEST_HOST_H
#define GUEST_HOST_H

#include "test.h"

#include "../../../src/balance/guest.c"

#include "master.h"
#include "socket.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A client's name for the host: a descriptor that is none, so that a mix-up would show. */
enum { FIRST_FD = 1 << 20, SEATS = 64 };

/* What the host has been told of a client. */
struct seat {
	struct conn *conn;
	bool readable, writable, ended;
};

static struct seat seats[SEATS];
static int host_epoll = -1;
static char host_dir[] = "/tmp/balance-guest-XXXXXX";

static inline struct seat *seat_of(int fd)
{
	assert_in_range(fd, FIRST_FD, FIRST_FD + SEATS - 1);
	assert_non_null(seats[fd - FIRST_FD].conn);
	return &seats[fd - FIRST_FD];
}

static inline void seat_readable(int fd)
{
	seat_of(fd)->readable = true;
}

static inline void seat_writable(int fd)
{
	seat_of(fd)->writable = true;
}

static inline void seat_ended(int fd, bool gone)
{
	struct seat *s = seat_of(fd);
	s->ended = s->readable = true;
	if (gone)
		s->conn = NULL;
}

static const struct guest_host seats_host = {seat_readable, seat_writable, seat_ended};

static inline const char *host_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *p = paths[next++ % COUNT(paths)];
	snprintf(p, sizeof paths[0], "%s/%s", host_dir, name);
	return p;
}

/* One turn of the host's loop. */
static inline void host_turn(int ms)
{
	struct epoll_event events[SEATS];
	const int n = epoll_wait(host_epoll, events, SEATS, guest_wait_ms(ms));
	guest_turn(events, n < 0 ? 0 : n);
}

static inline void host_join(void)
{
	guest_join(host_path("guests"), host_epoll, &seats_host);
}

/* Whatever else is wrong, the time that has to go by between two attempts is not waited for. */
static inline void host_join_again(void)
{
	guest.tried = 0;
	host_join();
}

static inline bool host_open(unsigned i, const char *listener)
{
	/* Before it is asked for: the guest may speak of the client at once. */
	struct conn *c;
	assert_null(seats[i].conn);
	seats[i] = (struct seat){.conn = (struct conn *)(void *)&seats[i], .writable = true};
	c = guest_open(FIRST_FD + (int)i, host_path(listener));
	seats[i].conn = c;
	return c != NULL;
}

static inline void host_close(unsigned i)
{
	struct conn *c = seats[i].conn;
	seats[i].conn = NULL;
	if (c != NULL)
		guest_close(c);
}

/* Turns of the loop until a condition holds; what the test waits for depends on other processes. */
#define UNTIL(condition)															\
	do {																	\
		bool holds = (condition);													\
		for (int tries = 2000; !holds && tries > 0; tries--) {										\
			host_turn(5);														\
			holds = (condition);													\
		}																\
		if (!holds)															\
			fail_msg("never: %s", #condition);											\
	} while (0)

static inline int listen_pod(unsigned *port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(listen(fd, 256), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	*port = ntohs(in.sin_port);
	return fd;
}

static inline int connect_unix(const char *path, int type)
{
	struct sockaddr_un un;
	const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_true(addr_unix(&un, path));
	if (connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
		return fd;
	close(fd);
	return -1;
}

/* One command to the master, while the guest has its turns; the answer's line. */
static inline const char *ask_master(const char *command)
{
	static char answer[16384];
	size_t n = 0;
	const int fd = connect_unix(host_path("control"), SOCK_STREAM);
	answer[0] = '\0';
	if (fd < 0)
		return answer;
	assert_int_equal(dprintf(fd, "%s\n", command), strlen(command) + 1);
	for (int tries = 2000; tries > 0 && strchr(answer, '\n') == NULL; tries--) {
		const ssize_t r = recv(fd, answer + n, sizeof answer - 1 - n, MSG_DONTWAIT);
		if (r <= 0)
			host_turn(5);
		n += r > 0 ? (size_t)r : 0;
		answer[n] = '\0';
	}
	close(fd);
	return answer;
}

static inline bool says(const char *command, const char *what)
{
	return strstr(ask_master(command), what) != NULL;
}

/* One that knows nothing of this process's own. */
static inline pid_t start_master(const char *conf)
{
	FILE *f = fopen(host_path("conf"), "w");
	fprintf(f, "control unix:%s\nguests 1 unix:%s\n%s", host_path("control"), host_path("guests"), conf);
	fclose(f);
	const pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/proc/self/exe", "guest-master", "--master", host_path("conf"), (char *)NULL);
		_exit(127);
	}
	UNTIL(says("status", "\"ok\":true"));
	return pid;
}

/* Returns the exit status, or the signal's number, negative. */
static inline int end_master(pid_t pid, int signal)
{
	int status;
	if (signal != 0)
		kill(pid, signal);
	UNTIL(waitpid(pid, &status, WNOHANG) == pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* For main: true when this process is a master. */
static inline bool is_master(int argc, char **argv, int *status)
{
	if (argc != 3 || strcmp(argv[1], "--master") != 0)
		return false;
	log_most = LOG_ERROR;
	*status = master_run(argv[2]);
	return true;
}

static inline int host_set_up(void **state)
{
	(void)state;
	log_most = LOG_ERROR;
	host_epoll = epoll_create1(EPOLL_CLOEXEC);
	return host_epoll < 0 || mkdtemp(host_dir) == NULL;
}

static inline int host_tear_down(void **state)
{
	static const char *const names[] = {"conf", "control", "guests", "tcp", "tcp-proxy", "http", "http-proxy"};
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		unlink(host_path(names[i]));
	close(host_epoll);
	return rmdir(host_dir);
}

#endif
