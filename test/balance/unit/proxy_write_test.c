// SPDX-License-Identifier: Apache-2.0
/* PROXY headers as they go to pods: byte by byte as the specification has them, and read back by our own parser. */
#include "test.h"

#include "proxy_build.h"
#include "proxy_write.h"

static struct addr at(const char *text)
{
	struct addr a = {0};
	if (text[0] != '-')
		assert_true(addr_parse(&a, text, strlen(text)));
	return a;
}

static size_t write_to(unsigned char *to, enum send_proxy mode, const char *client, const char *local, const struct origin *o)
{
	const struct addr from = at(client), where = at(local);
	return proxy_write(mode, &from, &where, o == NULL ? NULL : o->tlvs, o == NULL ? 0 : o->tlvs_n, to);
}

static void v1_is_the_line_of_the_specification(void **state)
{
	static const char *const table[][3] = {
	    {"192.0.2.7:4711", "198.51.100.1:443", "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"},
	    {"255.255.255.255:65535", "255.255.255.255:65535", "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"},
	    {"[2001:db8::1]:1", "[::1]:2", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n"},
	    {"192.0.2.7:4711", "-", "PROXY TCP4 192.0.2.7 0.0.0.0 4711 0\r\n"},
	    {"[2001:db8::1]:9", "-", "PROXY TCP6 2001:db8::1 :: 9 0\r\n"},
	    {"[2001:db8::1]:9", "198.51.100.1:443", "PROXY TCP6 2001:db8::1 :: 9 0\r\n"},
	    {"-", "198.51.100.1:443", "PROXY UNKNOWN\r\n"},
	};
	unsigned char header[PROXY_WRITE_MAX];
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		size_t n = write_to(header, SEND_PROXY_V1, table[i][0], table[i][1], NULL);
		assert_int_equal(n, strlen(table[i][2]));
		assert_memory_equal(header, table[i][2], n);
		assert_true(n <= 107); /* §2.1 */
	}
}

static void v2_is_the_bytes_of_the_specification(void **state)
{
	static const unsigned char v4[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\x12\x67\1\xbb";
	static const unsigned char v6[] = "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24"
	                                  "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
	                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	                                  "\0\x09\1\xbb";
	static const unsigned char unknown[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
	unsigned char header[PROXY_WRITE_MAX];
	(void)state;
	assert_int_equal(write_to(header, SEND_PROXY_V2, "192.0.2.7:4711", "198.51.100.1:443", NULL), sizeof v4 - 1);
	assert_memory_equal(header, v4, sizeof v4 - 1);
	assert_int_equal(write_to(header, SEND_PROXY_V2, "[2001:db8::1]:9", "[::1]:443", NULL), sizeof v6 - 1);
	assert_memory_equal(header, v6, sizeof v6 - 1);
	assert_int_equal(write_to(header, SEND_PROXY_V2, "-", "[::1]:443", NULL), sizeof unknown - 1);
	assert_memory_equal(header, unknown, sizeof unknown - 1);
}

/* What Hitch says of a connection: here with a client certificate. */
static void hitch_says(struct header *h)
{
	static const unsigned char ssl[] = "\x07\0\0\0\0"
	                                   "\x21\0\x07TLSv1.3"
	                                   "\x22\0\x06" "client"
	                                   "\x23\0\x16TLS_AES_128_GCM_SHA256";
	header_v4(h);
	header_tlv(h, 0x01, "h2", 2);
	header_tlv(h, 0x02, "a.example", 9);
	header_tlv(h, 0xe0, "-----BEGIN CERTIFICATE-----", 27);
	header_tlv(h, 0x20, ssl, sizeof ssl - 1);
	header_tlv(h, 0x05, "unique id", 9);
}

static void tls_facts_go_on_as_they_came(void **state)
{
	struct header in, want;
	struct facts f;
	unsigned char header[PROXY_WRITE_MAX];
	size_t used;
	(void)state;
	hitch_says(&in);
	assert_int_equal(proxy_parse(PROXY_V2, in.at, in.n, &f, &used), PROXY_OK);
	struct origin *o = origin_keep(SEND_PROXY_V2_SSL, &f);
	assert_non_null(o);
	header_v4(&want);
	header_tlv(&want, 0x02, "a.example", 9);
	header_tlv(&want, 0x01, "h2", 2);
	header_tlv(&want, 0x20, f.ssl, f.ssl_len);
	size_t n = proxy_write(SEND_PROXY_V2_SSL, &f.client, &o->local, o->tlvs, o->tlvs_n, header);
	assert_int_equal(n, want.n);
	assert_memory_equal(header, want.at, n);
	/* Without -ssl there are none, and none are kept. */
	n = proxy_write(SEND_PROXY_V2, &f.client, &o->local, o->tlvs, o->tlvs_n, header);
	assert_int_equal(n, 16 + 12);
	free(o);
	o = origin_keep(SEND_PROXY_V2, &f);
	assert_int_equal(o->tlvs_n, 0);
	assert_memory_equal(&o->local.in.sin_addr, "\5\6\7\10", 4);
	free(o);
}

/* A header may bring 16 KiB; what is kept of it for the pod is bounded, and whole. */
static void what_does_not_fit_is_left_out_whole(void **state)
{
	static unsigned char big[6000];
	struct facts f;
	size_t used;
	unsigned char header[PROXY_WRITE_MAX];
	(void)state;
	for (size_t name = 1; name < sizeof big - 8; name += name < 1990 ? 199 : 3) {
		struct header in;
		big[0] = 1; /* PP2_CLIENT_SSL */
		big[5] = 0x22;
		big[6] = (unsigned char)(name >> 8);
		big[7] = (unsigned char)name;
		header_v6(&in);
		header_tlv(&in, 0x02, "a.example", 9);
		header_tlv(&in, 0x20, big, 8 + name);
		struct guarded g = guard(in.at, in.n);
		assert_int_equal(proxy_parse(PROXY_V2, g.at, in.n, &f, &used), PROXY_OK);
		struct origin *o = origin_keep(SEND_PROXY_V2_SSL, &f);
		assert_non_null(o);
		const bool fits = 12 + 3 + 8 + name <= ORIGIN_TLVS_MAX;
		assert_int_equal(o->tlvs_n, 12 + (fits ? 3 + 8 + name : 0));
		size_t n = proxy_write(SEND_PROXY_V2_SSL, &f.client, &o->local, o->tlvs, o->tlvs_n, header);
		assert_true(n <= PROXY_WRITE_MAX);
		unguard(g);
		free(o);
		assert_int_equal(proxy_parse(PROXY_V2, header, n, &f, &used), PROXY_OK);
		assert_int_equal(used, n);
		assert_int_equal(f.sni_len, 9);
		assert_int_equal(f.tls, fits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(v1_is_the_line_of_the_specification),
	    cmocka_unit_test(v2_is_the_bytes_of_the_specification),
	    cmocka_unit_test(tls_facts_go_on_as_they_came),
	    cmocka_unit_test(what_does_not_fit_is_left_out_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
