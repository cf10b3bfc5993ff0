// SPDX-License-Identifier: Apache-2.0
/* control_line: one line from the control socket, checked and cut up (docs/balance-config.md). */
#ifndef BALANCE_CONTROL_LINE_H
#define BALANCE_CONTROL_LINE_H

#include "conf.h"
#include "words.h"

enum control_verb {
	CONTROL_STATUS,
	CONTROL_POOLS,   /* pool: this one alone; len 0: all */
	CONTROL_HTTP,
	CONTROL_TOP,     /* number: how many pools */
	CONTROL_RELOAD,
	CONTROL_RESET,
	CONTROL_FOLLOW,
	CONTROL_CHANNEL, /* pool, channel, change; number: the weight */
	CONTROL_CLI,     /* rest: what follows the word */
};

enum channel_change { CHANGE_ENABLE, CHANGE_DISABLE, CHANGE_DRAIN, CHANGE_WEIGHT };

enum { CONTROL_TOP_USUAL = 10, CONTROL_REASON = 160 };

struct control_line {
	enum control_verb verb;
	struct word pool;
	struct addr channel;
	enum channel_change change;
	uint32_t number;
	const char *rest; /* into the line */
};

/* Reads n bytes, the end of the line not among them. The words point into it. False when it is no command, with the reason. */
bool control_line_parse(struct control_line *, const char *line, size_t n, char reason[CONTROL_REASON]);

/* The word for a change. */
const char *control_change_name(enum channel_change);

#endif
