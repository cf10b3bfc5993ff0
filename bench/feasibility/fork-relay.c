/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork-relay: a TCP relay that forks a process for each connection, and nothing else. `fork-relay PORT BACKEND-PORT [count]`, on the
 * loopback address.
 *
 * It stands for that way of working, at its cheapest: a relay of use also limits and chooses. With `count` the processes add up the
 * bytes of all of them, under a lock (fcntl(2)) that is taken for each block, as Inlab's Balance 3.57 does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 32768, BACKLOG = 4096 };

/* Shared by all processes, if bytes are counted. */
static struct {
	int lock;
	unsigned long *bytes;
} count;

static void die(const char *call)
{
	perror(call);
	exit(EXIT_FAILURE);
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((in_port_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static int open_listener(const char *port)
{
	const struct sockaddr_in at = loopback(port);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0)
		die("socket");
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, BACKLOG) != 0)
		die("listen");
	return fd;
}

static int open_backend(const char *port)
{
	const struct sockaddr_in at = loopback(port);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		die("connect");
	return fd;
}

static void open_count(void)
{
	FILE *file = tmpfile();

	if (file == NULL)
		die("tmpfile");
	count.lock = fileno(file);
	count.bytes = mmap(NULL, sizeof(*count.bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (count.bytes == MAP_FAILED)
		die("mmap");
}

static void add_to_count(size_t n)
{
	struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (count.bytes == NULL)
		return;
	while (fcntl(count.lock, F_SETLKW, &all) != 0)
		if (errno != EINTR)
			die("lock");
	*count.bytes += n;
	all.l_type = F_UNLCK;
	fcntl(count.lock, F_SETLK, &all);
}

/* Moves what one read gives. At the end of the input the other side is told so; 0 then, and for any error. */
static int move(int from, int to)
{
	char block[BLOCK];
	const ssize_t n = read(from, block, sizeof(block));

	for (ssize_t done = 0; done < n;) {
		const ssize_t more = write(to, block + done, (size_t)(n - done));
		if (more <= 0)
			return 0;
		done += more;
	}
	if (n <= 0)
		shutdown(to, SHUT_WR);
	else
		add_to_count((size_t)n);
	return n > 0;
}

static void relay(int client, int backend)
{
	struct pollfd ends[] = {{.fd = client, .events = POLLIN}, {.fd = backend, .events = POLLIN}};
	const int on = 1;

	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(backend, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* poll(2) passes over an end whose descriptor is negative. */
	while ((ends[0].fd >= 0 || ends[1].fd >= 0) && poll(ends, 2, -1) > 0) {
		if (ends[0].revents != 0 && !move(client, backend))
			ends[0].fd = -1;
		if (ends[1].revents != 0 && !move(backend, client))
			ends[1].fd = -1;
	}
}

static void on_child(int sig)
{
	(void)sig; /* only so that accept(2) is interrupted */
}

int main(int argc, char **argv)
{
	const struct sigaction reap = {.sa_handler = on_child};

	if (argc < 3 || argc > 4 || (argc == 4 && strcmp(argv[3], "count") != 0)) {
		fprintf(stderr, "usage: fork-relay PORT BACKEND-PORT [count]\n");
		return 64;
	}
	if (argc == 4)
		open_count();
	const int listener = open_listener(argv[1]);
	sigaction(SIGCHLD, &reap, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		const int client = accept(listener, NULL, NULL), error = errno;
		/* Children are waited for: what they used is then counted as the parent's (times(2)). */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (client < 0 && (error == EINTR || error == ECONNABORTED))
			continue;
		if (client < 0) {
			errno = error;
			die("accept");
		}
		const pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGTERM);
			close(listener);
			relay(client, open_backend(argv[2]));
			_exit(EXIT_SUCCESS);
		}
		close(client);
	}
}
