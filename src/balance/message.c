// SPDX-License-Identifier: Apache-2.0
/* message: what master and workers say to each other. */
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(MESSAGE_FDS * sizeof(int))];
	struct cmsghdr align;
};

bool message_send_fds(int socket, const struct message *m, const int *fds, size_t n)
{
	union control control;
	struct iovec iov = {(void *)(uintptr_t)m, sizeof *m};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};
	if (n > 0) {
		head.msg_control = control.bytes;
		head.msg_controllen = CMSG_SPACE(n * sizeof *fds);
		memset(&control, 0, head.msg_controllen);
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof *fds);
		memcpy(CMSG_DATA(c), fds, n * sizeof *fds);
	}
	return sendmsg(socket, &head, MSG_NOSIGNAL) == (ssize_t)sizeof *m;
}

bool message_send(int socket, const struct message *m, int fd)
{
	return message_send_fds(socket, m, &fd, fd >= 0);
}

enum message_result message_receive_fds(int socket, struct message *m, int *fds, size_t *n)
{
	union control control;
	struct iovec iov = {m, sizeof *m};
	struct msghdr head = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
	*n = 0;
	ssize_t r = recvmsg(socket, &head, MSG_CMSG_CLOEXEC);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return MESSAGE_NONE;
	struct cmsghdr *c = r > 0 ? CMSG_FIRSTHDR(&head) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*n = (c->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
		memcpy(fds, CMSG_DATA(c), *n * sizeof *fds);
	}
	if (r == (ssize_t)sizeof *m)
		return MESSAGE_OK;
	while (*n > 0)
		close(fds[--*n]);
	return MESSAGE_GONE;
}

enum message_result message_receive(int socket, struct message *m, int *fd)
{
	int fds[MESSAGE_FDS];
	size_t n;
	const enum message_result result = message_receive_fds(socket, m, fds, &n);
	*fd = n > 0 ? fds[0] : -1;
	while (n > 1)
		close(fds[--n]);
	return result;
}
