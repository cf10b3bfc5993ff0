// SPDX-License-Identifier: Apache-2.0
/* buf: fixed-size buffers, handed out hottest first. */
#ifndef BALANCE_BUF_H
#define BALANCE_BUF_H

#include <stddef.h>
#include <stdint.h>

enum { BUF_SIZE = 32768 - 16 };

struct buf {
	struct buf *next;
	uint32_t r, w; /* data[r .. w) is filled */
	unsigned char data[BUF_SIZE];
};

/* Idle buffers kept for reuse; last in, first out, so that a busy worker runs in a few warm ones. */
struct buf_cache {
	struct buf *free;
	size_t n;
};

/* An empty buffer, or NULL when memory ran out. */
struct buf *buf_get(struct buf_cache *);
void buf_put(struct buf_cache *, struct buf *);
void buf_drop_all(struct buf_cache *);

#endif
