// SPDX-License-Identifier: Apache-2.0
/* control_client: one who has connected to the control socket. */
#include "control_client.h"

#include "socket.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct iovec control_client_pending(const struct control_client *cl)
{
	struct iovec v = {0};
	if (cl->out != NULL)
		v = (struct iovec){cl->out + cl->sent, cl->out_n - cl->sent};
	else if (cl->follows)
		v.iov_base = (char *)(uintptr_t)stream_next(&cl->stream, &v.iov_len);
	return v;
}

static void wrote(struct control_client *cl, size_t n)
{
	if (cl->out == NULL)
		stream_wrote(&cl->stream, n);
	else
		cl->sent += n;
}

bool control_client_write(struct control_client *cl)
{
	for (;;) {
		if (cl->out != NULL && cl->sent == cl->out_n) {
			free(cl->out);
			cl->out = NULL;
			cl->out_n = cl->sent = 0;
		}
		const struct iovec v = control_client_pending(cl);
		size_t n;
		if (v.iov_len == 0)
			return true;
		switch (socket_send(cl->fd, v, &n)) {
		case IO_OK:
			wrote(cl, n);
			break;
		case IO_AGAIN:
			return true;
		default:
			return false;
		}
	}
}

void control_client_read(struct control_client *cl)
{
	size_t n;
	/* Who follows has nothing more to say but good-bye. */
	if (cl->follows)
		cl->n = 0;
	switch (socket_recv(cl->fd, (struct iovec){cl->line + cl->n, sizeof cl->line - cl->n}, &n)) {
	case IO_OK:
		cl->n += cl->follows ? 0 : n;
		break;
	case IO_AGAIN:
		break;
	default:
		cl->ended = true;
	}
}

short control_client_wanted(const struct control_client *cl)
{
	if (!cl->follows)
		return cl->out != NULL ? POLLOUT : POLLIN;
	return control_client_pending(cl).iov_len > 0 ? POLLIN | POLLOUT : POLLIN;
}

void control_client_close(struct control_client *cl)
{
	if (cl->fd >= 0)
		close(cl->fd);
	stream_close(&cl->stream);
	free(cl->out);
	*cl = (struct control_client){.fd = -1};
}
