// SPDX-License-Identifier: Apache-2.0
/* cidr: sets of address ranges. */
#include "cidr.h"

#include "words.h"

#include <arpa/inet.h>
#include <string.h>

static bool tail_is_zero(const struct cidr *c)
{
	const unsigned width = c->v6 ? 128 : 32;
	for (unsigned i = c->bits; i < width; i++)
		if (c->bytes[i / 8] & 0x80u >> i % 8)
			return false;
	return true;
}

bool cidr_parse(struct cidr *c, const char *s, size_t n)
{
	char text[INET6_ADDRSTRLEN];
	const char *slash = memchr(s, '/', n);
	size_t len = slash == NULL ? n : (size_t)(slash - s);
	uint32_t bits;
	if (len == 0 || len >= sizeof text)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	memset(c, 0, sizeof *c);
	c->v6 = strchr(text, ':') != NULL;
	if (inet_pton(c->v6 ? AF_INET6 : AF_INET, text, c->bytes) != 1)
		return false;
	bits = c->v6 ? 128 : 32;
	if (slash != NULL && !word_number((struct word){slash + 1, n - len - 1}, 0, bits, &bits))
		return false;
	c->bits = (uint8_t)bits;
	return tail_is_zero(c);
}

bool cidr_add(struct arena *a, struct cidr_set *set, const struct cidr *c)
{
	struct cidr *place = arena_push(a, &set->at, &set->n, &set->cap, sizeof *place);
	if (place == NULL)
		return false;
	*place = *c;
	return true;
}

static bool matches(const struct cidr *c, const uint8_t *bytes)
{
	const unsigned whole = c->bits / 8, rest = c->bits % 8;
	if (memcmp(c->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || (c->bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

bool cidr_contains(const struct cidr_set *set, const struct addr *a)
{
	if (a->len == 0)
		return false;
	const bool v6 = a->sa.sa_family == AF_INET6;
	const uint8_t *bytes = v6 ? a->in6.sin6_addr.s6_addr : (const uint8_t *)&a->in.sin_addr;
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i].v6 == v6 && matches(&set->at[i], bytes))
			return true;
	return false;
}
