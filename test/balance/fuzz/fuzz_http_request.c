// SPDX-License-Identifier: Apache-2.0
/* The request side of the HTTP lane: any bytes from a client, in pieces as the first byte says, and pods that answer every request
 * they understand. What a strict server makes of the bytes that pods get must be what the client asked for. */
#include "http_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct oracle x;

static size_t step(uint32_t *seed)
{
	if (*seed == 0)
		return SIZE_MAX;
	*seed = *seed * 1664525 + 1013904223;
	return 1 + (*seed >> 24) % 64;
}

/* Every complete request gets an answer, of a kind that depends on its number. */
static bool answer(unsigned *answered, uint32_t kind)
{
	static const char *const texts[] = {
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	    "HTTP/1.1 204 No Content\r\n\r\n",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
	    "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	};
	if (!x.o.connected || x.o.begun == 0 || x.pod.n == 0 || x.pod.n != x.pod.ended || *answered == x.o.done + 1)
		return false;
	*answered = x.o.done + 1;
	const unsigned last = x.pod.ended <= MESSAGES ? x.pod.ended - 1 : MESSAGES;
	const bool head = x.pod.at[last].method == HTTP_HEAD;
	const char *text = head ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" : texts[(kind + x.pod.ended) % 4];
	return owner_feed(&x.o, POD, text, strlen(text)) > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	uint32_t seed = data[0] % 16 == 0 ? 0 : data[0];
	unsigned answered = 0;
	size_t at = 1;
	oracle_begin(&x);
	for (bool moved = true; moved && !x.o.closed;) {
		size_t n = step(&seed);
		n = oracle_client_sends(&x, (const char *)data + at, n < size - at ? n : size - at);
		at += n;
		moved = n > 0 || x.o.connecting;
		owner_connect(&x.o);
		moved |= owner_drain(&x.o, POD, step(&seed)) > 0;
		oracle_look(&x);
		moved |= answer(&answered, data[0]);
		moved |= owner_drain(&x.o, CLIENT, step(&seed)) > 0;
		oracle_look(&x);
	}
	if (data[0] & 1)
		owner_eof(&x.o, CLIENT);
	oracle_end(&x);
	return 0;
}
