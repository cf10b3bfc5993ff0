// SPDX-License-Identifier: Apache-2.0
/* check: one active check of one channel: a connect, or an HTTP request and the first line of its answer. */
#ifndef BALANCE_CHECK_H
#define BALANCE_CHECK_H

#include "conf.h"

/* What the channel answers to: the address, and the settings of a pool that asks for the check. */
struct check_plan {
	struct addr addr;
	const struct pool *pool;
};

struct checking {
	int fd;        /* -1: none is under way */
	uint8_t state; /* of check.c */
	uint8_t seen;  /* bytes in line */
	uint8_t blank; /* how much of an interim answer's CR LF CR LF was read */
	uint32_t read; /* bytes altogether */
	char line[12]; /* `HTTP/1.1 200` */
};

enum check_result {
	CHECK_GOING, /* no verdict, or no further one */
	CHECK_GOOD,
	CHECK_BAD,
};

/* What was wrong, for people: an errno, or CHECK_STATUS plus a status code, or CHECK_GARBLED. */
enum { CHECK_GARBLED = 999, CHECK_STATUS = 1000 };

/* Begins one, watched by epoll with this pointer. The verdict may come at once. When check->fd is -1 after any of these calls the check is
 * over: an HTTP check goes on for a little after its verdict, so that the endpoint sees its answer taken. A check that this machine
 * is too busy for ends without a verdict. */
enum check_result check_begin(struct checking *, const struct check_plan *, int epoll, void *ptr, unsigned *why);

/* Something happened on its socket. */
enum check_result check_event(struct checking *, const struct check_plan *, unsigned *why);

/* Its time is over. */
enum check_result check_expired(struct checking *, unsigned *why);

/* The part of it that needs no socket: the next bytes of an answer, of which a zeroed checking awaits the first. */
enum check_result check_answer(struct checking *, const char *bytes, size_t n, unsigned *why);

void check_stop(struct checking *);

#endif
