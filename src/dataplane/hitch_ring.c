/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hitch_ring: stands in for Hitch's ringbuffer.c, behind the same header.
 *
 * Upstream gives each connection six buffers of 32 KiB for life, and goes round in them, so that an idle connection keeps a page or more of each.
 * Here a buffer belongs to a ring only while it holds bytes. The one that was used last is the next one used, by whatever connection: it is
 * still in the cache.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ringbuffer.h>

enum {
	SPARE = 64,       /* buffers kept for the next ones */
	COPY = 16 * 1024, /* up to so many bytes a copy costs less than a system call */
};

static struct {
	char *at[SPARE];
	size_t n;
	int len; /* of all of them: there is no setting for it */
} spare;

/* Hitch has no answer to memory running out, upstream's neither. */
static void *need(void *p)
{
	if (p == NULL) {
		fputs("hitch: out of memory\n", stderr);
		abort();
	}
	return p;
}

static void give_back(char *data)
{
	if (spare.n < SPARE)
		spare.at[spare.n++] = data;
	else
		free(data);
}

void ringbuffer_init(ringbuffer *rb, int num_slots, int data_len)
{
	*rb = (ringbuffer){
		.num_slots = num_slots > 0 ? num_slots : DEF_RING_SLOTS,
		.data_len = data_len > 0 ? data_len : DEF_RING_DATA_LEN,
	};
	spare.len = rb->data_len;
	rb->slots = need(calloc((size_t)rb->num_slots, sizeof *rb->slots));
	for (int i = 0; i < rb->num_slots; i++)
		rb->slots[i].next = &rb->slots[(i + 1) % rb->num_slots];
	rb->head = rb->tail = &rb->slots[0];
}

void ringbuffer_cleanup(ringbuffer *rb)
{
	for (int i = 0; i < rb->num_slots; i++)
		if (rb->slots[i].data != NULL)
			give_back(rb->slots[i].data);
	free(rb->slots);
}

char *ringbuffer_read_next(ringbuffer *rb, int *length)
{
	*length = (int)rb->head->left;
	return rb->head->ptr;
}

void ringbuffer_read_skip(ringbuffer *rb, int length)
{
	rb->head->ptr += length;
	rb->head->left -= (size_t)length;
}

void ringbuffer_read_pop(ringbuffer *rb)
{
	give_back(rb->head->data);
	rb->head->data = NULL;
	rb->head = rb->head->next;
	rb->used--;
}

/* The spare one on top, and it stays there until something has been written: a read that finds nothing costs no buffer. */
char *ringbuffer_write_ptr(ringbuffer *rb)
{
	(void)rb;
	if (spare.n == 0)
		spare.at[spare.n++] = need(malloc((size_t)spare.len));
	return spare.at[spare.n - 1];
}

/* What waits already, and the new bytes behind it: one write for both later. OpenSSL allows a write that is tried again to have become
 * longer (SSL_write(3)). */
static bool append_to_last(ringbuffer *rb, const char *bytes, size_t n)
{
	bufent *last = rb->slots;
	while (last->next != rb->tail)
		last = last->next;
	const size_t filled = (size_t)(last->ptr - last->data) + last->left;
	if (rb->used == 0 || n > COPY || (size_t)rb->data_len - filled < n)
		return false;
	memcpy(last->data + filled, bytes, n);
	last->left += n;
	return true;
}

void ringbuffer_write_append(ringbuffer *rb, int length)
{
	bufent *tail = rb->tail;
	rb->bytes_written += (size_t)length;
	if (append_to_last(rb, spare.at[spare.n - 1], (size_t)length))
		return;
	tail->data = spare.at[--spare.n];
	tail->ptr = tail->data;
	tail->left = (size_t)length;
	rb->tail = tail->next;
	rb->used++;
}

int ringbuffer_size(ringbuffer *rb)
{
	return rb->used;
}

int ringbuffer_capacity(ringbuffer *rb)
{
	return rb->num_slots;
}

int ringbuffer_is_empty(ringbuffer *rb)
{
	return rb->used == 0;
}

int ringbuffer_is_full(ringbuffer *rb)
{
	return rb->used == rb->num_slots;
}
