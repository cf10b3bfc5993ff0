// SPDX-License-Identifier: Apache-2.0
/* http_out: writing heads into a buffer of fixed size. */
#include "http.h"

#include <string.h>

void out_bytes(struct out *o, const char *s, size_t n)
{
	if (o->full || n > BUF_SIZE - o->buf->w) {
		o->full = true;
		return;
	}
	if (n == 0) /* s may be NULL: an absent text */
		return;
	memcpy(o->buf->data + o->buf->w, s, n);
	o->buf->w += (uint32_t)n;
}

void out_number(struct out *o, uint64_t v)
{
	char digits[20];
	size_t i = sizeof digits;
	do
		digits[--i] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	out_bytes(o, digits + i, sizeof digits - i);
}

void out_fields(struct out *o, const struct head *h, const bool *skip, const char *end)
{
	const char *run = NULL; /* start of lines that are kept */
	for (uint32_t i = 0; i < h->n; i++) {
		const char *line = h->fields[i].name.at;
		if (!skip[i] && run == NULL) {
			run = line;
		} else if (skip[i] && run != NULL) {
			out_bytes(o, run, (size_t)(line - run));
			run = NULL;
		}
	}
	if (run != NULL)
		out_bytes(o, run, (size_t)(end - run));
}
