// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "proxy.h"
#include "proxy_build.h"

/* Parses bytes that end at an unmapped page; the strings of the facts point there, so the caller unguards. */
static enum proxy_result parse(enum proxy_mode mode, struct guarded *g, const void *bytes, size_t n, struct facts *f, size_t *used)
{
	*g = guard(bytes, n);
	*used = 0;
	return proxy_parse(mode, g->at, n, f, used);
}

/* The header in every length: before its end there is more to come, from its end on it is complete. */
static void grows_to(enum proxy_mode mode, const void *header, size_t size, struct facts *f)
{
	unsigned char bytes[20000];
	struct guarded g;
	size_t used;
	assert_true(size + 20 <= sizeof bytes);
	memcpy(bytes, header, size);
	memset(bytes + size, 'P', 20); /* what the client said first */
	for (size_t n = 0; n < size; n++) {
		if (parse(mode, &g, bytes, n, f, &used) != PROXY_MORE)
			fail_msg("cut at %zu of %zu bytes: not PROXY_MORE", n, size);
		unguard(g);
	}
	for (size_t extra = 20; extra < 21; extra--) {
		assert_int_equal(parse(mode, &g, bytes, size + extra, f, &used), PROXY_OK);
		assert_int_equal(used, size);
		unguard(g);
	}
}

static void is_bad(enum proxy_mode mode, const void *bytes, size_t n)
{
	struct guarded g;
	struct facts f;
	size_t used;
	enum proxy_result r = parse(mode, &g, bytes, n, &f, &used);
	unguard(g);
	if (r != PROXY_BAD)
		fail_msg("not bad (%d): %.*s", (int)r, (int)n, (const char *)bytes);
}

static void v1_good(void **state)
{
	static const char *const table[][3] = {
	    {"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1:56324", "192.168.0.11:443"},
	    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535", "255.255.255.255:65535"},
	    {"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "[2001:db8::1]:1", "[::1]:2"},
	    {"PROXY TCP6 ffff:f:f:f:f:f:f:f ffff:f:f:f:f:f:f:f 65535 65535\r\n", "[ffff:f:f:f:f:f:f:f]:65535", "[ffff:f:f:f:f:f:f:f]:65535"},
	    {"PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n", "1.2.3.4:0", "5.6.7.8:0"},
	    {"PROXY UNKNOWN\r\n", "-", "-"},
	    {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", "-", "-"},
	    {"PROXY UNKNOWN whatever it says\r\n", "-", "-"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		for (int mode = PROXY_V1; mode <= PROXY_ANY; mode += 2) {
			struct facts f;
			char text[ADDR_TEXT];
			grows_to((enum proxy_mode)mode, table[i][0], strlen(table[i][0]), &f);
			addr_format(&f.client, text);
			assert_string_equal(text, table[i][1]);
			addr_format(&f.local, text);
			assert_string_equal(text, table[i][2]);
			assert_null(f.sni);
			is_bad(PROXY_V2, table[i][0], strlen(table[i][0]));
		}
	}
}

static void v1_bad(void **state)
{
	static const char *const table[] = {
	    "PROXY \r\n",
	    "PROXY\r\n",
	    "proxy UNKNOWN\r\n",
	    "PROXY UNKNOWN\n",
	    "PROXY  UNKNOWN\r\n",
	    "PROXY UNKNOWNX\r\n",
	    "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
	    "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
	    "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8\r\n",
	    "PROXY TCP4 1.2.3.4\r\n",
	    "PROXY TCP4\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2x\r\n",
	    "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
	    "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
	    "PROXY TCP4 ::1 ::2 1 2\r\n",
	    "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
	    "PROXY TCP6 ::g ::1 1 2\r\n",
	    "PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n",
	    "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n",
	    "PROXY TCP6 1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb ::1 1 2\r\n",
	    "GET / HTTP/1.1\r\n",
	    "\x16\x03\x01\x02\x00\x01",
	    "Q",
	    "\n",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		is_bad(PROXY_V1, table[i], strlen(table[i]));
		is_bad(PROXY_ANY, table[i], strlen(table[i]));
	}
	is_bad(PROXY_V1, "PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n", 33);
}

static void v1_has_a_longest_line(void **state)
{
	char line[200];
	struct facts f;
	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY UNKNOWN ", 14);
	/* 107 bytes with CRLF are the most that the specification knows. */
	memcpy(line + 105, "\r\n", 2);
	grows_to(PROXY_V1, line, 107, &f);
	memcpy(line + 105, "x\r\n", 3);
	is_bad(PROXY_V1, line, 108);
	is_bad(PROXY_V1, line, 107);
}

static void v2_good(void **state)
{
	struct header h;
	struct facts f;
	char text[ADDR_TEXT];
	(void)state;
	header_v4(&h);
	grows_to(PROXY_V2, h.at, h.n, &f);
	addr_format(&f.client, text);
	assert_string_equal(text, "1.2.3.4:258");
	addr_format(&f.local, text);
	assert_string_equal(text, "5.6.7.8:772");
	is_bad(PROXY_V1, h.at, h.n);
	header_v6(&h);
	grows_to(PROXY_ANY, h.at, h.n, &f);
	addr_format(&f.client, text);
	assert_string_equal(text, "[102:304:506:708:90a:b0c:d0e:f10]:258");
	assert_int_equal(f.local.len, sizeof f.local.in6);
	header_start(&h, 0x21, 0x31); /* Unix: two paths of 108 bytes */
	header_add(&h, NULL, 216);
	header_tlv(&h, 0x02, "a", 1);
	grows_to(PROXY_V2, h.at, h.n, &f);
	assert_int_equal(f.client.len, 0);
	assert_int_equal(f.sni_len, 1);
	header_start(&h, 0x21, 0x00); /* UNSPEC */
	grows_to(PROXY_V2, h.at, h.n, &f);
	assert_int_equal(f.client.len, 0);
	header_tlv(&h, 0x02, "b.example", 9);
	grows_to(PROXY_V2, h.at, h.n, &f);
	assert_int_equal(f.sni_len, 9);
}

static void v2_local_says_nothing(void **state)
{
	struct header h;
	struct facts f;
	(void)state;
	/* A health check of the sender: whatever follows the fixed part is skipped, sense or not. */
	for (unsigned family = 0; family < 256; family++) {
		header_start(&h, 0x20, (unsigned char)family);
		header_add(&h, "\xff\xff\xff\xff\xff", 5);
		grows_to(PROXY_V2, h.at, h.n, &f);
		assert_int_equal(f.client.len, 0);
		assert_null(f.sni);
	}
}

static void v2_facts(void **state)
{
	struct header h;
	struct facts f;
	unsigned char ssl[] = {0x07, 0, 0, 0, 0, 0x21, 0, 2, 'v', '1', 0x22, 0, 0};
	(void)state;
	header_v4(&h);
	header_tlv(&h, 0x01, "h2", 2);
	header_tlv(&h, 0x02, "a.example", 9);
	header_tlv(&h, 0x20, ssl, sizeof ssl);
	header_tlv(&h, 0x04, NULL, 3);
	header_tlv(&h, 0xe0, "custom", 6);
	grows_to(PROXY_V2, h.at, h.n, &f);
	struct guarded g = guard(h.at, h.n);
	size_t used;
	assert_int_equal(proxy_parse(PROXY_V2, g.at, h.n, &f, &used), PROXY_OK);
	assert_memory_equal(f.sni, "a.example", 9);
	assert_memory_equal(f.alpn, "h2", 2);
	assert_int_equal(f.alpn_len, 2);
	assert_true(f.tls && f.client_cert && f.client_verified);
	unguard(g);
	ssl[4] = 1; /* verification failed */
	header_v4(&h);
	header_tlv(&h, 0x20, ssl, sizeof ssl);
	grows_to(PROXY_V2, h.at, h.n, &f);
	assert_true(f.tls && f.client_cert && !f.client_verified);
	ssl[0] = 1, ssl[4] = 0; /* no certificate: nothing was verified */
	header_v4(&h);
	header_tlv(&h, 0x20, ssl, sizeof ssl);
	grows_to(PROXY_V2, h.at, h.n, &f);
	assert_true(f.tls && !f.client_cert && !f.client_verified);
}

static void v2_every_command_and_family(void **state)
{
	(void)state;
	for (unsigned command = 0; command < 256; command++) {
		for (unsigned family = 0; family < 256; family++) {
			struct header h;
			struct guarded g;
			struct facts f;
			size_t used;
			header_start(&h, (unsigned char)command, (unsigned char)family);
			header_add(&h, NULL, 216);
			/* 216 zeros: two addresses and what are three-byte TLVs of type 0, or for a Unix socket two paths. */
			const bool known = family == 0x00 || family == 0x11 || family == 0x21 || family == 0x31;
			const bool good = command == 0x20 || (command == 0x21 && known);
			assert_int_equal(parse(PROXY_V2, &g, h.at, h.n, &f, &used), good ? PROXY_OK : PROXY_BAD);
			unguard(g);
			if (command >> 4 != 2 || (command & 15) > 1) /* known as soon as it is there */
				is_bad(PROXY_V2, h.at, 13);
		}
	}
}

/* The length field takes every value up to a header that is one byte too short, right, or too long for its addresses. */
static void v2_every_length(void **state)
{
	static const struct {
		unsigned char family;
		size_t addresses;
	} table[] = {{0x11, 12}, {0x21, 36}, {0x31, 216}, {0x00, 0}};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		for (size_t size = 0; size < 230; size++) {
			struct header h;
			struct guarded g;
			struct facts f;
			size_t used;
			header_start(&h, 0x21, table[i].family);
			header_add(&h, NULL, size);
			const bool good = size >= table[i].addresses && (size - table[i].addresses) % 3 == 0;
			assert_int_equal(parse(PROXY_V2, &g, h.at, h.n, &f, &used), good ? PROXY_OK : PROXY_BAD);
			unguard(g);
		}
	}
	for (unsigned size = 0; size < 65536; size += 13) {
		struct header h;
		header_start(&h, 0x21, 0x00);
		h.at[14] = (unsigned char)(size >> 8);
		h.at[15] = (unsigned char)size;
		struct guarded g;
		struct facts f;
		size_t used;
		enum proxy_result wanted = size == 0 ? PROXY_OK : size + 16 > PROXY_HEADER_MAX ? PROXY_BAD : PROXY_MORE;
		assert_int_equal(parse(PROXY_V2, &g, h.at, 16, &f, &used), wanted);
		unguard(g);
	}
}

static void v2_longest_header(void **state)
{
	struct header h;
	struct facts f;
	(void)state;
	header_start(&h, 0x21, 0x00);
	header_tlv(&h, 0x30, NULL, PROXY_HEADER_MAX - 16 - 3);
	assert_int_equal(h.n, PROXY_HEADER_MAX);
	grows_to(PROXY_V2, h.at, h.n, &f);
	header_add(&h, NULL, 1);
	is_bad(PROXY_V2, h.at, h.n);
}

static void v2_tlv_bounds(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		for (size_t have = 0; have < 12; have++) {
			for (size_t said = 0; said < 14; said++) {
				struct header h;
				struct guarded g;
				struct facts f;
				size_t used;
				header_v4(&h);
				const unsigned char head[3] = {(unsigned char)type, 0, (unsigned char)said};
				header_add(&h, head, have < 3 ? have : 3);
				if (have > 3)
					header_add(&h, NULL, have - 3);
				enum proxy_result r = parse(PROXY_V2, &g, h.at, h.n, &f, &used);
				unguard(g);
				if (have > 0 && (have < 3 || said > have - 3))
					assert_int_equal(r, PROXY_BAD);
				else if (type > 3 && type != 0x20 && (have == 0 || (have - 3 - said) % 3 == 0))
					assert_int_equal(r, PROXY_OK);
			}
		}
	}
	struct header h;
	struct facts f;
	header_v4(&h);
	header_tlv(&h, 0x02, NULL, 255);
	grows_to(PROXY_V2, h.at, h.n, &f);
	header_v4(&h);
	header_tlv(&h, 0x02, NULL, 256);
	is_bad(PROXY_V2, h.at, h.n);
	/* Sub-TLVs of SSL keep to their parent's end. */
	for (size_t n = 0; n < 12; n++) {
		static const unsigned char ssl[12] = {1, 0, 0, 0, 0, 0x21, 0, 4, 'T', 'L', 'S', '3'};
		header_v4(&h);
		header_tlv(&h, 0x20, ssl, n);
		header_tlv(&h, 0x04, "abcd", 4); /* bytes a careless reader would run into */
		if (n == 5)
			grows_to(PROXY_V2, h.at, h.n, &f);
		else
			is_bad(PROXY_V2, h.at, h.n);
	}
}

static void v2_checksum(void **state)
{
	struct header h;
	struct facts f;
	(void)state;
	for (int before = 0; before < 2; before++) {
		header_v4(&h);
		if (before)
			header_tlv(&h, 0x02, "a.example", 9);
		const size_t field = h.n + 3;
		header_tlv(&h, 0x03, NULL, 4);
		header_tlv(&h, 0x04, "padding", 7);
		header_crc(&h, field);
		grows_to(PROXY_V2, h.at, h.n, &f);
		/* Any other bit, anywhere, is noticed (or makes another kind of bad header). */
		for (size_t bit = 0; bit < h.n * 8; bit++) {
			struct guarded g;
			size_t used;
			h.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
			enum proxy_result r = parse(PROXY_V2, &g, h.at, h.n, &f, &used);
			unguard(g);
			const bool local = bit == 12 * 8;         /* PROXY became LOCAL, whose TLVs are not read */
			const bool type = bit / 8 == field - 3;   /* it is no checksum any more */
			const bool longer = bit / 8 == 14 || bit / 8 == 15;
			if (!local && !type && !longer)
				assert_int_equal(r, PROXY_BAD);
			h.at[bit / 8] ^= (unsigned char)(1 << bit % 8);
		}
	}
	header_v4(&h);
	header_tlv(&h, 0x03, NULL, 3);
	is_bad(PROXY_V2, h.at, h.n);
	header_v4(&h);
	header_tlv(&h, 0x03, NULL, 5);
	is_bad(PROXY_V2, h.at, h.n);
	/* RFC 3720, B.4: the CRC of 32 zeros is aa36918a, low byte first; the reference of this test is thereby a checked one. */
	static const unsigned char zeros[32];
	assert_int_equal(reference_crc32c(zeros, sizeof zeros), 0x8a9136aa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(v1_good),           cmocka_unit_test(v1_bad),
	    cmocka_unit_test(v1_has_a_longest_line), cmocka_unit_test(v2_good),
	    cmocka_unit_test(v2_local_says_nothing), cmocka_unit_test(v2_facts),
	    cmocka_unit_test(v2_every_command_and_family), cmocka_unit_test(v2_every_length),
	    cmocka_unit_test(v2_longest_header), cmocka_unit_test(v2_tlv_bounds),
	    cmocka_unit_test(v2_checksum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
