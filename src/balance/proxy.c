// SPDX-License-Identifier: Apache-2.0
/* proxy: the PROXY protocol header, versions 1 and 2 (haproxy.org, "The PROXY protocol", 2.1, 2.2). */
#include "proxy.h"

#include "words.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";
static const unsigned char v1_signature[6] = "PROXY ";

enum { V1_MAX = 107, V2_FIXED = 16 };

enum {
	TLV_ALPN = 0x01,
	TLV_AUTHORITY = 0x02,
	TLV_CRC32C = 0x03,
	TLV_SSL = 0x20,
	TLV_HITCH_CERT = 0xe0, /* private use range; see Hitch's proxy-client-cert */
	SSL_CLIENT_SSL = 0x01,
	SSL_CLIENT_CERT_CONN = 0x02,
	SSL_CLIENT_CERT_SESS = 0x04,
};

static bool next_field(const char **at, const char *end, struct word *out)
{
	const char *begin = *at;
	const char *space = memchr(begin, ' ', (size_t)(end - begin));
	const char *stop = space == NULL ? end : space;
	out->at = begin;
	out->len = (size_t)(stop - begin);
	*at = space == NULL ? end : space + 1;
	return out->len > 0;
}

static bool v1_address(struct addr *a, bool v6, struct word host, struct word port)
{
	char text[INET6_ADDRSTRLEN];
	unsigned number = 0;
	/* Port 0 is legal here: it says what the peer's socket said. */
	if (!(port.len == 1 && port.at[0] == '0') && !addr_port(port.at, port.len, &number))
		return false;
	if (host.len >= sizeof text)
		return false;
	memcpy(text, host.at, host.len);
	text[host.len] = '\0';
	if (strlen(text) != host.len)
		return false; /* a NUL would hide what follows it */
	memset(a, 0, sizeof *a);
	if (v6) {
		a->len = sizeof a->in6;
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)number);
		return inet_pton(AF_INET6, text, &a->in6.sin6_addr) == 1;
	}
	a->len = sizeof a->in;
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)number);
	return inet_pton(AF_INET, text, &a->in.sin_addr) == 1;
}

/* §2.1: "PROXY" SP ("TCP4" | "TCP6") SP source SP destination SP port SP port CRLF, or "PROXY UNKNOWN" … CRLF. */
static bool v1_line(const char *at, const char *end, struct facts *f)
{
	struct word family, src, dst, src_port, dst_port;
	if (!next_field(&at, end, &family))
		return false;
	if (word_is(family, "UNKNOWN"))
		return true;
	const bool v6 = word_is(family, "TCP6");
	if (!v6 && !word_is(family, "TCP4"))
		return false;
	return next_field(&at, end, &src) && next_field(&at, end, &dst) && next_field(&at, end, &src_port) &&
	       next_field(&at, end, &dst_port) && at == end && end[-1] != ' ' &&
	       v1_address(&f->client, v6, src, src_port) && v1_address(&f->local, v6, dst, dst_port);
}

static enum proxy_result v1_parse(const unsigned char *p, size_t n, struct facts *f, size_t *used)
{
	size_t limit = n < V1_MAX ? n : V1_MAX;
	const unsigned char *lf = memchr(p, '\n', limit);
	if (lf == NULL)
		return n < V1_MAX ? PROXY_MORE : PROXY_BAD;
	const char *line = (const char *)p;
	const char *end = (const char *)lf - 1;
	if (*end != '\r' || end < line + sizeof v1_signature || !v1_line(line + sizeof v1_signature, end, f))
		return PROXY_BAD;
	*used = (size_t)(lf + 1 - p);
	return PROXY_OK;
}

static uint16_t get16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* CRC-32C (RFC 4960, appendix B) over n bytes, continuing from crc. */
static uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t n)
{
	crc = ~crc;
	while (n-- > 0) {
		crc ^= *p++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0x82f63b78u & (0u - (crc & 1)));
	}
	return ~crc;
}

/* §2.2.4: the checksum covers the whole header with its own field as zeros. */
static bool crc_matches(const unsigned char *head, size_t n, const unsigned char *field)
{
	static const unsigned char zeros[4];
	uint32_t crc = crc32c(0, head, (size_t)(field - head));
	crc = crc32c(crc, zeros, sizeof zeros);
	crc = crc32c(crc, field + 4, n - (size_t)(field + 4 - head));
	return crc == get32(field);
}

static bool ssl_facts(const unsigned char *p, size_t n, struct facts *f)
{
	if (n < 5)
		return false;
	f->tls = (p[0] & SSL_CLIENT_SSL) != 0;
	f->client_cert = (p[0] & (SSL_CLIENT_CERT_CONN | SSL_CLIENT_CERT_SESS)) != 0;
	f->client_verified = f->client_cert && get32(p + 1) == 0;
	for (p += 5, n -= 5; n > 0;) { /* sub-TLVs: only their shape matters so far */
		if (n < 3 || n - 3 < get16(p + 1))
			return false;
		size_t step = 3u + get16(p + 1);
		p += step;
		n -= step;
	}
	return true;
}

static bool take_tlv(const unsigned char *head, size_t size, unsigned type, const unsigned char *value, uint16_t n,
                     struct facts *f)
{
	switch (type) {
	case TLV_ALPN:
		f->alpn = (const char *)value;
		f->alpn_len = n;
		return true;
	case TLV_AUTHORITY:
		f->sni = (const char *)value;
		f->sni_len = n;
		return n <= 255;
	case TLV_HITCH_CERT:
		f->cert = (const char *)value;
		f->cert_len = n;
		return true;
	case TLV_CRC32C:
		return n == 4 && crc_matches(head, size, value);
	case TLV_SSL:
		f->ssl = (const char *)value;
		f->ssl_len = n;
		return ssl_facts(value, n, f);
	default:
		return true;
	}
}

static size_t v2_addresses(unsigned family, const unsigned char *p, size_t n, struct facts *f, bool *ok)
{
	*ok = true;
	switch (family) {
	case 0x00: /* UNSPEC */
		return 0;
	case 0x11: /* TCP over IPv4 */
		if (n < 12)
			break;
		f->client.len = f->local.len = sizeof f->client.in;
		f->client.in.sin_family = f->local.in.sin_family = AF_INET;
		memcpy(&f->client.in.sin_addr, p, 4);
		memcpy(&f->local.in.sin_addr, p + 4, 4);
		memcpy(&f->client.in.sin_port, p + 8, 2);
		memcpy(&f->local.in.sin_port, p + 10, 2);
		return 12;
	case 0x21: /* TCP over IPv6 */
		if (n < 36)
			break;
		f->client.len = f->local.len = sizeof f->client.in6;
		f->client.in6.sin6_family = f->local.in6.sin6_family = AF_INET6;
		memcpy(&f->client.in6.sin6_addr, p, 16);
		memcpy(&f->local.in6.sin6_addr, p + 16, 16);
		memcpy(&f->client.in6.sin6_port, p + 32, 2);
		memcpy(&f->local.in6.sin6_port, p + 34, 2);
		return 36;
	case 0x31: /* Unix stream: two paths that mean nothing here */
		if (n < 216)
			break;
		return 216;
	default: /* datagrams, and what is not defined */
		break;
	}
	*ok = false;
	return 0;
}

static bool v2_body(const unsigned char *head, size_t size, struct facts *f)
{
	const unsigned char *p = head + V2_FIXED;
	size_t n = size - V2_FIXED;
	bool ok;
	size_t step = v2_addresses(head[13], p, n, f, &ok);
	if (!ok)
		return false;
	for (p += step, n -= step; n > 0; p += step, n -= step) {
		if (n < 3 || n - 3 < get16(p + 1))
			return false;
		step = 3u + get16(p + 1);
		if (!take_tlv(head, size, p[0], p + 3, get16(p + 1), f))
			return false;
	}
	return true;
}

static enum proxy_result v2_parse(const unsigned char *p, size_t n, struct facts *f, size_t *used)
{
	if (n >= 13 && p[12] != 0x20 && p[12] != 0x21)
		return PROXY_BAD;
	if (n < V2_FIXED)
		return PROXY_MORE;
	size_t size = V2_FIXED + (size_t)get16(p + 14);
	if (size > PROXY_HEADER_MAX)
		return PROXY_BAD;
	if (n < size)
		return PROXY_MORE;
	/* LOCAL (0x20) is the sender speaking for itself: its addresses are to be ignored. */
	if (p[12] == 0x21 && !v2_body(p, size, f))
		return PROXY_BAD;
	*used = size;
	return PROXY_OK;
}

static bool begins(const unsigned char *p, size_t n, const unsigned char *signature, size_t size)
{
	return memcmp(p, signature, n < size ? n : size) == 0;
}

enum proxy_result proxy_parse(enum proxy_mode mode, const unsigned char *p, size_t n, struct facts *f, size_t *used)
{
	memset(f, 0, sizeof *f);
	if ((mode & PROXY_V2) != 0 && begins(p, n, v2_signature, sizeof v2_signature))
		return v2_parse(p, n, f, used);
	if ((mode & PROXY_V1) != 0 && begins(p, n, v1_signature, sizeof v1_signature))
		return v1_parse(p, n, f, used);
	return PROXY_BAD;
}
