// SPDX-License-Identifier: Apache-2.0
/* message: what master and workers say to each other. */
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

bool message_send(int socket, const struct message *m, int fd)
{
	union control control = {0};
	struct iovec iov = {(void *)(uintptr_t)m, sizeof *m};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};
	if (fd >= 0) {
		head.msg_control = control.bytes;
		head.msg_controllen = sizeof control.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	return sendmsg(socket, &head, MSG_NOSIGNAL) == (ssize_t)sizeof *m;
}

enum message_result message_receive(int socket, struct message *m, int *fd)
{
	union control control;
	struct iovec iov = {m, sizeof *m};
	struct msghdr head = {
	    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
	*fd = -1;
	ssize_t n = recvmsg(socket, &head, MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return MESSAGE_NONE;
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&head) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	if (n == (ssize_t)sizeof *m)
		return MESSAGE_OK;
	if (*fd >= 0)
		close(*fd);
	return MESSAGE_GONE;
}
