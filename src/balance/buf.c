// SPDX-License-Identifier: Apache-2.0
/* buf: fixed-size buffers, handed out hottest first. */
#include "buf.h"

#include <stdlib.h>

/* More idle buffers than this go back to the allocator: 8 MB per worker. */
enum { KEEP = 256 };

struct buf *buf_get(struct buf_cache *c)
{
	struct buf *b = c->free;
	if (b != NULL) {
		c->free = b->next;
		c->n--;
	} else {
		b = malloc(sizeof *b);
		if (b == NULL)
			return NULL;
	}
	b->next = NULL;
	b->r = b->w = 0;
	return b;
}

void buf_put(struct buf_cache *c, struct buf *b)
{
	if (c->n >= KEEP) {
		free(b);
		return;
	}
	b->next = c->free;
	c->free = b;
	c->n++;
}

void buf_drop_all(struct buf_cache *c)
{
	while (c->free != NULL) {
		struct buf *next = c->free->next;
		free(c->free);
		c->free = next;
	}
	c->n = 0;
}
