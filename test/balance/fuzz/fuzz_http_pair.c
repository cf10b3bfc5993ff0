// SPDX-License-Identifier: Apache-2.0
/* Both sides of the HTTP lane under a script: each byte is one happening (low four bits) and a size or choice (high four). Texts come from
 * small tables, so that most of what is said is HTTP and the order of things is what varies; one happening takes its bytes raw. */
#include "http_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct oracle x;

static const char *const client_says[16] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /q HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    "PUT /q HTTP/1.1\r\nHost: x.b\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nabcde\r\n",
    "0\r\n\r\n",
    "0\r\nT: x\r\n\r\n",
    "abcde",
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: ws\r\nConnection: upgrade\r\n\r\n",
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "DELETE / HTTP/1.1\r\nHost: x.b\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n",
    "GET http://r/x?y HTTP/1.1\r\nHost: r\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: x.b\r\nContent-Length: 31\r\n\r\n",
    "\r\n",
};

static const char *const pod_says[16] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\n",
    "5\r\nabcde\r\n",
    "0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: ws\r\nConnection: upgrade\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "abcdefghij",
    "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    "nonsense\r\n\r\n",
    "HTTP/1.1 500 No\r\nContent-Length: 3\r\nKeep-Alive: x\r\n\r\nno.",
};

static char block[20000];

static void fail_to_connect(unsigned n)
{
	if (!x.o.connecting)
		return;
	x.o.connecting = false;
	core_unreachable(&x.o.core, (enum core_failure)(n % 3));
	owner_obey(&x.o);
}

static void pass(enum side from, unsigned n)
{
	if (from == CLIENT || !owner_may(&x.o, from) || !owner_may(&x.o, other(from)))
		return; /* what the client passes unseen the other parser can't compare */
	size_t most = core_pass_limit(&x.o.core, from);
	if (most == 0 || x.o.core.http->state != AT_TUNNEL)
		return;
	OWNER_CHECK(core_pending(&x.o.core, other(from)).iov_len == 0);
	core_passed(&x.o.core, from, n < most ? n : most);
	owner_obey(&x.o);
}

static size_t act(const uint8_t *data, size_t size)
{
	const unsigned n = data[0] >> 4;
	size_t used = 1;
	switch (data[0] & 15) {
	case 0:
		oracle_client_sends(&x, client_says[n], strlen(client_says[n]));
		break;
	case 1: /* the first part of it */
		oracle_client_sends(&x, client_says[n], 1 + strlen(client_says[n]) / 2);
		break;
	case 2:
		owner_feed(&x.o, POD, pod_says[n], strlen(pod_says[n]));
		break;
	case 3:
		owner_feed(&x.o, POD, pod_says[n], 1 + strlen(pod_says[n]) / 2);
		break;
	case 4:
	case 5: /* raw */
		used += n < size - 1 ? n : size - 1;
		if ((data[0] & 15) == 4)
			oracle_client_sends(&x, (const char *)data + 1, used - 1);
		else
			owner_feed(&x.o, POD, (const char *)data + 1, used - 1);
		break;
	case 6:
		owner_drain(&x.o, POD, n == 15 ? SIZE_MAX : 1 + n * n * n);
		break;
	case 7:
		owner_drain(&x.o, CLIENT, n == 15 ? SIZE_MAX : 1 + n * n * n);
		break;
	case 8:
		owner_connect(&x.o);
		break;
	case 9:
		fail_to_connect(n);
		break;
	case 10:
		owner_eof(&x.o, POD);
		break;
	case 11:
		if (n < 8)
			owner_break(&x.o, POD);
		else if (n < 11)
			owner_eof(&x.o, CLIENT);
		else if (n < 13)
			owner_break(&x.o, CLIENT);
		else if (!x.o.closed)
			core_client_gone(&x.o.core, false), owner_obey(&x.o);
		break;
	case 12:
		owner_wait(&x.o, n * 2000);
		break;
	case 13:
		oracle_client_sends(&x, block, sizeof block / (1 + n));
		break;
	case 14:
		if (x.o.got[CLIENT].n + sizeof block < OWNER_ROOM / 2)
			owner_feed(&x.o, POD, block, sizeof block / (1 + n));
		pass(n % 2 ? CLIENT : POD, n);
		break;
	default:
		owner_settle(&x.o);
	}
	oracle_look(&x);
	return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (block[0] == 0)
		for (size_t i = 0; i < sizeof block; i++)
			block[i] = "GET /in HTTP/1.1\r\nHost: a\r\n\r\n"[i % 30];
	oracle_begin(&x);
	for (size_t i = 0; i < size && i < 600 && x.sent_n < OWNER_ROOM / 4 && !x.o.closed;)
		i += act(data + i, size - i);
	oracle_end(&x);
	return 0;
}
