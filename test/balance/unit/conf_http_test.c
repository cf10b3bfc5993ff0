// SPDX-License-Identifier: Apache-2.0
/* The HTTP lane's lines of the configuration. */
#include "test.h"

#include "conf.h"

#define BEGIN "listen l tcp:127.0.0.1:1 table=t\npool p 1.2.3.4:1\n"

static struct conf *parse(const char *text, struct conf_error *e)
{
	struct guarded g = guard(text, strlen(text));
	struct conf *c = conf_parse((char *)g.at, strlen(text), e);
	unguard(g);
	return c;
}

static const struct rule *rule_of(const struct conf *c, const char *host, const char *path)
{
	const struct vhost *v = table_host(c->tables[0], host, strlen(host));
	return v == NULL ? NULL : vhost_rule(v, path, strlen(path));
}

static void reads_everything(void **state)
{
	struct conf_error e;
	(void)state;
	struct conf *c = parse("listen l tcp:127.0.0.1:1 table=t proxy=any trusted-only\npool p -r 2.5 1.2.3.4:1\n"
	                       "trust 10.0.0.0/8,192.0.2.1 fd00::/8\ntrust 172.16.0.0/12\n"
	                       "http head-timeout=1 idle-timeout=2.5 body-timeout=3\nhttp tunnel-timeout=4 http-port=8080 https-port=8443\n"
	                       "access-log /var/log/x\n"
	                       "rule t A.example exact /x p ssl-redirect client-cert limit-conn=3 max-body=18000000000 hsts=max-age=1;preload\n"
	                       "rule t *.a.example prefix /y/ p allow=10.0.0.0/8,192.0.2.1 allow=fd00::/8 deny=10.1.0.0/16 rewrite=/z\n"
	                       "rule t * prefix / - redirect=302,https://x/y?z#w,v\n"
	                       "default t p max-body=0\ndefault u p\n",
	                       &e);
	if (c == NULL)
		fail_msg("line %u: %s", e.line, e.reason);
	assert_int_equal(c->tables_n, 2);
	assert_ptr_equal(c->listeners[0]->table, c->tables[0]);
	assert_true(c->listeners[0]->trusted);
	assert_int_equal(c->pools[0]->response_ms, 2500);
	assert_int_equal(c->trust.n, 4);
	assert_int_equal(c->http.head_ms, 1000);
	assert_int_equal(c->http.idle_ms, 2500);
	assert_int_equal(c->http.body_ms, 3000);
	assert_int_equal(c->http.tunnel_ms, 4000);
	assert_int_equal(c->http.http_port, 8080);
	assert_int_equal(c->http.https_port, 8443);
	assert_string_equal(c->access_log, "/var/log/x");
	const struct rule *r = rule_of(c, "a.example", "/x");
	assert_true(r->exact && r->ssl_redirect && r->client_cert);
	assert_int_equal(r->limit_conn, 3);
	assert_int_equal(r->max_body, 18000000000);
	assert_string_equal(r->hsts, "max-age=1;preload");
	r = rule_of(c, "b.a.example", "/y/1");
	assert_int_equal(r->path_len, 2);
	assert_int_equal(r->allow.n, 3);
	assert_int_equal(r->deny.n, 1);
	assert_int_equal(r->max_body, UINT64_MAX);
	assert_string_equal(r->rewrite, "/z");
	r = rule_of(c, "", "/");
	assert_null(r->pool);
	assert_int_equal(r->redirect_code, 302);
	assert_string_equal(r->redirect, "https://x/y?z#w,v");
	assert_int_equal(c->tables[0]->fallback->max_body, 0);
	/* Limits are told apart by this number. */
	const uint32_t ids[] = {rule_of(c, "a.example", "/x")->id, rule_of(c, "b.a.example", "/y")->id, r->id, c->tables[0]->fallback->id,
	                        c->tables[1]->fallback->id};
	for (size_t i = 0; i < COUNT(ids); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(ids[i], ids[k]);
	conf_free(c);
}

static void bad_lines(void **state)
{
	static const struct {
		const char *line, *reason; /* a part of it */
	} rows[] = {
	    {"rule", "a name is missing"},
	    {"rule t", "TABLE HOST exact|prefix PATH POOL expected"},
	    {"rule t a", "TABLE HOST exact|prefix PATH POOL expected"},
	    {"rule t a prefix", "TABLE HOST exact|prefix PATH POOL expected"},
	    {"rule t a prefix /", "TABLE HOST exact|prefix PATH POOL expected"},
	    {"rule -t a prefix / p", "is not a name"},
	    {"rule t a regex / p", "\"regex\" is neither exact nor prefix"},
	    {"rule t a Prefix / p", "is neither exact nor prefix"},
	    {"rule t a prefix x p", "\"x\" is not a path"},
	    {"rule t a prefix /a?b p", "is not a path"},
	    {"rule t a prefix /a\"b p", "is not a path"},
	    {"rule t a prefix /a\\b p", "is not a path"},
	    {"rule t a prefix /{a} p", "is not a path"},
	    {"rule t a prefix /a|b p", "is not a path"},
	    {"rule t a_b/ prefix / p", "is not a host name"},
	    {"rule t *a prefix / p", "is not a host name"},
	    {"rule t *. prefix / p", "is not a host name"},
	    {"rule t *.*.a prefix / p", "is not a host name"},
	    {"rule t .a prefix / p", "is not a host name"},
	    {"rule t a:80 prefix / p", "is not a host name"},
	    {"rule t [::1] prefix / p", "is not a host name"},
	    {"rule t a prefix / q", "no pool \"q\" above this line"},
	    {"rule t a prefix / -", "neither a pool nor a redirect"},
	    {"rule t a prefix / - ssl-redirect", "neither a pool nor a redirect"},
	    {"rule t a prefix / p ssl-redirects", "unknown or wrong option"},
	    {"rule t a prefix / p ssl-redirect=1", "unknown or wrong option"},
	    {"rule t a prefix / p p", "unknown or wrong option"},
	    {"rule t a prefix / p redirect=", "unknown or wrong option"},
	    {"rule t a prefix / p redirect=301", "redirect wants CODE,LOCATION"},
	    {"rule t a prefix / p redirect=301,", "redirect wants CODE,LOCATION"},
	    {"rule t a prefix / p redirect=,x", "redirect wants CODE,LOCATION"},
	    {"rule t a prefix / p redirect=300,x", "redirect wants CODE,LOCATION"},
	    {"rule t a prefix / p redirect=304,x", "304 is not a redirect"},
	    {"rule t a prefix / p redirect=305,x", "305 is not a redirect"},
	    {"rule t a prefix / p redirect=309,x", "redirect wants CODE,LOCATION"},
	    {"rule t a prefix / p allow=", "unknown or wrong option"},
	    {"rule t a prefix / p allow=,", "is not an address range"},
	    {"rule t a prefix / p allow=10.0.0.0/8,,10.0.0.0/8", "is not an address range"},
	    {"rule t a prefix / p allow=10.0.0.1/8", "\"10.0.0.1/8\" is not an address range"},
	    {"rule t a prefix / p deny=localhost", "is not an address range"},
	    {"rule t a prefix / p limit-conn=0", "unknown or wrong option"},
	    {"rule t a prefix / p limit-conn=-1", "unknown or wrong option"},
	    {"rule t a prefix / p limit-conn=4294967296", "unknown or wrong option"},
	    {"rule t a prefix / p max-body=", "unknown or wrong option"},
	    {"rule t a prefix / p max-body=1k", "unknown or wrong option"},
	    {"rule t a prefix / p max-body=9999999999999999999", "unknown or wrong option"},
	    {"rule t a prefix / p rewrite=x", "unknown or wrong option"},
	    {"rule t a prefix / p rewrite=/a?b", "unknown or wrong option"},
	    {"rule t a prefix / p hsts=", "unknown or wrong option"},
	    {"rule t a prefix / p\nrule t A prefix / p", "is there twice"},
	    {"rule t a prefix /x p\nrule t a prefix /x/ p", "is there twice"},
	    {"rule t a exact /x p\nrule t a exact /x p", "is there twice"},
	    {"default", "a name is missing"},
	    {"default t", "TABLE POOL expected"},
	    {"default t -", "no pool \"-\" above this line"},
	    {"default t q", "no pool \"q\" above this line"},
	    {"default t p\ndefault t p", "table t has one already"},
	    {"default t p nothing", "unknown or wrong option"},
	    {"trust", "address ranges expected"},
	    {"trust 10.0.0.0/8 x", "\"x\" is not an address range"},
	    {"trust all", "is not an address range"},
	    {"http head-timeout", "unknown option"},
	    {"http head-timeout=", "unknown option"},
	    {"http head-timeout=0", "is out of range"},
	    {"http idle-timeout=-1", "is out of range"},
	    {"http body-timeout=1h", "is out of range"},
	    {"http tunnel-timeout=10000000", "is out of range"},
	    {"http http-port=0", "is out of range"},
	    {"http https-port=65536", "is out of range"},
	    {"http port=80", "unknown option"},
	    {"access-log", "a value is missing"},
	    {"access-log a", "off, stdout or an absolute path expected"},
	    {"access-log off on", "unexpected"},
	    {"access-log off\naccess-log off", "given twice"},
	    {"listen m tcp:127.0.0.1:2 table=", "unknown or misplaced option"},
	    {"route l * p", "would hide its table t"},
	    {"pool q -r 0 1.2.3.4:1", "would let nothing succeed"},
	    {"pool q -r x", "wants a number of seconds"},
	};
	(void)state;
	unsigned wrong = 0;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[512];
		struct conf_error e;
		snprintf(text, sizeof text, BEGIN "%s\n", rows[i].line);
		struct conf *c = parse(text, &e);
		const unsigned line = strchr(rows[i].line, '\n') == NULL ? 3 : 4;
		if (c != NULL || e.line != line || strstr(e.reason, rows[i].reason) == NULL) {
			print_error("%s: line %u: %s\n", rows[i].line, c == NULL ? e.line : 0, c == NULL ? e.reason : "accepted");
			wrong++;
		}
		conf_free(c);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_everything), cmocka_unit_test(bad_lines)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
