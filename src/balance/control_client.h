// SPDX-License-Identifier: Apache-2.0
/* control_client: one who has connected to the control socket: the lines that come in, and what goes out. */
#ifndef BALANCE_CONTROL_CLIENT_H
#define BALANCE_CONTROL_CLIENT_H

#include "stream.h"

#include <sys/uio.h>

enum { CONTROL_LINE = 1024 };

struct control_client {
	int fd; /* -1: free */
	char line[CONTROL_LINE];
	size_t n;
	char *out; /* answer not yet written */
	size_t out_n, sent;
	bool ended; /* no more commands; close when the answer is out */
	bool follows;
	struct stream stream; /* events, once the answer to `follow` is out */
};

/* What is to be written next: the answer, then events. */
struct iovec control_client_pending(const struct control_client *);

/* Writes what the socket takes of it. False: there is nobody any more. */
bool control_client_write(struct control_client *);

/* Reads what has come, or notes the end. */
void control_client_read(struct control_client *);

/* What to poll for. */
short control_client_wanted(const struct control_client *);

/* Closes it and makes its place free; harmless when it is. */
void control_client_close(struct control_client *);

#endif
