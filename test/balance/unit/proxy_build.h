// SPDX-License-Identifier: Apache-2.0
/* Builds PROXY v2 headers, right and wrong ones. */
#ifndef PROXY_BUILD_H
#define PROXY_BUILD_H

#include <stdint.h>
#include <string.h>

struct header {
	unsigned char at[20000];
	size_t n;
};

/* Appends bytes (zeros when NULL) and keeps the length field right. */
static inline void header_add(struct header *h, const void *bytes, size_t n)
{
	if (bytes != NULL)
		memcpy(h->at + h->n, bytes, n);
	else
		memset(h->at + h->n, 0, n);
	h->n += n;
	h->at[14] = (unsigned char)((h->n - 16) >> 8);
	h->at[15] = (unsigned char)(h->n - 16);
}

static inline void header_start(struct header *h, unsigned char command, unsigned char family)
{
	memcpy(h->at, "\r\n\r\n\0\r\nQUIT\n", 12);
	h->at[12] = command;
	h->at[13] = family;
	h->n = 16;
	header_add(h, NULL, 0);
}

static inline void header_tlv(struct header *h, unsigned char type, const void *value, size_t n)
{
	const unsigned char head[3] = {type, (unsigned char)(n >> 8), (unsigned char)n};
	header_add(h, head, sizeof head);
	header_add(h, value, n);
}

/* PROXY, TCP over IPv4, 1.2.3.4:258 → 5.6.7.8:772. */
static inline void header_v4(struct header *h)
{
	header_start(h, 0x21, 0x11);
	header_add(h, "\1\2\3\4\5\6\7\10\1\2\3\4", 12);
}

static inline void header_v6(struct header *h)
{
	unsigned char body[36];
	for (unsigned i = 0; i < 32; i++)
		body[i] = (unsigned char)(i + 1);
	memcpy(body + 32, "\1\2\3\4", 4);
	header_start(h, 0x21, 0x21);
	header_add(h, body, sizeof body);
}

/* CRC-32C by its definition: polynomial division, most significant bit first, on reflected input. */
static inline uint32_t reference_crc32c(const unsigned char *p, size_t n)
{
	uint32_t r = 0xffffffffu, out = 0;
	for (size_t i = 0; i < n; i++) {
		for (int bit = 0; bit < 8; bit++) {
			uint32_t in = (uint32_t)(p[i] >> bit & 1);
			uint32_t top = r >> 31;
			r = r << 1 ^ ((top ^ in) ? 0x1edc6f41u : 0);
		}
	}
	r = ~r;
	for (int bit = 0; bit < 32; bit++)
		out |= (r >> bit & 1) << (31 - bit);
	return out;
}

static inline void header_crc(struct header *h, size_t field)
{
	memset(h->at + field, 0, 4);
	uint32_t crc = reference_crc32c(h->at, h->n);
	for (int i = 0; i < 4; i++)
		h->at[field + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
}

#endif
