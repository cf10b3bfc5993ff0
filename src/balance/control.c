// SPDX-License-Identifier: Apache-2.0
/* control: the control socket: one command per line in, JSON lines out. */
#include "control.h"

#include "json.h"
#include "log.h"
#include "master.h"
#include "report.h"
#include "socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 1024 };

struct client {
	int fd; /* -1: free */
	char line[LINE];
	size_t n;
	char *out; /* answer not yet written */
	size_t out_n, sent;
	bool ended; /* no more commands; close when the answer is out */
};

struct control {
	int fd;
	char path[sizeof(struct sockaddr_un)];
	struct stat own; /* what path was when it was opened */
	struct client clients[CONTROL_CLIENTS];
};

struct control *control_open(const char *path)
{
	const char *what;
	struct control *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
	strncpy(c->path, path, sizeof c->path - 1);
	c->fd = socket_listen_unix(path, CONTROL_CLIENTS, &what);
	if (c->fd < 0) {
		log_error("control socket %s: %s: %s", path, what, strerror(errno));
		free(c);
		return NULL;
	}
	(void)stat(path, &c->own);
	return c;
}

static void drop(struct client *cl)
{
	if (cl->fd >= 0)
		close(cl->fd);
	free(cl->out);
	*cl = (struct client){.fd = -1};
}

void control_leave(struct control *c)
{
	if (c == NULL)
		return;
	close(c->fd);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		drop(&c->clients[i]);
}

void control_close(struct control *c)
{
	if (c == NULL)
		return;
	control_leave(c);
	/* While this one drained, a successor may have put its own socket there. */
	struct stat now;
	if (stat(c->path, &now) == 0 && now.st_dev == c->own.st_dev && now.st_ino == c->own.st_ino)
		unlink(c->path);
	free(c);
}

static void answer_reload(FILE *f, struct master *m)
{
	if (master_reload(m)) {
		fprintf(f, "{\"ok\":true,\"generation\":%llu,\"hash\":", (unsigned long long)m->generation);
		json_string(f, m->conf->hash);
	} else {
		fputs("{\"ok\":false,\"error\":", f);
		json_string(f, m->last_error);
	}
	fputs("}\n", f);
}

static void answer(struct client *cl, struct master *m, char *command)
{
	FILE *f = open_memstream(&cl->out, &cl->out_n);
	if (f == NULL) {
		cl->ended = true;
		return;
	}
	if (strcmp(command, "status") == 0)
		report_status(f, m);
	else if (strcmp(command, "pools") == 0)
		report_pools(f, m);
	else if (strcmp(command, "http") == 0)
		report_http(f, m);
	else if (strcmp(command, "reload") == 0)
		answer_reload(f, m);
	else if (m->cli != NULL && strncmp(command, "cli ", 4) == 0)
		cli_answer(m->cli, m, command + 4, f);
	else
		fputs("{\"ok\":false,\"error\":\"unknown command\"}\n", f);
	if (fclose(f) != 0)
		cl->ended = true;
	cl->sent = 0;
}

static void write_out(struct client *cl)
{
	while (cl->out != NULL && cl->sent < cl->out_n) {
		size_t n;
		switch (socket_send(cl->fd, (struct iovec){cl->out + cl->sent, cl->out_n - cl->sent}, &n)) {
		case IO_OK:
			cl->sent += n;
			break;
		case IO_AGAIN:
			return;
		default:
			drop(cl);
			return;
		}
	}
	free(cl->out);
	cl->out = NULL;
	cl->out_n = cl->sent = 0;
}

/* Answers the complete lines, one at a time: the next only when the last answer is out, so that memory stays bounded. */
static void serve(struct client *cl, struct master *m)
{
	while (cl->fd >= 0 && cl->out == NULL) {
		char *lf = memchr(cl->line, '\n', cl->n);
		if (lf == NULL)
			break;
		char command[LINE];
		size_t len = (size_t)(lf - cl->line);
		memcpy(command, cl->line, len);
		command[len > 0 && command[len - 1] == '\r' ? len - 1 : len] = '\0';
		cl->n -= len + 1;
		memmove(cl->line, lf + 1, cl->n);
		answer(cl, m, command);
		write_out(cl);
	}
	if (cl->fd >= 0 && cl->out == NULL && (cl->ended || cl->n == sizeof cl->line))
		drop(cl);
}

static void read_in(struct client *cl)
{
	size_t n;
	switch (socket_recv(cl->fd, (struct iovec){cl->line + cl->n, sizeof cl->line - cl->n}, &n)) {
	case IO_OK:
		cl->n += n;
		break;
	case IO_AGAIN:
		break;
	default:
		cl->ended = true;
	}
}

static void accept_client(struct control *c)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		if (c->clients[i].fd < 0) {
			c->clients[i].fd = fd;
			return;
		}
	}
	close(fd);
}

size_t control_polls(const struct control *c, struct pollfd polls[CONTROL_POLLS])
{
	if (c == NULL)
		return 0;
	polls[0] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *cl = &c->clients[i];
		polls[i + 1] = (struct pollfd){.fd = cl->fd, .events = cl->out != NULL ? POLLOUT : POLLIN};
	}
	return CONTROL_POLLS;
}

void control_handle(struct control *c, struct master *m, const struct pollfd *polls, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *cl = &c->clients[i];
		if (cl->fd < 0 || polls[i + 1].revents == 0)
			continue;
		if (cl->out != NULL)
			write_out(cl);
		else
			read_in(cl);
		serve(cl, m);
	}
	if (polls[0].revents != 0)
		accept_client(c);
}
