// SPDX-License-Identifier: Apache-2.0
/* The core before its lane: server names from a ClientHello, ports from a PROXY header. */
#include "test.h"

#include "core.h"
#include "hello_build.h"
#include "proxy_build.h"
#include "proxy_write.h"

static const char text[] = "listen front tcp:127.0.0.1:1 sni\n"
			   "listen behind tcp:127.0.0.1:2 sni proxy=v2\n"
			   "listen https unix:/x proxy=v2 table=web\n"
			   "pool hitch send-proxy=v2-ssl 127.0.0.1:9\n"
			   "pool pass 127.0.0.1:8\n"
			   "pool db 127.0.0.1:7\n"
			   "route front * hitch\n"
			   "route front pass.example pass\n"
			   "route behind *.example pass\n"
			   "route https a.example pass\n"
			   "route https db.example:5432 db\n"
			   "route https *:9000 db\n"
			   "default web pass\n";

struct front {
	struct conf *conf;
	struct core_env env;
	struct core core;
};

static void start(struct front *f, int listener)
{
	struct conf_error e;
	const struct addr peer = {.len = sizeof peer.in, .in = {.sin_family = AF_INET, .sin_port = 1}};
	f->conf = conf_parse(text, sizeof text - 1, &e);
	if (f->conf == NULL)
		fail_msg("%u: %s", e.line, e.reason);
	f->env = (struct core_env){.conf = f->conf, .now = 1000};
	core_start(&f->core, &f->env, f->conf->listeners[listener], &peer);
}

static void end(struct front *f)
{
	core_end(&f->core);
	buf_drop_all(&f->env.bufs);
	conf_free(f->conf);
}

static void feed(struct front *f, const unsigned char *at, size_t n, size_t step)
{
	for (size_t i = 0; i < n;) {
		struct iovec v = core_space(&f->core, CLIENT);
		if (v.iov_len == 0)
			return;
		size_t k = n - i < step ? n - i : step;
		k = k < v.iov_len ? k : v.iov_len;
		memcpy(v.iov_base, at + i, k);
		core_input(&f->core, CLIENT, k);
		i += k;
	}
}

static void goes_to(struct front *f, const char *pool)
{
	assert_int_equal(core_wants(&f->core), CORE_CONNECT);
	assert_string_equal(f->core.pool->name, pool);
}

static void closes(struct front *f, enum core_why why)
{
	assert_int_equal(core_wants(&f->core), CORE_CLOSE);
	assert_int_equal(f->core.why, why);
}

static void by_server_name(void **state)
{
	static const struct {
		const char *name, *pool;
	} table[] = {{"pass.example", "pass"}, {"PASS.example", "pass"}, {"other.example", "hitch"}, {NULL, "hitch"}};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		for (size_t step = 1; step < 1000; step *= 9) {
			struct front f;
			struct hello_bytes b;
			start(&f, 0);
			hello_build(&b, table[i].name, step == 1 ? 1 : 0);
			feed(&f, b.at, b.n, step);
			goes_to(&f, table[i].pool);
			assert_true(f.core.tls);
			/* The pod gets what was read. */
			core_connected(&f.core, false);
			struct iovec v = core_pending(&f.core, POD);
			assert_int_equal(v.iov_len, b.n);
			assert_memory_equal(v.iov_base, b.at, b.n);
			end(&f);
		}
	}
}

static void the_header_names_what_was_asked_for(void **state)
{
	(void)state;
	struct front f;
	struct hello_bytes b;
	struct facts facts;
	unsigned char header[PROXY_WRITE_MAX];
	size_t used;
	start(&f, 0);
	hello_build(&b, "other.example", 0);
	feed(&f, b.at, b.n, b.n);
	goes_to(&f, "hitch");
	assert_non_null(f.core.origin);
	const struct addr none = {0};
	size_t n = proxy_write(SEND_PROXY_V2_SSL, &f.core.client, &none, f.core.origin->tlvs, f.core.origin->tlvs_n, header);
	assert_int_equal(proxy_parse(PROXY_V2, header, n, &facts, &used), PROXY_OK);
	assert_true(facts.tls);
	assert_false(facts.client_cert);
	assert_int_equal(facts.sni_len, 13);
	assert_memory_equal(facts.sni, "other.example", 13);
	end(&f);
}

static void what_is_no_tls_is_closed(void **state)
{
	(void)state;
	static const char http[] = "GET / HTTP/1.1\r\n\r\n";
	struct front f;
	start(&f, 0);
	feed(&f, (const unsigned char *)http, sizeof http, 1);
	closes(&f, WHY_PROXY);
	end(&f);
}

static void bounds(void **state)
{
	(void)state;
	struct front f;
	/* Records of one byte each make the most of the least. */
	unsigned char record[] = {22, 3, 1, 0, 1, 1};
	start(&f, 0);
	feed(&f, record, sizeof record, 1);
	record[5] = 0;
	feed(&f, record, sizeof record, 1);
	record[5] = 0x3f;
	for (int i = 0; i < 2; i++)
		feed(&f, record, sizeof record, sizeof record);
	record[5] = 0;
	for (int i = 0; i < 20000; i++)
		feed(&f, record, sizeof record, sizeof record);
	closes(&f, WHY_PROXY);
	end(&f);
	/* A trickle does not buy time. */
	start(&f, 0);
	f.env.now = 5000;
	record[5] = 1;
	feed(&f, record, sizeof record, 1);
	assert_int_equal(core_deadline(&f.core), 1000 + CORE_PROXY_MS);
	core_eof(&f.core, CLIENT);
	closes(&f, WHY_PROXY);
	end(&f);
}

static void behind_a_proxy(void **state)
{
	(void)state;
	struct hello_bytes b;
	struct front f;
	unsigned char both[20000];
	/* TCP over IPv4 from 192.0.2.7:4711 to 192.0.2.9:443 */
	static const unsigned char header[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\x09\x12\x67\x01\xbb";
	const size_t n = sizeof header - 1;
	hello_build(&b, "x.example", 0);
	memcpy(both, header, n);
	memcpy(both + n, b.at, b.n);
	for (size_t step = 1; step <= 20000; step += 6) {
		start(&f, 1);
		feed(&f, both, n + b.n, step);
		goes_to(&f, "pass");
		assert_int_equal(ntohs(f.core.client.in.sin_port), 4711);
		assert_int_equal(ntohs(f.core.origin->local.in.sin_port), 2);
		end(&f);
		if (step > n + b.n)
			break;
	}
}

static void by_port(void **state)
{
	static const struct {
		const char *sni;
		unsigned port;
		const char *pool; /* "": HTTP, NULL: nowhere */
	} table[] = {
	    {"db.example", 5432, "db"}, {"a.example", 5432, NULL}, {"", 5432, NULL}, {"", 9000, "db"}, {"a.example", 9000, "db"},
	    {"db.example", 443, ""},    {"a.example", 443, "pass"}, {"", 443, ""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct front f;
		unsigned char h[300] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\0\xc0\0\2\7\xc0\0\2\x09\x12\x67";
		const size_t len = strlen(table[i].sni);
		size_t n = 26;
		h[n++] = (unsigned char)(table[i].port >> 8);
		h[n++] = (unsigned char)table[i].port;
		if (len > 0) {
			h[n++] = 2;
			h[n++] = 0;
			h[n++] = (unsigned char)len;
			memcpy(h + n, table[i].sni, len);
			n += len;
		}
		h[15] = (unsigned char)(n - 16);
		start(&f, 2);
		feed(&f, h, n, n);
		if (table[i].pool == NULL) {
			closes(&f, WHY_NO_ROUTE);
		} else if (table[i].pool[0] == '\0') {
			assert_non_null(f.core.http);
		} else {
			goes_to(&f, table[i].pool);
		}
		end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(by_server_name),
	    cmocka_unit_test(the_header_names_what_was_asked_for),
	    cmocka_unit_test(what_is_no_tls_is_closed),
	    cmocka_unit_test(bounds),
	    cmocka_unit_test(behind_a_proxy),
	    cmocka_unit_test(by_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
