// SPDX-License-Identifier: Apache-2.0
/* The response side of the HTTP lane: a few fixed requests, any bytes from the pod. The client gets one well-formed response per
 * request, and no pod's connection is used again that has said more than it was asked. */
#include "http_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct oracle x;
static size_t taken; /* of the pod's bytes */

static const char *const requests[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	const char *request = requests[data[0] % (sizeof requests / sizeof *requests)];
	const size_t pieces = data[1] % 8 == 0 ? SIZE_MAX : 1 + data[1] / 8;
	size_t sent = 0;
	taken = 2;
	oracle_begin(&x);
	for (bool moved = true; moved && !x.o.closed;) {
		size_t n = oracle_client_sends(&x, request + sent, strlen(request) - sent);
		sent += n;
		moved = n > 0 || x.o.connecting;
		owner_connect(&x.o);
		moved |= owner_drain(&x.o, POD, SIZE_MAX) > 0;
		oracle_look(&x);
		if (x.o.connected) {
			n = owner_feed(&x.o, POD, (const char *)data + taken, pieces < size - taken ? pieces : size - taken);
			taken += n;
			moved |= n > 0;
		}
		moved |= owner_drain(&x.o, CLIENT, pieces) > 0;
		oracle_look(&x);
	}
	owner_eof(&x.o, POD);
	while (owner_drain(&x.o, CLIENT, pieces) > 0)
		;
	oracle_end(&x);
	return 0;
}
