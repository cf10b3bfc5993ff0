// SPDX-License-Identifier: Apache-2.0
/* stream: lines on their way to one reader, in bounded memory. Who reads too slowly loses lines and is told how many. */
#ifndef BALANCE_STREAM_H
#define BALANCE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STREAM_MAX = 1 << 16 };

struct stream {
	char *bytes; /* STREAM_MAX */
	size_t sent, n;
	uint64_t lost; /* lines since the last one that was kept */
};

/* False when memory ran out. */
bool stream_open(struct stream *);
void stream_close(struct stream *);

/* Takes a whole line, its end included, or counts it as lost. A loss is told by a line of its own, before the next line that fits. */
void stream_put(struct stream *, const char *line, size_t n);

/* What is to be written next; *n 0: nothing. */
const char *stream_next(const struct stream *, size_t *n);

/* So much of it was written. */
void stream_wrote(struct stream *, size_t n);

#endif
