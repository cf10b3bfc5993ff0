// SPDX-License-Identifier: Apache-2.0
/* stream: lines on their way to one reader, in bounded memory. */
#include "stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool stream_open(struct stream *s)
{
	*s = (struct stream){.bytes = malloc(STREAM_MAX)};
	return s->bytes != NULL;
}

void stream_close(struct stream *s)
{
	free(s->bytes);
	*s = (struct stream){0};
}

static void append(struct stream *s, const char *line, size_t n)
{
	memcpy(s->bytes + s->n, line, n);
	s->n += n;
}

/* The bytes that have been written make room only when the end is reached: each byte is moved at most once per buffer. */
static size_t make_room(struct stream *s, size_t wanted)
{
	if (STREAM_MAX - s->n < wanted && s->sent > 0) {
		memmove(s->bytes, s->bytes + s->sent, s->n - s->sent);
		s->n -= s->sent;
		s->sent = 0;
	}
	return STREAM_MAX - s->n;
}

void stream_put(struct stream *s, const char *line, size_t n)
{
	char notice[64];
	int length = 0;
	if (s->lost > 0)
		length = snprintf(notice, sizeof notice, "{\"event\":\"lost\",\"n\":%" PRIu64 "}\n", s->lost);
	if (make_room(s, (size_t)length + n) < (size_t)length + n) {
		s->lost++;
		return;
	}
	append(s, notice, (size_t)length);
	append(s, line, n);
	s->lost = 0;
}

const char *stream_next(const struct stream *s, size_t *n)
{
	*n = s->n - s->sent;
	return s->bytes + s->sent;
}

void stream_wrote(struct stream *s, size_t n)
{
	s->sent += n;
	if (s->sent == s->n)
		s->sent = s->n = 0;
}
