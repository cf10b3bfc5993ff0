// SPDX-License-Identifier: Apache-2.0
/* control: the control socket: one command per line in, JSON lines out. */
#include "control.h"

#include "control_answer.h"
#include "control_client.h"
#include "event.h"
#include "json.h"
#include "log.h"
#include "master.h"
#include "socket.h"
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LOOK_MS = 200, /* between two looks at the channels, while somebody follows */
	SOON_MS = 10,  /* … when it is known that there is something to see: more may come with it */
};

static const char too_many[] = "{\"ok\":false,\"error\":\"too many clients\"}\n";
static const char too_long[] = "{\"ok\":false,\"error\":\"the line is too long\"}\n";

struct control {
	int fd;
	char path[sizeof(struct sockaddr_un)];
	struct stat own; /* what path was when it was opened */
	struct control_client clients[CONTROL_CLIENTS];
	struct control_client *asking; /* whose command is being answered */
	size_t followers;
	struct watch watch;
	uint64_t look_at_ms;
	FILE *event; /* being put together */
	char *event_text;
	size_t event_n;
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
	c->fd = socket_listen_unix(path, SOCK_STREAM, CONTROL_CLIENTS, &what);
	if (c->fd < 0) {
		log_error("control socket %s: %s: %s", path, what, strerror(errno));
		free(c);
		return NULL;
	}
	(void)stat(path, &c->own);
	return c;
}

static void drop(struct control *c, struct control_client *cl)
{
	if (cl->follows && --c->followers == 0)
		watch_end(&c->watch);
	control_client_close(cl);
}

void control_leave(struct control *c)
{
	if (c == NULL)
		return;
	close(c->fd);
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		drop(c, &c->clients[i]);
}

void control_close(struct control *c)
{
	if (c == NULL)
		return;
	control_leave(c);
	socket_unlink(c->path, &c->own);
	free(c);
}

static void write_out(struct control *c, struct control_client *cl)
{
	if (!control_client_write(cl))
		drop(c, cl);
}

bool control_follow(struct control *c, const struct master *m)
{
	struct control_client *cl = c->asking;
	if (!stream_open(&cl->stream))
		return false;
	cl->follows = true;
	if (c->followers++ == 0) {
		(void)watch_begin(&c->watch, m->conf, master_now_ms());
		c->look_at_ms = master_now_ms() + LOOK_MS;
	}
	return true;
}

FILE *control_event(struct control *c, const char *event)
{
	struct timespec now;
	if (c == NULL || c->followers == 0 || (c->event = open_memstream(&c->event_text, &c->event_n)) == NULL)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(c->event, "{\"time\":%" PRIu64 ".%03u,\"event\":", (uint64_t)now.tv_sec, (unsigned)(now.tv_nsec / 1000000));
	json_string(c->event, event);
	return c->event;
}

void control_tell(struct control *c)
{
	fputs("}\n", c->event);
	const bool ok = fclose(c->event) == 0;
	for (size_t i = 0; ok && i < CONTROL_CLIENTS; i++) {
		struct control_client *cl = &c->clients[i];
		if (cl->fd < 0 || !cl->follows)
			continue;
		stream_put(&cl->stream, c->event_text, c->event_n);
		/* Whose command this is about may not be dropped under it; its own events go out after its answer. */
		if (cl != c->asking)
			write_out(c, cl);
	}
	free(c->event_text);
	c->event = NULL;
}

void control_look(struct control *c, const struct master *m, bool now)
{
	if (c == NULL || c->followers == 0 || (!now && master_now_ms() < c->look_at_ms))
		return;
	event_look(c, &c->watch, m->conf);
	c->look_at_ms = master_now_ms() + LOOK_MS;
}

void control_look_soon(struct control *c)
{
	if (c == NULL || c->followers == 0)
		return;
	const uint64_t soon = master_now_ms() + SOON_MS;
	if (soon < c->look_at_ms)
		c->look_at_ms = soon;
}

int control_wait_ms(const struct control *c)
{
	if (c == NULL || c->followers == 0)
		return -1;
	const uint64_t now = master_now_ms();
	return c->look_at_ms <= now ? 0 : (int)(c->look_at_ms - now);
}

void control_reloaded(struct control *c, const struct master *m)
{
	if (c != NULL && c->followers > 0)
		(void)watch_begin(&c->watch, m->conf, master_now_ms());
}

static void answer(struct control *c, struct control_client *cl, struct master *m, char *line, size_t n)
{
	FILE *f = open_memstream(&cl->out, &cl->out_n);
	if (f == NULL) {
		cl->ended = true;
		return;
	}
	c->asking = cl;
	control_answer(f, c, m, line, n);
	c->asking = NULL;
	if (fclose(f) != 0)
		cl->ended = true;
	cl->sent = 0;
	/* What the command did to channels is told at once. */
	control_look(c, m, true);
}

/* Answers the complete lines, one at a time: the next only when the last answer is out, so that memory stays bounded. */
static void serve(struct control *c, struct control_client *cl, struct master *m)
{
	while (cl->fd >= 0 && cl->out == NULL && !cl->follows) {
		char *lf = memchr(cl->line, '\n', cl->n);
		if (lf == NULL)
			break;
		char command[CONTROL_LINE];
		size_t len = (size_t)(lf - cl->line);
		memcpy(command, cl->line, len);
		cl->n -= len + 1;
		memmove(cl->line, lf + 1, cl->n);
		if (len > 0 && command[len - 1] == '\r')
			len--;
		command[len] = '\0';
		answer(c, cl, m, command, len);
		if (cl->fd >= 0)
			write_out(c, cl);
	}
	/* A follower's end is heard before it has read its answer, and goes on being heard. */
	if (cl->fd < 0 || (cl->out != NULL && !(cl->follows && cl->ended)))
		return;
	if (cl->n == sizeof cl->line && !cl->ended) {
		cl->ended = true;
		(void)send(cl->fd, too_long, sizeof too_long - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	if (cl->ended)
		drop(c, cl);
}

/* A closed socket with unread bytes in it is a broken one to its peer, who then may not get to see the answer. */
static void turn_away(int fd)
{
	char rest[CONTROL_LINE];
	(void)send(fd, too_many, sizeof too_many - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)recv(fd, rest, sizeof rest, MSG_DONTWAIT);
	close(fd);
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
	turn_away(fd);
}

size_t control_polls(const struct control *c, struct pollfd polls[CONTROL_POLLS])
{
	if (c == NULL)
		return 0;
	polls[0] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	for (size_t i = 0; i < CONTROL_CLIENTS; i++)
		polls[i + 1] = (struct pollfd){.fd = c->clients[i].fd, .events = c->clients[i].fd < 0 ? 0 : control_client_wanted(&c->clients[i])};
	return CONTROL_POLLS;
}

void control_handle(struct control *c, struct master *m, const struct pollfd *polls, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
		struct control_client *cl = &c->clients[i];
		/* An event that another client's command caused may have ended this one. */
		if (cl->fd < 0 || polls[i + 1].fd != cl->fd || polls[i + 1].revents == 0)
			continue;
		if (polls[i + 1].revents & ~POLLOUT && (cl->out == NULL || cl->follows))
			control_client_read(cl);
		if (control_client_pending(cl).iov_len > 0)
			write_out(c, cl);
		serve(c, cl, m);
	}
	if (polls[0].revents != 0)
		accept_client(c);
}
