// SPDX-License-Identifier: Apache-2.0
/* The ClientHello: the first byte says in what pieces it comes, the rest is what a client sends. */
#include "client_hello.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int what)
{
	if (!what)
		abort();
}

/* In memory of exactly its size, so that one byte too far is seen. */
static enum hello_result feed(struct client_hello *h, const uint8_t *data, size_t size, size_t piece)
{
	enum hello_result r = HELLO_MORE;
	memset(h, 0, sizeof *h);
	for (size_t i = 0; i < size && r == HELLO_MORE; i += piece) {
		const size_t n = size - i < piece ? size - i : piece;
		unsigned char *part = malloc(n);
		if (part == NULL)
			return r;
		memcpy(part, data + i, n);
		r = client_hello_feed(h, part, n);
		free(part);
	}
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_hello h, again;
	if (size < 2)
		return 0;
	const size_t piece = 1 + data[0];
	const enum hello_result r = feed(&h, data + 1, size - 1, size - 1);
	check(feed(&again, data + 1, size - 1, piece) == r);
	check(h.name_len == again.name_len && memcmp(h.name, again.name, h.name_len) == 0);
	check(r != HELLO_OK || (h.done && h.body == 0 && memchr(h.name, '\0', h.name_len) == NULL));
	return 0;
}
