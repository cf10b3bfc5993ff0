// SPDX-License-Identifier: Apache-2.0
/* addr: socket addresses as text and back. */
#include "addr.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool addr_port(const char *s, size_t n, unsigned *port)
{
	unsigned v = 0;
	if (n == 0 || n > 5 || s[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (unsigned)(s[i] - '0');
	}
	*port = v;
	return v <= 65535;
}

bool addr_parse(struct addr *a, const char *s, size_t n)
{
	char host[INET6_ADDRSTRLEN];
	const bool v6 = n > 0 && s[0] == '[';
	const char *end = v6 ? memchr(s, ']', n) : memchr(s, ':', n);
	unsigned port;
	if (end == NULL)
		return false;
	const char *begin = s + v6;
	const char *colon = end + v6;
	size_t len = (size_t)(end - begin);
	if (len >= sizeof host || colon >= s + n || *colon != ':')
		return false;
	if (!addr_port(colon + 1, (size_t)(s + n - colon - 1), &port))
		return false;
	memcpy(host, begin, len);
	host[len] = '\0';
	memset(a, 0, sizeof *a);
	if (v6) {
		a->len = sizeof a->in6;
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1;
	}
	a->len = sizeof a->in;
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, host, &a->in.sin_addr) == 1;
}

static char *put_number(char *at, unsigned v)
{
	char digits[10];
	size_t n = 0;
	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	while (n > 0)
		*at++ = digits[--n];
	return at;
}

/* By hand, because every request writes one, and a reload every address of a cluster. */
static char *put_v4(char *at, const struct in_addr *in)
{
	const unsigned char *bytes = (const unsigned char *)in;
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*at++ = '.';
		at = put_number(at, bytes[i]);
	}
	*at = '\0';
	return at;
}

void addr_format(const struct addr *a, char text[ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "";
	if (a->len == 0) {
		memcpy(text, "-", 2);
	} else if (a->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, host, sizeof host);
		snprintf(text, ADDR_TEXT, "[%s]:%u", host, (unsigned)ntohs(a->in6.sin6_port));
	} else {
		char *at = put_v4(text, &a->in.sin_addr);
		*at++ = ':';
		*put_number(at, ntohs(a->in.sin_port)) = '\0';
	}
}

void addr_format_host(const struct addr *a, char text[ADDR_TEXT])
{
	memcpy(text, "-", 2);
	if (a->len != 0 && a->sa.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, ADDR_TEXT);
	else if (a->len != 0)
		put_v4(text, &a->in.sin_addr);
}

void addr_unmap(struct addr *a)
{
	if (a->len == 0 || a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = a->in6.sin6_port};
	memcpy(&in.sin_addr, &a->in6.sin6_addr.s6_addr[12], 4);
	memset(a, 0, sizeof *a);
	a->in = in;
	a->len = sizeof in;
}

unsigned long long addr_hash(const struct addr *a)
{
	uint64_t h = 0xcbf29ce484222325u;
	const unsigned char *p = NULL;
	size_t n = 0;
	if (a->len != 0 && a->sa.sa_family == AF_INET) {
		p = (const unsigned char *)&a->in.sin_addr;
		n = 4;
	} else if (a->len != 0 && a->sa.sa_family == AF_INET6) {
		p = a->in6.sin6_addr.s6_addr;
		n = 16;
	}
	while (n-- > 0)
		h = (h ^ *p++) * 0x100000001b3u;
	/* FNV leaves its high bits weak for short inputs; one more mix spreads neighbours. */
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	return h ^ (h >> 33);
}

bool addr_unix(struct sockaddr_un *un, const char *path)
{
	size_t n = strlen(path);
	if (n == 0 || n >= sizeof un->sun_path)
		return false;
	memset(un, 0, sizeof *un);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n);
	return true;
}
