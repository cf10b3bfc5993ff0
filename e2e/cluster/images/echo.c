/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pods of the cluster tests: an HTTP/1.1 server on port 8080 that answers every request with its own name, the
 * address of its peer, and the request's head, as text. After SIGTERM it does what a well-behaved server does: for
 * LEAVE_MS it still takes connections, and ends each one with the next answer on it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT 8080
#define PEERS 512
#define HEAD 8192
#define LEAVE_MS 8000

struct peer {
	char address[INET_ADDRSTRLEN];
	char head[HEAD + 1];
	size_t size;
};

static volatile sig_atomic_t leaving;
static char name[256];
static struct pollfd polled[PEERS + 1];
static struct peer *peers[PEERS + 1];

static void
leave(int signal)
{
	(void)signal;
	leaving = 1;
}

static long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

static void
drop(int i)
{
	close(polled[i].fd);
	free(peers[i]);
	peers[i] = NULL;
	polled[i].fd = -1;
}

static void
take(void)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	int fd = accept(polled[0].fd, (struct sockaddr *)&from, &size), i;

	if (fd < 0)
		return;
	for (i = 1; i <= PEERS && peers[i] != NULL; i++)
		;
	if (i > PEERS || (peers[i] = calloc(1, sizeof(**peers))) == NULL) {
		close(fd);
		return;
	}
	inet_ntop(AF_INET, &from.sin_addr, peers[i]->address, sizeof(peers[i]->address));
	polled[i].fd = fd;
	polled[i].events = POLLIN;
}

/* Answers are short: a peer that does not take one at once is given up. 0 when the connection goes on. */
static int
answer(int fd, const struct peer *p, size_t head)
{
	char text[HEAD + 1024];
	int body = snprintf(NULL, 0, "pod: %s\npeer: %s\n", name, p->address) + (int)head;
	int size = snprintf(text, sizeof(text),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\npod: %s\npeer: %s\n%.*s",
	    body, leaving ? "Connection: close\r\n" : "", name, p->address, (int)head, p->head);

	if (size >= (int)sizeof(text) || send(fd, text, (size_t)size, MSG_NOSIGNAL) != size)
		return (-1);
	return (leaving ? -1 : 0);
}

static void
hear(int i)
{
	struct peer *p = peers[i];
	ssize_t got = recv(polled[i].fd, p->head + p->size, HEAD - p->size, MSG_DONTWAIT);
	char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		drop(i);
		return;
	}
	p->size += (size_t)got;
	p->head[p->size] = '\0';
	while ((end = strstr(p->head, "\r\n\r\n")) != NULL) {
		size_t head = (size_t)(end - p->head) + 4;

		/* No request of these tests has a body. */
		if (answer(polled[i].fd, p, head) != 0) {
			drop(i);
			return;
		}
		p->size -= head;
		memmove(p->head, p->head + head, p->size + 1);
	}
	if (p->size == HEAD)
		drop(i);
}

int
main(void)
{
	struct sigaction on_end = { .sa_handler = leave };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	long until = 0;
	int on = 1, i;

	gethostname(name, sizeof(name) - 1);
	sigaction(SIGTERM, &on_end, NULL);
	for (i = 0; i <= PEERS; i++)
		polled[i].fd = -1;
	polled[0].fd = socket(AF_INET, SOCK_STREAM, 0);
	polled[0].events = POLLIN;
	if (setsockopt(polled[0].fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(polled[0].fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(polled[0].fd, 1024) != 0) {
		perror("echo");
		return (1);
	}
	for (;;) {
		int ready = poll(polled, PEERS + 1, leaving ? 100 : 1000);

		if (leaving && until == 0)
			until = now_ms() + LEAVE_MS;
		if (until != 0 && now_ms() > until)
			return (0);
		if (ready <= 0)
			continue;
		for (i = 1; i <= PEERS; i++)
			if (polled[i].fd >= 0 && polled[i].revents != 0)
				hear(i);
		if (polled[0].revents != 0)
			take();
	}
}
