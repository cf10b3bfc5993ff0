// SPDX-License-Identifier: Apache-2.0
/* The PROXY header: the first byte says which versions are accepted, the rest is what a client sends. What is read is written again as it would
 * go to a pod, and has to mean the same. */
#include "proxy_write.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int what)
{
	if (!what)
		abort();
}

/* The facts lie inside the header, and the addresses can be written. */
static void check_facts(const struct facts *f, const unsigned char *head, size_t used)
{
	char text[ADDR_TEXT];
	addr_format(&f->client, text);
	addr_format(&f->local, text);
	addr_hash(&f->client);
	const unsigned char *sni = (const unsigned char *)f->sni, *alpn = (const unsigned char *)f->alpn;
	check(f->sni_len <= 255);
	check(f->sni_len == 0 || (sni >= head && sni + f->sni_len <= head + used));
	check(f->alpn_len == 0 || (alpn >= head && alpn + f->alpn_len <= head + used));
	check(!f->client_verified || f->client_cert);
}

static void check_written(enum send_proxy mode, const struct facts *f, const struct origin *o)
{
	unsigned char header[PROXY_WRITE_MAX];
	struct facts again;
	size_t used = 0;
	struct addr client = f->client;
	addr_unmap(&client);
	const size_t n = proxy_write(mode, &client, &o->local, o->tlvs, o->tlvs_n, header);
	check(n <= sizeof header && (mode != SEND_PROXY_V1 || n <= 107));
	check(proxy_parse(mode == SEND_PROXY_V1 ? PROXY_V1 : PROXY_V2, header, n, &again, &used) == PROXY_OK && used == n);
	check(again.client.len == client.len && memcmp(&again.client.sa, &client.sa, client.len) == 0);
	if (client.len == 0 || mode != SEND_PROXY_V2_SSL)
		return;
	/* Each is there whole, or was too long to be. */
	check(again.sni_len == f->sni_len || again.sni_len == 0);
	check(again.ssl_len == f->ssl_len || again.ssl_len == 0);
	check(again.ssl_len == 0 || (memcmp(again.ssl, f->ssl, f->ssl_len) == 0 && again.tls == f->tls));
	check(f->sni_len + f->alpn_len + f->ssl_len > ORIGIN_TLVS_MAX - 9 || again.ssl_len == f->ssl_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts f, again;
	size_t used = 0, used_again = 0;
	if (size < 1)
		return 0;
	enum proxy_mode mode = (enum proxy_mode)(1 + data[0] % 3);
	size--;
	/* Memory of exactly this size, so that one byte too far is seen. */
	unsigned char *head = malloc(size);
	if (head == NULL && size > 0)
		return 0;
	if (size > 0)
		memcpy(head, data + 1, size);
	enum proxy_result r = proxy_parse(mode, head, size, &f, &used);
	if (r == PROXY_OK) {
		check(used > 0 && used <= size && used <= PROXY_HEADER_MAX);
		check_facts(&f, head, used);
		struct origin *o = origin_keep(SEND_PROXY_V2_SSL, &f);
		for (int out = SEND_PROXY_V1; o != NULL && out <= SEND_PROXY_V2_SSL; out++)
			check_written((enum send_proxy)out, &f, o);
		free(o);
		/* What follows the header has no say, and one byte less is not enough. */
		check(proxy_parse(mode, head, used, &again, &used_again) == PROXY_OK && used_again == used);
		check(proxy_parse(mode, head, used - 1, &again, &used_again) == PROXY_MORE);
	} else if (r == PROXY_MORE) {
		check(size < PROXY_HEADER_MAX);
	}
	/* Byte by byte the answer changes once, from MORE to what the whole gave. */
	for (size_t n = 0; n < size && size < 300; n++) {
		enum proxy_result early = proxy_parse(mode, head, n, &again, &used_again);
		if (r == PROXY_OK && n >= used)
			check(early == PROXY_OK && used_again == used);
		else
			check(early == PROXY_MORE || (r == PROXY_BAD && early == PROXY_BAD));
	}
	free(head);
	return 0;
}
