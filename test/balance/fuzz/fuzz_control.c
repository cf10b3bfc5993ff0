// SPDX-License-Identifier: Apache-2.0
/* Lines of the control socket: any bytes. What is accepted means the same when it is written down again; what is refused has a reason. */
#include "control_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int what)
{
	if (!what)
		abort();
}

static void check_channel(const struct control_line *a)
{
	static const char *const words[] = {"enable", "disable", "drain", "weight="};
	char text[4096], address[ADDR_TEXT], again[ADDR_TEXT], number[16] = "", reason[CONTROL_REASON];
	struct control_line b;
	check(a->change <= CHANGE_WEIGHT && a->number <= WEIGHT_MAX && a->pool.len > 0);
	if (a->change == CHANGE_WEIGHT)
		snprintf(number, sizeof number, "%u", (unsigned)a->number);
	addr_format(&a->channel, address);
	int n = snprintf(text, sizeof text, "channel %.*s %s %s%s", (int)a->pool.len, a->pool.at, address, words[a->change], number);
	check(n > 0 && (size_t)n < sizeof text && control_line_parse(&b, text, (size_t)n, reason));
	addr_format(&b.channel, again);
	check(strcmp(address, again) == 0 && a->change == b.change && a->number == b.number);
	check(a->pool.len == b.pool.len && memcmp(a->pool.at, b.pool.at, b.pool.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[CONTROL_REASON];
	struct control_line line;
	if (size > 1024)
		return 0;
	/* In a place of its own, so that one byte too far is seen. */
	char *copy = malloc(size + 1);
	check(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	if (!control_line_parse(&line, copy, size, reason)) {
		check(reason[0] != '\0' && strlen(reason) < CONTROL_REASON);
	} else {
		check(memchr(copy, '\0', size) == NULL);
		if (line.verb == CONTROL_CHANNEL)
			check_channel(&line);
		if (line.verb == CONTROL_TOP)
			check(line.number >= 1);
		if (line.verb == CONTROL_CLI)
			check(line.rest == copy + 4);
	}
	free(copy);
	return 0;
}
