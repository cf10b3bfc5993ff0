// SPDX-License-Identifier: Apache-2.0
/* What a client says, what pods get and answer, what the client gets: run whole, a byte at a time and in random cuts. */
#ifndef HTTP_CASE_H
#define HTTP_CASE_H

#include "http_owner.h"

/* What we add to a request for host H, before the empty line; the random source of the tests is all zeros. */
#define ID "X-Request-ID: 00000000000000000000000000000000\r\n"
#define ADDED(host)                                                                                                    \
	"X-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: " host             \
	"\r\nX-Forwarded-Port: 80\r\n" ID
/* The same behind a host alone: the whole rest of the simplest request. */
#define HOST_A "Host: a.example\r\n"
#define REST HOST_A ADDED("a.example") "\r\n"
#define OK2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define OWN(status, body, more)                                                                                        \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: " body "\r\n" more "\r\n" status "\n"

static const char case_conf[] = "listen l tcp:127.0.0.1:1 table=t\n"
                                "pool p 1.2.3.4:1\npool q -r 7 1.2.3.4:2\npool empty\n"
                                "trust 203.0.113.0/24\n"
                                "rule t a.example prefix / p\n"
                                "rule t a.example prefix /q q\n"
                                "rule t small.example prefix / p max-body=10\n"
                                "rule t one.example prefix / p limit-conn=1\n"
                                "rule t redirect.example prefix / p ssl-redirect\n"
                                "rule t moved.example prefix / - redirect=301,https://new.example/x\n"
                                "rule t rewrite.example prefix /app p rewrite=/\n"
                                "rule t rewrite.example prefix /v1 p rewrite=/v2/api\n"
                                "rule t rewrite.example exact /one p rewrite=/two\n"
                                "rule t allow.example prefix / p allow=10.0.0.0/8,192.0.2.0/24\n"
                                "rule t deny.example prefix / p deny=192.0.2.7\n"
                                "rule t inside.example prefix / p allow=10.0.0.0/8\n"
                                "rule t hsts.example prefix / p hsts=max-age=60\n"
                                "rule t mtls.example prefix / p client-cert hsts=max-age=60\n"
                                "rule t any.example prefix /only p\n";

struct exchange {
	const char *up;   /* what the pod gets of it */
	const char *down; /* what the pod says then; NULL: nothing */
	bool eof;         /* … and then ends */
	bool early;       /* says it once it has the head, and `up` is what it gets at most */
};

struct http_case {
	const char *name, *client;
	struct exchange x[5];
	const char *to_client;
	unsigned releases;
	bool closed; /* in the end both sides are shut, else the next request is awaited */
};

enum cut { CUT_WHOLE, CUT_BYTES, CUT_RANDOM };

struct case_run {
	struct owner *o;
	const struct http_case *k;
	size_t sent;          /* of the client's */
	unsigned x;           /* exchange under way */
	size_t up_before, down;
	bool ended;
	uint64_t random;
	enum cut cut;
};

static inline uint32_t case_random(struct case_run *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return (uint32_t)(r->random >> 16);
}

static inline size_t case_step(struct case_run *r)
{
	return r->cut == CUT_WHOLE ? SIZE_MAX : r->cut == CUT_BYTES ? 1 : 1 + case_random(r) % 97;
}

/* The pod speaks once it has heard all it waits for. */
static inline bool case_pod_may(const struct case_run *r)
{
	const struct exchange *x = &r->k->x[r->x];
	const size_t have = r->o->got[POD].n - r->up_before;
	if (x->up == NULL || !r->o->connected)
		return false;
	const char *end = x->early ? strstr(x->up, "\r\n\r\n") + 4 : x->up + strlen(x->up);
	return have >= (size_t)(end - x->up);
}

static inline bool case_pod(struct case_run *r)
{
	const struct exchange *x = &r->k->x[r->x];
	if (!case_pod_may(r))
		return false;
	const size_t n = x->down == NULL ? 0 : strlen(x->down);
	if (r->down < n) {
		size_t step = case_step(r);
		size_t k = owner_feed(r->o, POD, x->down + r->down, n - r->down < step ? n - r->down : step);
		r->down += k;
		return k > 0;
	}
	if (x->eof && !r->ended) {
		r->ended = true;
		owner_eof(r->o, POD);
		return true;
	}
	return false;
}

static inline bool case_next(struct case_run *r)
{
	const struct exchange *x = &r->k->x[r->x];
	if (x->up == NULL || r->o->done <= r->x)
		return false;
	/* A request is over: the next one's bytes begin here. */
	r->x++;
	r->up_before = r->o->got[POD].n;
	r->down = 0;
	r->ended = false;
	return true;
}

static inline bool case_turn(struct case_run *r)
{
	const size_t all = strlen(r->k->client);
	bool moved = false;
	size_t step, n;
	if (r->cut != CUT_RANDOM || case_random(r) % 2) {
		step = case_step(r);
		n = owner_feed(r->o, CLIENT, r->k->client + r->sent, all - r->sent < step ? all - r->sent : step);
		r->sent += n;
		moved |= n > 0;
	}
	if (r->o->connecting) {
		owner_connect(r->o);
		moved = true;
	}
	if (r->cut != CUT_RANDOM || case_random(r) % 2)
		moved |= owner_drain(r->o, POD, case_step(r)) > 0;
	moved |= case_pod(r);
	if (r->cut != CUT_RANDOM || case_random(r) % 2)
		moved |= owner_drain(r->o, CLIENT, case_step(r)) > 0;
	moved |= case_next(r);
	return moved;
}

static inline bool case_same(const char *what, const struct http_case *k, const char *want, size_t want_n, const char *got, size_t n)
{
	if (want_n == n && memcmp(want, got, n) == 0)
		return true;
	fprintf(stderr, "--- %s: %s, wanted %zu:\n%.*s\n--- got %zu:\n%.*s\n---\n", k->name, what, want_n, (int)want_n, want, n,
	        (int)n, got);
	return false;
}

static inline bool case_expected(const struct case_run *r)
{
	const struct http_case *k = r->k;
	const struct owner *o = r->o;
	static char up[OWNER_ROOM];
	size_t n = 0;
	bool early = false;
	for (const struct exchange *x = k->x; x->up != NULL; x++) {
		size_t len = strlen(x->up);
		memcpy(up + n, x->up, len);
		n += len;
		early |= x->early;
	}
	bool ok = case_same("to the client", k, k->to_client, strlen(k->to_client), o->got[CLIENT].at, o->got[CLIENT].n);
	if (early) /* any part of it */
		n = o->got[POD].n < n ? o->got[POD].n : n;
	ok &= case_same("to the pod", k, up, n, o->got[POD].at, o->got[POD].n);
	if (o->releases != k->releases) {
		fprintf(stderr, "%s: %u connections released, not %u\n", k->name, o->releases, k->releases);
		ok = false;
	}
	if (k->closed != (o->closed || o->shut[CLIENT])) {
		fprintf(stderr, "%s: %s\n", k->name, k->closed ? "still open" : "closed");
		ok = false;
	}
	if (owner_held(o) != 0 && !o->closed) {
		fprintf(stderr, "%s: %u buffers are held\n", k->name, owner_held(o));
		ok = false;
	}
	return ok;
}

static inline bool case_run(const struct conf *conf, const struct http_case *k, enum cut cut, uint64_t seed)
{
	static struct owner o;
	struct addr peer;
	struct case_run r = {.o = &o, .k = k, .cut = cut, .random = seed * 0x9e3779b97f4a7c15u + 1};
	OWNER_CHECK(addr_parse(&peer, "192.0.2.7:5", 11));
	owner_begin(&o, conf, &peer);
	for (unsigned quiet = 0; quiet < 32;) /* a random turn may do nothing by chance */
		quiet = case_turn(&r) ? 0 : quiet + 1;
	bool ok = case_expected(&r);
	if (!ok)
		fprintf(stderr, "%s: cut %d, seed %llu\n", k->name, cut, (unsigned long long)seed);
	owner_end(&o);
	return ok;
}

static inline bool case_all_cuts(const struct conf *conf, const struct http_case *k)
{
	bool ok = case_run(conf, k, CUT_WHOLE, 1) && case_run(conf, k, CUT_BYTES, 1);
	for (uint64_t seed = 1; seed <= 50 && ok; seed++)
		ok = case_run(conf, k, CUT_RANDOM, seed);
	return ok;
}

#endif
