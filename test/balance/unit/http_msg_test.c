// SPDX-License-Identifier: Apache-2.0
/* Heads: what is accepted, what is refused and why. */
#include "test.h"

#include "http_msg.h"

static unsigned request(struct head *h, const char *text, size_t n)
{
	llhttp_t p;
	struct guarded g = guard(text, n);
	unsigned status = head_parse_request(h, &p, (char *)g.at, n);
	unguard(g); /* the texts in h are gone; its numbers stay */
	return status;
}

static unsigned response(struct head *h, const char *text, bool for_head)
{
	llhttp_t p;
	struct guarded g = guard(text, strlen(text));
	unsigned status = head_parse_response(h, &p, (char *)g.at, strlen(text), for_head);
	unguard(g);
	return status;
}

static void heads_end(void **state)
{
	static const struct {
		const char *text;
		size_t end; /* 0: not yet */
	} rows[] = {
	    {"", 0}, {"\r\n", 0}, {"G", 0}, {"GET / HTTP/1.1\r\n", 0}, {"GET / HTTP/1.1\r\n\r", 0},
	    {"GET / HTTP/1.1\r\n\r\n", 18}, {"GET / HTTP/1.1\r\n\r\nGET", 18}, {"\r\nGET / HTTP/1.1\r\n\r\n", 20},
	    {"ab\n\n", 4}, {"a\r\n\n", 4}, {"a\n\r\n", 4}, {"\n\n", 0}, {"a\r\n\r\r\n", 0}, {"a\r\n \r\n\r\n", 8},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const size_t n = strlen(rows[i].text);
		size_t seen = 0;
		struct guarded g = guard(rows[i].text, n);
		assert_int_equal(head_end((char *)g.at, n, &seen), rows[i].end);
		unguard(g);
		seen = 0;
		for (size_t k = 0; k <= n; k++) { /* byte by byte the same, and not before */
			g = guard(rows[i].text, k);
			size_t end = head_end((char *)g.at, k, &seen);
			unguard(g);
			assert_int_equal(end, rows[i].end != 0 && k >= rows[i].end ? rows[i].end : 0);
			if (end != 0)
				break;
		}
	}
}

#define H "Host: a\r\n"
#define E "\r\n"

static const struct {
	const char *why; /* and which section says so */
	const char *text;
	unsigned status;
	int framing;     /* BODY_*, where status is 0 */
	uint64_t length;
	bool keep;
} requests[] = {
    {"RFC 9112 §3", "GET / HTTP/1.1\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9112 §2.2 an empty line before", "\r\nGET / HTTP/1.1\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9112 §9.3 HTTP/1.0 closes", "GET / HTTP/1.0\r\n" H E, 0, BODY_NONE, 0, false},
    {"RFC 9112 §9.3 HTTP/1.0 asks to stay", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9112 §3.2 HTTP/1.0 needs no Host", "GET / HTTP/1.0\r\n" E, 0, BODY_NONE, 0, false},
    {"RFC 9112 §9.6 close", "GET / HTTP/1.1\r\nConnection: x, Close\r\n" H E, 0, BODY_NONE, 0, false},
    {"RFC 9112 §9.6 close in a second field", "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n" H E, 0, BODY_NONE, 0, false},
    {"RFC 9112 §6.2", "POST / HTTP/1.1\r\nContent-Length: 12\r\n" H E, 0, BODY_LENGTH, 12, true},
    {"RFC 9110 §5.5 blanks around", "POST / HTTP/1.1\r\nContent-Length: \t 12  \r\n" H E, 0, BODY_LENGTH, 12, true},
    {"RFC 9112 §6.2 none", "POST / HTTP/1.1\r\nContent-Length: 0\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9112 §6.2 leading zeros", "POST / HTTP/1.1\r\nContent-Length: 007\r\n" H E, 0, BODY_LENGTH, 7, true},
    {"RFC 9112 §6.2 the largest", "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n" H E, 0, BODY_LENGTH, UINT64_MAX, true},
    {"RFC 9112 §7", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" H E, 0, BODY_CHUNKED, 0, true},
    {"RFC 9112 §7 in any case", "POST / HTTP/1.1\r\ntransfer-encoding: \tCHUNKED \r\n" H E, 0, BODY_CHUNKED, 0, true},
    {"RFC 9110 §5.5 an empty value", "GET / HTTP/1.1\r\nA:\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9110 §5.5 obs-text", "GET / HTTP/1.1\r\nA: \xe4\xff\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9110 §5.1 every token byte", "GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n" H E, 0, BODY_NONE, 0, true},
    {"RFC 9112 §3.2.1 printable target", "GET /!$&'()*+,-./:;=?@[]_~%41\"<>\\^`{|} HTTP/1.1\r\n" H E, 0, BODY_NONE, 0, true},

    {"RFC 9112 §6.3 a length beside a coding", "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.3 in the other order", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.3 differing lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.3 equal lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.3 a list of lengths", "POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §8.6 a sign", "POST / HTTP/1.1\r\nContent-Length: +1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §8.6 negative", "POST / HTTP/1.1\r\nContent-Length: -1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §8.6 hexadecimal", "POST / HTTP/1.1\r\nContent-Length: 0x1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §8.6 empty", "POST / HTTP/1.1\r\nContent-Length: \r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §8.6 a blank inside", "POST / HTTP/1.1\r\nContent-Length: 1 1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §8.6 too large", "POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 an unknown coding", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 chunked and another", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 chunked is not last", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 chunked twice", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 chunked in two fields", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 identity", "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 empty", "POST / HTTP/1.1\r\nTransfer-Encoding:\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 quoted", "POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 a parameter", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked;x=y\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 a comma", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked,\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 a control byte", "POST / HTTP/1.1\r\nTransfer-Encoding: \x0b" "chunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 a tab behind", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\t\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §6.1 in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3.2 no Host", "GET / HTTP/1.1\r\n" E, 400, 0, 0, 0},
    {"RFC 9112 §3.2 two Hosts", "GET / HTTP/1.1\r\n" H H E, 400, 0, 0, 0},
    {"RFC 9112 §3.2 two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" H H E, 400, 0, 0, 0},
    {"RFC 9112 §2.2 bare LF in the request line", "GET / HTTP/1.1\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.2 bare LF behind a field", "GET / HTTP/1.1\r\nA: b\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.2 bare LF at the end", "GET / HTTP/1.1\r\n" H "\n", 400, 0, 0, 0},
    {"RFC 9112 §2.2 bare CR in a value", "GET / HTTP/1.1\r\nA: b\rc\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.2 two CR", "GET / HTTP/1.1\r\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.2 blank before the first field", "GET / HTTP/1.1\r\n A: b\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §5.1 blank before the colon", "GET / HTTP/1.1\r\nA : b\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §5.1 tab before the colon", "GET / HTTP/1.1\r\nContent-Length\t: 1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §5.1 no colon", "GET / HTTP/1.1\r\nAb\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §5.1 no name", "GET / HTTP/1.1\r\n: b\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §5.2 obs-fold", "GET / HTTP/1.1\r\nA: b\r\n c\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §5.2 obs-fold of a tab", "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n\tchunked\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §5.1 a byte beyond ASCII in a name", "GET / HTTP/1.1\r\nA\xe4: b\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §5.1 a separator in a name", "GET / HTTP/1.1\r\nA(b: c\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §5.5 a control byte in a value", "GET / HTTP/1.1\r\nA: \x01\r\n" H E, 400, 0, 0, 0},
    {"RFC 9110 §5.5 DEL in a value", "GET / HTTP/1.1\r\nA: \x7f\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3 two blanks before the target", "GET  / HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3 two blanks behind the target", "GET /  HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3 a blank at the end of the line", "GET / HTTP/1.1 \r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3 a tab", "GET\t/ HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3 no target", "GET HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3 a blank in the target", "GET /a b HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3.2 a fragment", "GET /#a HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3.2 a control byte in the target", "GET /\x01 HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3.2 a byte beyond ASCII in the target", "GET /\xe4 HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 HTTP/0.9", "GET /\r\n" E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 HTTP/0.9 named", "GET / HTTP/0.9\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 HTTP/1.2", "GET / HTTP/1.2\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 HTTP/2.0", "GET / HTTP/2.0\r\n" H E, 400, 0, 0, 0},
    {"RFC 9113 §3.4 the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n", 400, 0, 0, 0},
    {"RFC 9112 §2.3 the name is case-sensitive", "GET / http/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 more digits", "GET / HTTP/1.10\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3.1 an unknown method", "FETCH / HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §3.1 a method in lower case", "get / HTTP/1.1\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.2 nothing but empty lines", "\r\n\r\n", 400, 0, 0, 0},
    {"RFC 9112 §2.3 another protocol", "GET / RTSP/1.0\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 and one more", "SOURCE / ICE/1.0\r\n" H E, 400, 0, 0, 0},
    {"RFC 9112 §2.3 … with another's method", "GET / ICE/1.0\r\n" H E, 400, 0, 0, 0},
};

static void requests_by_table(void **state)
{
	struct head h;
	unsigned wrong = 0;
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		unsigned status = request(&h, requests[i].text, strlen(requests[i].text));
		if (status != requests[i].status || (status == 0 && (h.framing != requests[i].framing || (h.framing == BODY_LENGTH && h.length != requests[i].length) ||
		                                                      h.keep_alive != requests[i].keep))) {
			print_error("%s: status %u, framing %d, length %llu, keep %d\n", requests[i].why, status, h.framing,
			            (unsigned long long)h.length, h.keep_alive);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	/* RFC 9110 §5.5: NUL, which no C string holds. */
	static const char *const nul[] = {"GET /~ HTTP/1.1\r\n" H E, "GET / HTTP/1.1\r\nA: ~\r\n" H E, "GET / HTTP/1.1\r\n~A: b\r\n" H E,
	                                  "G~ET / HTTP/1.1\r\n" H E, "GET / HTTP/1.1~\r\n" H E};
	for (size_t i = 0; i < COUNT(nul); i++) {
		char text[64];
		const size_t n = strlen(nul[i]);
		memcpy(text, nul[i], n);
		*(char *)memchr(text, '~', n) = '\0';
		assert_int_equal(request(&h, text, n), 400);
	}
}

/* Each byte of a good head replaced by each other byte: refused, or still what our rules and a second look agree on. */
static void any_one_byte_changed(void **state)
{
	static const char text[] = "POST /a?b HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\nX: y\r\n\r\n";
	struct head h;
	char changed[sizeof text];
	(void)state;
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		for (int b = 0; b < 256; b++) {
			memcpy(changed, text, sizeof text);
			changed[i] = (char)b;
			llhttp_t p;
			if (head_parse_request(&h, &p, changed, sizeof text - 1) != 0)
				continue;
			assert_true(b != '\n' || text[i] == '\n');
			assert_true(b != '\r' || text[i] == '\r');
			assert_true(b != 0 && b != 0x7f && (b >= 0x20 || b == '\t' || b == '\r' || b == '\n'));
			for (uint32_t k = 0; k < h.n; k++) {
				assert_true(h.fields[k].name.len > 0);
				for (uint32_t c = 0; c < h.fields[k].value.len; c++)
					assert_true((unsigned char)h.fields[k].value.at[c] >= 0x20 || h.fields[k].value.at[c] == '\t');
				/* Each field's line ends where the next one begins: what is copied in runs is what was parsed. */
				const char *end = k + 1 < h.n ? h.fields[k + 1].name.at : changed + sizeof text - 3;
				assert_memory_equal(end - 2, "\r\n", 2);
				assert_null(memchr(h.fields[k].name.at, '\n', (size_t)(end - 1 - h.fields[k].name.at)));
			}
		}
	}
}

static const struct {
	const char *why, *text;
	unsigned status;
	int framing;
	uint64_t length;
	bool keep, for_head;
} responses[] = {
    {"RFC 9112 §4", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 0, BODY_LENGTH, 3, true, false},
    {"RFC 9112 §4 no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 0, BODY_NONE, 0, true, false},
    {"RFC 9112 §6.3 until close", "HTTP/1.1 200 OK\r\n\r\n", 0, BODY_UNTIL_CLOSE, 0, false, false},
    {"RFC 9112 §6.3 HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", 0, BODY_UNTIL_CLOSE, 0, false, false},
    {"RFC 9112 §7", "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", 0, BODY_CHUNKED, 0, true, false},
    {"RFC 9112 §6.3 HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 0, BODY_NONE, 0, true, true},
    {"RFC 9112 §6.3 HEAD without a length", "HTTP/1.1 200 OK\r\n\r\n", 0, BODY_NONE, 0, true, true},
    {"RFC 9112 §6.3 HEAD with a coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, BODY_NONE, 0, true, true},
    {"RFC 9112 §6.3 204", "HTTP/1.1 204 No\r\n\r\n", 0, BODY_NONE, 0, true, false},
    {"RFC 9112 §6.3 304 with a length", "HTTP/1.1 304 No\r\nContent-Length: 3\r\n\r\n", 0, BODY_NONE, 0, true, false},
    {"RFC 9112 §6.3 100", "HTTP/1.1 100 Continue\r\n\r\n", 0, BODY_NONE, 0, true, false},
    {"RFC 9112 §6.3 101", "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 0, BODY_NONE, 0, true, false},
    {"RFC 9112 §6.3 199", "HTTP/1.1 199 X\r\nContent-Length: 3\r\n\r\n", 0, BODY_NONE, 0, true, false},
    {"RFC 9112 §9.6", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n", 0, BODY_LENGTH, 3, false, false},
    {"RFC 9112 §6.3 two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §6.3 … also for HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 502, 0, 0, 0, true},
    {"RFC 9112 §6.3 a length beside a coding", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §6.1 another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §6.1 in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §4 a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §4 a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9110 §15 a status below 100", "HTTP/1.1 099 OK\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §2.3 HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §2.3 ICY", "ICY 200 OK\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §2.2 bare LF", "HTTP/1.1 200 OK\nA: b\n\n", 502, 0, 0, 0, false},
    {"RFC 9112 §5.2 obs-fold", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §5.1 blank before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9110 §5.5 a control byte", "HTTP/1.1 200 OK\r\nA: \x02\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9112 §4 a control byte in the reason", "HTTP/1.1 200 O\x02K\r\n\r\n", 502, 0, 0, 0, false},
    {"RFC 9110 §8.6 no number", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 502, 0, 0, 0, false},
};

static void responses_by_table(void **state)
{
	struct head h;
	unsigned wrong = 0;
	(void)state;
	for (size_t i = 0; i < COUNT(responses); i++) {
		unsigned status = response(&h, responses[i].text, responses[i].for_head);
		if (status != responses[i].status || (status == 0 && (h.framing != responses[i].framing || (h.framing == BODY_LENGTH && h.length != responses[i].length) ||
		                                                       h.keep_alive != responses[i].keep))) {
			print_error("%s: status %u, framing %d, length %llu, keep %d\n", responses[i].why, status, h.framing,
			            (unsigned long long)h.length, h.keep_alive);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void fields_are_known(void **state)
{
	static const struct {
		const char *name;
		int id;
	} rows[] = {
	    {"hOST", FIELD_HOST}, {"Connection", FIELD_CONNECTION}, {"CONTENT-LENGTH", FIELD_CONTENT_LENGTH}, {"Upgrade", FIELD_UPGRADE},
	    {"TE", FIELD_HOP}, {"Keep-Alive", FIELD_HOP}, {"Proxy-Connection", FIELD_HOP}, {"Proxy-Authenticate", FIELD_HOP},
	    {"Proxy-Authorization", FIELD_HOP}, {"Proxy", FIELD_HOP}, {"Forwarded", FIELD_FORWARDED}, {"X-Forwarded-For", FIELD_X_FORWARDED_FOR},
	    {"X-Forwarded-Proto", FIELD_X_FORWARDED}, {"x-forwarded-anything", FIELD_X_FORWARDED}, {"X-Real-Ip", FIELD_X_FORWARDED},
	    {"X-Request-Id", FIELD_X_REQUEST_ID}, {"SSL-Client-Verify", FIELD_SSL_CLIENT}, {"ssl-client-x", FIELD_SSL_CLIENT},
	    {"Strict-Transport-Security", FIELD_HSTS}, {"X_Forwarded_For", FIELD_SSL_CLIENT}, {"ssl_client_verify", FIELD_SSL_CLIENT},
	    {"x_request-id", FIELD_SSL_CLIENT}, {"ssl_client_a_very_long_name_beyond_all_of_the_room", FIELD_SSL_CLIENT},
	    {"content_length", FIELD_OTHER}, {"A_B", FIELD_OTHER}, {"x-forwarded-", FIELD_OTHER}, {"ssl-client-", FIELD_OTHER},
	    {"Hos", FIELD_OTHER}, {"Hostt", FIELD_OTHER}, {"Trailer", FIELD_OTHER},
	};
	char text[256];
	struct head h;
	llhttp_t p;
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const bool host = rows[i].id == FIELD_HOST;
		int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s:  1 \r\n%s\r\n", rows[i].name, host ? "" : "Host: a\r\n");
		assert_int_equal(head_parse_request(&h, &p, text, (size_t)n), 0);
		assert_int_equal(h.fields[0].id, rows[i].id);
		assert_int_equal(h.fields[0].value.len, 1);
		assert_int_equal(h.n, host ? 1 : 2);
	}
	static const char listed[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: ,  b ,c,,host,Upgrade\r\nB: 1\r\nbb: 2\r\nconnection: D\r\nC: 3\r\nd: 4\r\n"
	                             "Upgrade: x\r\n\r\n";
	assert_int_equal(head_parse_request(&h, &p, listed, sizeof listed - 1), 0);
	assert_true(h.upgrade);
	const bool want[] = {false, false, true, false, false, true, true, true};
	assert_int_equal(h.n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++)
		assert_int_equal(h.fields[i].listed, want[i]);
	assert_true(text_has_token((struct text){"a, B ,c", 7}, "b"));
	assert_false(text_has_token((struct text){"a, Bx ,c", 8}, "b"));
	assert_false(text_has_token((struct text){"", 0}, "b"));
}

static void limits(void **state)
{
	static char text[HTTP_HEAD_MAX + 1];
	struct head h;
	(void)state;
	for (int more = 0; more < 2; more++) {
		size_t n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (int i = 1; i < HTTP_FIELDS_MAX + more; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "A%d: %d\r\n", i, i);
		n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
		assert_int_equal(request(&h, text, n), more ? 431 : 0);
		n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nConnection: x");
		for (int i = 1; i < 32 + more; i++)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s", i % 8 == 0 ? "\r\nConnection: x" : ", x");
		n += (size_t)snprintf(text + n, sizeof text - n, "\r\n\r\n");
		assert_int_equal(request(&h, text, n), more ? 431 : 0);
		n = (size_t)snprintf(text, sizeof text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_TARGET_MAX - 1 + more, 0);
		assert_int_equal(request(&h, text, n), more ? 414 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(heads_end),
	    cmocka_unit_test(requests_by_table),
	    cmocka_unit_test(any_one_byte_changed),
	    cmocka_unit_test(responses_by_table),
	    cmocka_unit_test(fields_are_known),
	    cmocka_unit_test(limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
