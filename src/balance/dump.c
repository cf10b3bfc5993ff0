// SPDX-License-Identifier: Apache-2.0
/* dump: every byte relayed, readable, on standard output. */
#include "dump.h"

#include <stdio.h>

bool dump_on;

size_t dump_line(char out[DUMP_LINE], unsigned connection, bool to_channel, size_t offset, const uint8_t *p, size_t n)
{
	int at = snprintf(out, DUMP_LINE, "%u %c %06zx ", connection, to_channel ? '>' : '<', offset & 0xffffff);
	for (size_t i = 0; i < DUMP_ROW; i++)
		at += i < n ? snprintf(out + at, DUMP_LINE - (size_t)at, " %02x", p[i]) : snprintf(out + at, DUMP_LINE - (size_t)at, "   ");
	out[at++] = ' ';
	out[at++] = ' ';
	for (size_t i = 0; i < n; i++)
		out[at++] = p[i] >= 0x20 && p[i] < 0x7f ? (char)p[i] : '.';
	out[at++] = '\n';
	return (size_t)at;
}

void dump_bytes(unsigned connection, bool to_channel, const uint8_t *p, size_t n)
{
	char line[DUMP_LINE];
	for (size_t i = 0; i < n; i += DUMP_ROW) {
		const size_t row = n - i < DUMP_ROW ? n - i : DUMP_ROW;
		fwrite(line, 1, dump_line(line, connection, to_channel, i, p + i, row), stdout);
	}
	fflush(stdout); /* workers write to the same place: whole reads in one go */
}
