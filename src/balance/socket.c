// SPDX-License-Identifier: Apache-2.0
/* socket: opening, and moving bytes with one result type. */
#include "socket.h"

#include "log.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(int fd, const char **what, const char *call)
{
	int saved = errno;
	if (fd >= 0)
		close(fd);
	*what = call;
	errno = saved;
	return -1;
}

int socket_listen_unix(const char *path, int type, int backlog, const char **what)
{
	struct sockaddr_un un;
	char temporary[sizeof un.sun_path];
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(fd, what, "socket");
	/* One character appended keeps the longest path legal whenever the path itself leaves room for it. */
	int n = snprintf(temporary, sizeof temporary, "%s~", path);
	if (n >= (int)sizeof temporary || !addr_unix(&un, temporary)) {
		errno = ENAMETOOLONG;
		return fail(fd, what, "bind");
	}
	unlink(temporary);
	mode_t old = umask(0177);
	int bound = bind(fd, (struct sockaddr *)&un, sizeof un);
	umask(old);
	if (bound < 0)
		return fail(fd, what, "bind");
	if (listen(fd, backlog) < 0)
		return fail(fd, what, "listen");
	if (rename(temporary, path) < 0) {
		unlink(temporary);
		return fail(fd, what, "rename");
	}
	return fd;
}

void socket_unlink(const char *path, const struct stat *own)
{
	struct stat now;
	if (stat(path, &now) == 0 && now.st_dev == own->st_dev && now.st_ino == own->st_ino)
		unlink(path);
}

static void set_on(int fd, int level, int option)
{
	const int on = 1;
	/* Only tuning is set this way; a kernel that refuses it still serves. */
	(void)setsockopt(fd, level, option, &on, sizeof on);
}

static int listen_tcp(const struct addr *a, const struct listener *l, const char **what)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(fd, what, "socket");
	set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	/* A TLS port goes from Hitch, which asks for the same, to here and back without a moment in which nobody listens. */
	if (l->sni)
		set_on(fd, SOL_SOCKET, SO_REUSEPORT);
	/* Accepted sockets inherit these two, which saves two calls per connection. */
	set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
	set_on(fd, IPPROTO_TCP, TCP_NODELAY);
	if (a->sa.sa_family == AF_INET6) {
		const int only = l->v6only;
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) < 0)
			return fail(fd, what, "setsockopt IPV6_V6ONLY");
	}
	if (bind(fd, &a->sa, a->len) < 0)
		return fail(fd, what, "bind");
	if (listen(fd, l->backlog) < 0)
		return fail(fd, what, "listen");
	return fd;
}

int socket_listen(const struct listener *l, const char **what)
{
	if (l->path != NULL)
		return socket_listen_unix(l->path, SOCK_STREAM, l->backlog, what);
	int fd = listen_tcp(&l->addr, l, what);
	/* Where IPv6 is switched off, `[::]` still means: every address there is. */
	if (fd < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) && l->addr.sa.sa_family == AF_INET6 && !l->v6only &&
	    IN6_IS_ADDR_UNSPECIFIED(&l->addr.in6.sin6_addr)) {
		struct addr v4 = {.len = sizeof v4.in, .in = {.sin_family = AF_INET, .sin_port = l->addr.in6.sin6_port}};
		log_warn("listener %s: no IPv6 here, listening on IPv4 only", l->name);
		fd = listen_tcp(&v4, l, what);
	}
	return fd;
}

int socket_connect(const struct addr *a, const struct addr *from, bool *done)
{
	const char *what;
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	set_on(fd, IPPROTO_TCP, TCP_NODELAY);
	set_on(fd, SOL_SOCKET, SO_KEEPALIVE);
	if (from->len != 0) {
		/* The port is chosen by connect(2), which knows the other end: more than 28,000 connections to different channels fit then. */
		set_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
		if (bind(fd, &from->sa, from->len) < 0)
			return fail(fd, &what, "bind");
	}
	*done = connect(fd, &a->sa, a->len) == 0;
	if (!*done && errno != EINPROGRESS)
		return fail(fd, &what, "connect");
	return fd;
}

int socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

static enum io result(ssize_t r, size_t *n)
{
	*n = 0;
	if (r > 0) {
		*n = (size_t)r;
		return IO_OK;
	}
	if (r == 0)
		return IO_EOF;
	return errno == EAGAIN || errno == EINTR ? IO_AGAIN : IO_ERROR;
}

enum io socket_recv(int fd, struct iovec v, size_t *n)
{
	return result(recv(fd, v.iov_base, v.iov_len, 0), n);
}

enum io socket_send(int fd, struct iovec v, size_t *n)
{
	return result(send(fd, v.iov_base, v.iov_len, MSG_NOSIGNAL), n);
}
