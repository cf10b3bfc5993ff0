// SPDX-License-Identifier: Apache-2.0
/* A ClientHello for tests, with the server name in the first extension and another one behind it. */
#ifndef HELLO_BUILD_H
#define HELLO_BUILD_H

#include <stddef.h>
#include <string.h>

enum {
	HELLO_SESSION_AT = 5 + 4 + 2 + 32,            /* length of the session id */
	HELLO_EXTENSIONS_AT = HELLO_SESSION_AT + 1 + 0 + 2 + 4 + 1 + 1, /* length of the extensions */
	HELLO_NAME_AT = HELLO_EXTENSIONS_AT + 2 + 9,  /* first byte of the name */
};

struct hello_bytes {
	unsigned char at[16384];
	size_t n;
};

static inline void hello_put(struct hello_bytes *b, size_t bytes, size_t value)
{
	while (bytes-- > 0)
		b->at[b->n++] = (unsigned char)(value >> 8 * bytes);
}

/* Makes the lengths of record and message right. */
static inline void hello_lengths(struct hello_bytes *b)
{
	const size_t n = b->n;
	b->n = 3;
	hello_put(b, 2, n - 5);
	b->n = 6;
	hello_put(b, 3, n - 9);
	b->n = n;
}

static inline void hello_put_name(struct hello_bytes *b, const char *name)
{
	const size_t n = strlen(name);
	hello_put(b, 2, 0);
	hello_put(b, 2, n + 5);
	hello_put(b, 2, n + 3);
	hello_put(b, 1, 0);
	hello_put(b, 2, n);
	memcpy(b->at + b->n, name, n);
	b->n += n;
}

/* The same message in records of `piece` bytes. */
static inline void hello_cut(struct hello_bytes *b, size_t piece)
{
	static struct hello_bytes whole;
	whole = *b;
	b->n = 0;
	for (size_t at = 5; at < whole.n; at += piece) {
		const size_t n = whole.n - at < piece ? whole.n - at : piece;
		hello_put(b, 1, 22);
		hello_put(b, 2, 0x0301);
		hello_put(b, 2, n);
		memcpy(b->at + b->n, whole.at + at, n);
		b->n += n;
	}
}

static inline void hello_build_twice(struct hello_bytes *b, const char *name, const char *again)
{
	b->n = 0;
	hello_put(b, 1, 22);
	hello_put(b, 2, 0x0301);
	hello_put(b, 2, 0);
	hello_put(b, 1, 1);
	hello_put(b, 3, 0);
	hello_put(b, 2, 0x0303);
	memset(b->at + b->n, 'r', 32);
	b->n += 32;
	hello_put(b, 1, 0);
	hello_put(b, 2, 4);
	hello_put(b, 4, 0x13011302);
	hello_put(b, 2, 0x0100);
	hello_put(b, 2, 0);
	if (name != NULL)
		hello_put_name(b, name);
	if (again != NULL)
		hello_put_name(b, again);
	hello_put(b, 2, 43); /* supported_versions */
	hello_put(b, 2, 3);
	hello_put(b, 3, 0x020304);
	const size_t n = b->n;
	b->n = HELLO_EXTENSIONS_AT;
	hello_put(b, 2, n - HELLO_EXTENSIONS_AT - 2);
	b->n = n;
	hello_lengths(b);
}

/* piece: in records of so many bytes; 0: in one. name NULL: without one. */
static inline void hello_build(struct hello_bytes *b, const char *name, size_t piece)
{
	hello_build_twice(b, name, NULL);
	if (piece > 0)
		hello_cut(b, piece);
}

#endif
