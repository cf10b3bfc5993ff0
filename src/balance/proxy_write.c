// SPDX-License-Identifier: Apache-2.0
/* proxy_write: the PROXY protocol header, versions 1 and 2, as it goes to a pod (haproxy.org, "The PROXY protocol", 2.1, 2.2). */
#include "proxy_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TLV_ALPN = 0x01, TLV_AUTHORITY = 0x02, TLV_SSL = 0x20, TLV_HEAD = 3 };

static void put16(unsigned char *p, size_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static void keep_tlv(struct origin *o, unsigned char type, const char *value, size_t n)
{
	unsigned char *p = o->tlvs + o->tlvs_n;
	if (n == 0 || TLV_HEAD + n > (size_t)(ORIGIN_TLVS_MAX - o->tlvs_n))
		return;
	p[0] = type;
	put16(p + 1, n);
	memcpy(p + TLV_HEAD, value, n);
	o->tlvs_n += (uint16_t)(TLV_HEAD + n);
}

struct origin *origin_keep(enum send_proxy most, const struct facts *f)
{
	size_t room = 0;
	if (most == SEND_PROXY_V2_SSL)
		room = (size_t)f->sni_len + f->alpn_len + f->ssl_len + 3 * TLV_HEAD;
	struct origin *o = malloc(sizeof *o + (room < ORIGIN_TLVS_MAX ? room : ORIGIN_TLVS_MAX));
	if (o == NULL)
		return NULL;
	o->local = f->local;
	o->tlvs_n = 0;
	addr_unmap(&o->local);
	if (room > 0) {
		keep_tlv(o, TLV_AUTHORITY, f->sni, f->sni_len);
		keep_tlv(o, TLV_ALPN, f->alpn, f->alpn_len);
		keep_tlv(o, TLV_SSL, f->ssl, f->ssl_len);
	}
	return o;
}

static size_t write_v1(const struct addr *client, const struct addr *local, char *to)
{
	char from[ADDR_TEXT], at[ADDR_TEXT];
	if (client->len == 0)
		return (size_t)snprintf(to, PROXY_WRITE_MAX, "PROXY UNKNOWN\r\n");
	const bool v6 = client->sa.sa_family == AF_INET6;
	addr_format_host(client, from);
	addr_format_host(local, at);
	const unsigned from_port = ntohs(v6 ? client->in6.sin6_port : client->in.sin_port);
	const unsigned at_port = ntohs(v6 ? local->in6.sin6_port : local->in.sin_port);
	return (size_t)snprintf(to, PROXY_WRITE_MAX, "PROXY %s %s %s %u %u\r\n", v6 ? "TCP6" : "TCP4", from, at, from_port, at_port);
}

/* §2.2: signature, version and command, family, length; then the addresses, then TLVs. */
static size_t write_v2(const struct addr *client, const struct addr *local, const unsigned char *tlvs, size_t n, unsigned char *to)
{
	static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";
	unsigned char *p = to + 16;
	memcpy(to, signature, sizeof signature);
	if (client->len == 0) {
		/* LOCAL, UNSPEC: nothing is known of whom the connection is for. */
		memcpy(to + 12, "\x20\0\0\0", 4);
		return 16;
	}
	to[12] = 0x21;
	if (client->sa.sa_family == AF_INET6) {
		to[13] = 0x21;
		memcpy(p, &client->in6.sin6_addr, 16);
		memcpy(p + 16, &local->in6.sin6_addr, 16);
		memcpy(p + 32, &client->in6.sin6_port, 2);
		memcpy(p + 34, &local->in6.sin6_port, 2);
		p += 36;
	} else {
		to[13] = 0x11;
		memcpy(p, &client->in.sin_addr, 4);
		memcpy(p + 4, &local->in.sin_addr, 4);
		memcpy(p + 8, &client->in.sin_port, 2);
		memcpy(p + 10, &local->in.sin_port, 2);
		p += 12;
	}
	if (n > 0)
		memcpy(p, tlvs, n);
	p += n;
	put16(to + 14, (size_t)(p - to - 16));
	return (size_t)(p - to);
}

size_t proxy_write(enum send_proxy mode, const struct addr *client, const struct addr *local, const unsigned char *tlvs, size_t n,
                   unsigned char to[PROXY_WRITE_MAX])
{
	/* Both addresses are of one family. One that is missing is the unspecified address with port 0, so that the client's is not lost with it. */
	struct addr unspecified = {.len = client->len};
	if (client->len != 0 && (local->len == 0 || local->sa.sa_family != client->sa.sa_family)) {
		unspecified.sa.sa_family = client->sa.sa_family;
		local = &unspecified;
	}
	if (mode == SEND_PROXY_V1)
		return write_v1(client, local, (char *)to);
	return write_v2(client, local, tlvs, mode == SEND_PROXY_V2_SSL ? n : 0, to);
}
