// SPDX-License-Identifier: Apache-2.0
/* dump: every byte relayed, readable, on standard output (`-p`). */
#ifndef BALANCE_DUMP_H
#define BALANCE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Set once, before the first worker is forked. */
extern bool dump_on;

/* n bytes on their way: to the channel, or to the client. connection: any number that tells connections apart. */
void dump_bytes(unsigned connection, bool to_channel, const uint8_t *, size_t n);

/* The text for one line of up to 16 bytes at an offset; returns its length. Room for DUMP_LINE bytes is enough. */
enum { DUMP_ROW = 16, DUMP_LINE = 128 };
size_t dump_line(char out[DUMP_LINE], unsigned connection, bool to_channel, size_t offset, const uint8_t *, size_t n);

#endif
