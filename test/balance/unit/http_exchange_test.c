// SPDX-License-Identifier: Apache-2.0
/* Each shape of request and response through the HTTP lane, in every cut: what each side gets, byte for byte. */
#include "test.h"

#include "http_case.h"

#define GET "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define UP_GET "GET / HTTP/1.1\r\n" REST
#define POST(n) "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: " n "\r\n\r\n"
#define UP_POST(n) "POST / HTTP/1.1\r\n" HOST_A "Content-Length: " n "\r\n" ADDED("a.example") "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct http_case shapes[] = {
    {"plain", GET, {{UP_GET, OK2, 0, 0}}, OK2, 1, false},
    {"empty line before", "\r\n" GET, {{UP_GET, OK2, 0, 0}}, OK2, 1, false},
    {"length both ways", POST("5") "12345", {{UP_POST("5") "12345", OK2, 0, 0}}, OK2, 1, false},
    {"length 0", POST("0"), {{UP_POST("0"), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0, 0}},
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1, false},
    {"chunked both ways, with trailers",
     "POST / HTTP/1.1\r\nHost: a.example\r\n" CHUNKED "\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\nU: 2\r\n\r\n",
     {{"POST / HTTP/1.1\r\n" HOST_A CHUNKED ADDED("a.example") "\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\nU: 2\r\n\r\n",
       "HTTP/1.1 200 OK\r\n" CHUNKED "Trailer: T\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n", 0, 0}},
     "HTTP/1.1 200 OK\r\n" CHUNKED "Trailer: T\r\n\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n", 1, false},
    {"until close", GET, {{UP_GET, "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nall of it", true, 0}},
     "HTTP/1.1 200 OK\r\nServer: x\r\nConnection: close\r\n\r\nall of it", 0, true},
    {"until close, empty", GET, {{UP_GET, "HTTP/1.1 200 OK\r\n\r\n", true, 0}}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0, true},
    {"HEAD with a length", "HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n" GET,
     {{"HEAD / HTTP/1.1\r\n" REST, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 0, 0}, {UP_GET, OK2, 0, 0}},
     "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" OK2, 2, false},
    {"HEAD with a coding", "HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n",
     {{"HEAD / HTTP/1.1\r\n" REST, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", 0, 0}}, "HTTP/1.1 200 OK\r\n" CHUNKED "\r\n", 1, false},
    {"204", GET, {{UP_GET, "HTTP/1.1 204 No Content\r\n\r\n", 0, 0}}, "HTTP/1.1 204 No Content\r\n\r\n", 1, false},
    {"304 with a length", GET GET, {{UP_GET, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 0, 0}, {UP_GET, OK2, 0, 0}},
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" OK2, 2, false},
    /* RFC 9110 §8.6, RFC 9112 §6.1: a 1xx or 204 has neither; whoever believes them would wait for a body. */
    {"204 with a length", GET, {{UP_GET, "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\nA: b\r\n\r\n", 0, 0}},
     "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n", 1, false},
    {"103 with a coding", GET, {{UP_GET, "HTTP/1.1 103 Early Hints\r\n" CHUNKED "Link: x\r\n\r\n" OK2, 0, 0}},
     "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK2, 1, false},
    {"interim responses", POST("3") "abc",
     {{UP_POST("3") "abc", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK2, 0, 0}},
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK2, 1, false},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a.example\r\n\r\n",
     {{"GET / HTTP/1.0\r\n" REST, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", true, 0}},
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 0, true},
    {"HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a.example\r\n\r\n",
     {{"GET / HTTP/1.0\r\n" REST, OK2, 0, 0}},
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok", 0, false},
    {"HTTP/1.0 gets no interim response", "GET / HTTP/1.0\r\nHost: a.example\r\n\r\n",
     {{"GET / HTTP/1.0\r\n" REST, "HTTP/1.1 103 Early Hints\r\n\r\n" OK2, 0, 0}},
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 0, true},
    {"close asked for", "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n", {{UP_GET, OK2, 0, 0}},
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 1, true},
    {"the pod closes", GET GET, {{UP_GET, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 0, 0}, {UP_GET, OK2, 0, 0}},
     OK2 OK2, 1, false},
    {"pod of HTTP/1.0", GET, {{UP_GET, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, 0}}, OK2, 0, false},
    {"an answer longer than its length", GET, {{UP_GET, OK2 "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison", 0, 0}}, OK2, 0, false},
    {"pipelined", GET POST("3") "abc" GET, {{UP_GET, OK2, 0, 0}, {UP_POST("3") "abc", OK2, 0, 0}, {UP_GET, OK2, 0, 0}},
     OK2 OK2 OK2, 3, false},
    {"upgrade refused by the pod", "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" GET,
     {{"GET / HTTP/1.1\r\n" HOST_A ADDED("a.example") "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n", OK2, 0, 0}, {UP_GET, OK2, 0, 0}},
     OK2 OK2, 2, false},
    {"no upgrade to h2c", "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: x\r\n\r\n",
     {{UP_GET, OK2, 0, 0}}, OK2, 1, false},
    {"upgrade that Connection does not name", "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n",
     {{UP_GET, OK2, 0, 0}}, OK2, 1, false},
    {"hop-by-hop fields",
     "GET / HTTP/1.1\r\nKeep-Alive: 5\r\nA: 1\r\nTE: trailers\r\nHost: a.example\r\nProxy-Connection: x\r\nB: 2\r\n"
     "Connection: b, c\r\nProxy-Authorization: x\r\nC: 3\r\nD: 4\r\n\r\n",
     {{"GET / HTTP/1.1\r\n" HOST_A "A: 1\r\nD: 4\r\n" ADDED("a.example") "\r\n",
       "HTTP/1.1 200 OK\r\nKeep-Alive: 1\r\nConnection: x\r\nX: 1\r\nY: 2\r\nContent-Length: 2\r\nProxy-Authenticate: a\r\n\r\nok", 0, 0}},
     "HTTP/1.1 200 OK\r\nY: 2\r\nContent-Length: 2\r\n\r\nok", 1, false},
    {"Connection can't name what frames or routes",
     "POST / HTTP/1.1\r\nConnection: host, content-length, transfer-encoding, x-forwarded-for\r\nHost: a.example\r\nContent-Length: 2\r\n\r\nab",
     {{UP_POST("2") "ab", "HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 2\r\n\r\nok", 0, 0}}, OK2, 1, false},
    {"said by the client, believed by nobody",
     "GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nX-Forwarded-Port: 1\r\n"
     "X-Real-IP: 1.1.1.1\r\nX-Request-ID: mine\r\nForwarded: for=1.1.1.1\r\nX-Forwarded-Whatever: 1\r\nHost: a.example\r\n"
     "ssl-client-verify: SUCCESS\r\nSSL-Client-Subject-DN: CN=root\r\nssl-client-cert: x\r\nx-forwarded-for: 2.2.2.2\r\n\r\n",
     {{UP_GET, OK2, 0, 0}}, OK2, 1, false},
    /* CGI, WSGI and their kin make one variable of `-` and `_`. */
    {"the same with underscores",
     "GET / HTTP/1.1\r\nX_Forwarded_For: 1.1.1.1\r\nx-forwarded_proto: https\r\nX_Real-IP: 1.1.1.1\r\nHost: a.example\r\n"
     "SSL_CLIENT_VERIFY: SUCCESS\r\nssl-client_subject_dn: CN=root\r\nX_Request_ID: mine\r\nmy_own: stays\r\n\r\n",
     {{"GET / HTTP/1.1\r\n" HOST_A "my_own: stays\r\n" ADDED("a.example") "\r\n", OK2, 0, 0}}, OK2, 1, false},
    {"absolute form", "GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n", {{"GET /x?y HTTP/1.1\r\n" REST, OK2, 0, 0}}, OK2, 1, false},
    {"absolute form without a path", "GET http://A.example?y HTTP/1.1\r\nHost: a.example\r\n\r\n",
     {{"GET /?y HTTP/1.1\r\nHost: A.example\r\n" ADDED("A.example") "\r\n", OK2, 0, 0}}, OK2, 1, false},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", {{"OPTIONS * HTTP/1.1\r\n" REST, OK2, 0, 0}}, OK2, 1, false},
    {"host in another case, with port and dot", "GET / HTTP/1.1\r\nHost: A.EXAMPLE.:80\r\n\r\n",
     {{"GET / HTTP/1.1\r\nHost: A.EXAMPLE.:80\r\n" ADDED("A.EXAMPLE.:80") "\r\n", OK2, 0, 0}}, OK2, 1, false},
    {"the path as it was sent", "GET /a/%2e%2E/./b//%7ec HTTP/1.1\r\nHost: a.example\r\n\r\n",
     {{"GET /a/%2e%2E/./b//%7ec HTTP/1.1\r\n" REST, OK2, 0, 0}}, OK2, 1, false},
    {"different pools on one connection", "GET /q HTTP/1.1\r\nHost: a.example\r\n\r\n" GET,
     {{"GET /q HTTP/1.1\r\n" REST, OK2, 0, 0}, {UP_GET, OK2, 0, 0}}, OK2 OK2, 2, false},
    {"rewritten", "GET /app/x?q HTTP/1.1\r\nHost: rewrite.example\r\n\r\nGET /app HTTP/1.1\r\nHost: rewrite.example\r\n\r\n"
     "GET /v1/a%2e/../b HTTP/1.1\r\nHost: rewrite.example\r\n\r\nGET /one HTTP/1.1\r\nHost: rewrite.example\r\n\r\n",
     {{"GET /x?q HTTP/1.1\r\nHost: rewrite.example\r\n" ADDED("rewrite.example") "\r\n", OK2, 0, 0},
      {"GET / HTTP/1.1\r\nHost: rewrite.example\r\n" ADDED("rewrite.example") "\r\n", OK2, 0, 0},
      {"GET /v2/api/b HTTP/1.1\r\nHost: rewrite.example\r\n" ADDED("rewrite.example") "\r\n", OK2, 0, 0},
      {"GET /two HTTP/1.1\r\nHost: rewrite.example\r\n" ADDED("rewrite.example") "\r\n", OK2, 0, 0}}, OK2 OK2 OK2 OK2, 4, false},
    {"HSTS only over TLS", "GET / HTTP/1.1\r\nHost: hsts.example\r\n\r\n",
     {{"GET / HTTP/1.1\r\nHost: hsts.example\r\n" ADDED("hsts.example") "\r\n", OK2, 0, 0}}, OK2, 1, false},
    {"body of the length allowed", "POST / HTTP/1.1\r\nHost: small.example\r\nContent-Length: 10\r\n\r\n0123456789",
     {{"POST / HTTP/1.1\r\nHost: small.example\r\nContent-Length: 10\r\n" ADDED("small.example") "\r\n0123456789", OK2, 0, 0}}, OK2, 1, false},
};

#define LATER "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n"
static const struct http_case answers[] = {
    {"404 and on", "GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n", {{NULL, NULL, 0, 0}}, OWN("404 Not Found", "14", ""), 0, false},
    {"404 for HEAD", "HEAD / HTTP/1.1\r\nHost: nobody.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n", 0, false},
    {"404 with a body on its way", "POST / HTTP/1.1\r\nHost: nobody.example\r\nContent-Length: 3\r\n\r\nabc" GET, {{NULL, NULL, 0, 0}},
     OWN("404 Not Found", "14", "Connection: close\r\n"), 0, true},
    {"404 for HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nHost: nobody.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("404 Not Found", "14", "Connection: keep-alive\r\n"), 0, false},
    {"400", "GET / HTTP/1.1\r\n\r\n", {{NULL, NULL, 0, 0}}, OWN("400 Bad Request", "16", "Connection: close\r\n"), 0, true},
    {"400 at the first byte", "\x16\x03\x01", {{NULL, NULL, 0, 0}}, OWN("400 Bad Request", "16", "Connection: close\r\n"), 0, true},
    {"400 after HEAD has its text", "HEAD / HTTP/1.1\r\nHost: nobody.example\r\n\r\n???", {{NULL, NULL, 0, 0}},
     "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\r\n"
     OWN("400 Bad Request", "16", "Connection: close\r\n"), 0, true},
    {"CONNECT", "CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("400 Bad Request", "16", "Connection: close\r\n"), 0, true},
    {"absolute form against Host", "GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("400 Bad Request", "16", "Connection: close\r\n"), 0, true},
    {"413 by length", "POST / HTTP/1.1\r\nHost: small.example\r\nContent-Length: 11\r\n\r\n0123456789a", {{NULL, NULL, 0, 0}},
     OWN("413 Content Too Large", "22", "Connection: close\r\n"), 0, true},
    {"403 by allow", "GET / HTTP/1.1\r\nHost: inside.example\r\n\r\n", {{NULL, NULL, 0, 0}}, OWN("403 Forbidden", "14", ""), 0, false},
    {"403 by deny", "GET / HTTP/1.1\r\nHost: deny.example\r\n\r\n", {{NULL, NULL, 0, 0}}, OWN("403 Forbidden", "14", ""), 0, false},
    {"403 without TLS where a certificate is due", "GET / HTTP/1.1\r\nHost: mtls.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("403 Forbidden", "14", ""), 0, false},
    {"308", "GET /x?y=z HTTP/1.1\r\nHost: Redirect.example:8080\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("308 Permanent Redirect", "23", "Location: https://redirect.example/x?y=z\r\n"), 0, false},
    {"308 of an absolute form", "GET http://redirect.example/x?y=z HTTP/1.1\r\nHost: redirect.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("308 Permanent Redirect", "23", "Location: https://redirect.example/x?y=z\r\n"), 0, false},
    {"308 of an absolute form without a path", "GET http://redirect.example?y=z HTTP/1.1\r\nHost: redirect.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("308 Permanent Redirect", "23", "Location: https://redirect.example/?y=z\r\n"), 0, false},
    {"308 of OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: redirect.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("308 Permanent Redirect", "23", "Location: https://redirect.example/\r\n"), 0, false},
    {"301", "GET /x?y=z HTTP/1.1\r\nHost: moved.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("301 Moved Permanently", "22", "Location: https://new.example/x\r\n"), 0, false},
    {"acme is not redirected", "GET /.well-known/acme-challenge/t HTTP/1.1\r\nHost: redirect.example\r\n\r\n",
     {{"GET /.well-known/acme-challenge/t HTTP/1.1\r\nHost: redirect.example\r\n" ADDED("redirect.example") "\r\n", OK2, 0, 0}}, OK2, 1, false},
    {"nor is what only looks like it", "GET /.well-known/acme-challenge/../../x HTTP/1.1\r\nHost: redirect.example\r\n\r\n", {{NULL, NULL, 0, 0}},
     OWN("308 Permanent Redirect", "23", "Location: https://redirect.example/.well-known/acme-challenge/../../x\r\n"), 0, false},
    {"502 for no HTTP", GET, {{UP_GET, "SSH-2.0-x\r\n\r\n", 0, 0}}, OWN("502 Bad Gateway", "16", ""), 0, false},
    {"502 for two lengths", GET, {{UP_GET, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 0, 0}},
     OWN("502 Bad Gateway", "16", ""), 0, false},
    {"502 for a length beside a coding", GET, {{UP_GET, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" CHUNKED "\r\na", 0, 0}},
     OWN("502 Bad Gateway", "16", ""), 0, false},
    {"502 for a switch nobody asked for", GET, {{UP_GET, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 0, 0}},
     OWN("502 Bad Gateway", "16", ""), 0, false},
    {"502 for an end without an answer", GET, {{UP_GET, NULL, true, 0}}, OWN("502 Bad Gateway", "16", ""), 0, false},
    {"502 for an end in the head", GET, {{UP_GET, "HTTP/1.1 200 OK\r\nA: ", true, 0}}, OWN("502 Bad Gateway", "16", ""), 0, false},
};

static void run_all(const struct http_case *cases, size_t n)
{
	struct conf *conf = owner_parse(case_conf);
	unsigned failed = 0;
	for (size_t i = 0; i < n; i++)
		failed += !case_all_cuts(conf, &cases[i]);
	conf_free(conf);
	assert_int_equal(failed, 0);
}

static void every_shape_in_every_cut(void **state)
{
	(void)state;
	run_all(shapes, COUNT(shapes));
}

static void our_own_answers_in_every_cut(void **state)
{
	(void)state;
	run_all(answers, COUNT(answers));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_shape_in_every_cut),
	    cmocka_unit_test(our_own_answers_in_every_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
