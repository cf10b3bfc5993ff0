// SPDX-License-Identifier: Apache-2.0
/* core: from an accepted connection to its lane: PROXY header, facts, route. The lanes are relay.c and http.c. */
#include "core_lane.h"

#include "client_hello.h"
#include "proxy_write.h"

#include <stdlib.h>
#include <string.h>

void core_close_for(struct core *c, enum core_why why)
{
	if (c->state == CORE_CLOSED)
		return;
	c->state = CORE_CLOSED;
	c->why = (uint8_t)why;
	c->wants = CORE_CLOSE;
}

void core_drop_stream(struct core *c, enum side s)
{
	if (c->stream[s] != NULL)
		buf_put(&c->env->bufs, c->stream[s]);
	c->stream[s] = NULL;
}

struct iovec core_room(struct core *c, enum side s)
{
	if (c->stream[s] == NULL && (c->stream[s] = buf_get(&c->env->bufs)) == NULL) {
		core_close_for(c, WHY_MEMORY);
		return (struct iovec){0};
	}
	struct buf *b = c->stream[s];
	return (struct iovec){b->data + b->w, BUF_SIZE - b->w};
}

static unsigned port_of(const struct addr *a)
{
	if (a->len == 0)
		return 0;
	return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

/* The lane follows from listener, port and SNI: a port with routes has nothing else, a route means TCP, else the listener's table means
 * HTTP. local: what the client connected to, as the PROXY header says; NULL: there was none. */
static void choose_lane(struct core *c, const struct addr *local)
{
	const struct listener *l = conf_listener(c->env->conf, c->listener);
	const struct routes *of_port = l == NULL || l->ports_n == 0 || local == NULL ? NULL : conf_port_routes(l, port_of(local));
	const struct routes *routes = of_port != NULL ? of_port : l == NULL ? NULL : &l->routes;
	const struct pool *pool = routes == NULL ? NULL : routes_find(routes, c->sni == NULL ? "" : c->sni, c->sni_len);
	if (pool != NULL)
		relay_start(c, pool);
	else if (l != NULL && l->table != NULL && of_port == NULL)
		http_start(c, l->table);
	else
		core_close_for(c, WHY_NO_ROUTE);
}

static bool is_waiting(const struct core *c)
{
	return c->state == CORE_READ_PROXY || c->state == CORE_READ_HELLO;
}

static void expect_hello(struct core *c)
{
	c->state = CORE_READ_HELLO;
	c->hello = calloc(1, sizeof *c->hello);
	if (c->hello == NULL)
		core_close_for(c, WHY_MEMORY);
}

void core_start(struct core *c, struct core_env *env, const struct listener *l, const struct addr *peer)
{
	memset(c, 0, sizeof *c);
	c->env = env;
	c->listener = l->slot;
	c->proxy = (uint8_t)l->proxy;
	c->client = *peer;
	addr_unmap(&c->client);
	c->last = env->now;
	c->state = CORE_READ_PROXY;
	if (l->trusted && !cidr_contains(&env->conf->trust, &c->client))
		c->proxy = PROXY_NONE;
	if (c->proxy == PROXY_NONE && l->sni)
		expect_hello(c);
	else if (c->proxy == PROXY_NONE)
		choose_lane(c, NULL);
}

void core_end(struct core *c)
{
	if (c->http != NULL)
		http_end(c);
	core_drop_stream(c, CLIENT);
	core_drop_stream(c, POD);
	free(c->sni);
	free(c->cert);
	free(c->origin);
	free(c->hello);
	c->hello = NULL;
	c->sni = c->cert = NULL;
	c->origin = NULL;
	c->state = CORE_CLOSED;
}

static bool keep_bytes(char **to, const char *from, size_t n)
{
	if (n == 0)
		return true;
	*to = malloc(n);
	if (*to != NULL)
		memcpy(*to, from, n);
	return *to != NULL;
}

static bool keep_facts(struct core *c, const struct facts *f)
{
	if (f->client.len != 0)
		c->client = f->client;
	addr_unmap(&c->client);
	c->tls = f->tls;
	c->client_cert = f->client_cert;
	c->client_verified = f->client_verified;
	c->sni_len = (uint8_t)f->sni_len;
	c->cert_len = f->cert_len;
	const enum send_proxy most = c->env->conf->send_proxy;
	if (most != SEND_PROXY_NONE && (c->origin = origin_keep(most, f)) == NULL)
		return false;
	return keep_bytes(&c->sni, f->sni, f->sni_len) && keep_bytes(&c->cert, f->cert, f->cert_len);
}

/* The facts of a connection whose TLS is not ours: the name is what the client asks for, and no more is known. */
static bool keep_hello(struct core *c, const struct client_hello *hello)
{
	/* PP2_CLIENT_SSL, nothing verified (§2.2.5). */
	static const char ssl[5] = {1, 0, 0, 0, 1};
	struct facts f = {.sni = hello->name, .sni_len = hello->name_len, .ssl = ssl, .ssl_len = sizeof ssl};
	const enum send_proxy most = c->env->conf->send_proxy;
	/* A load balancer has its own port; what counts is which of ours it came to. */
	const struct listener *l = conf_listener(c->env->conf, c->listener);
	if (c->origin != NULL && c->origin->local.len != 0 && l != NULL && l->addr.len != 0) {
		f.local = c->origin->local;
		*(f.local.sa.sa_family == AF_INET6 ? &f.local.in6.sin6_port : &f.local.in.sin_port) = htons((uint16_t)port_of(&l->addr));
	}
	free(c->origin);
	free(c->sni);
	c->origin = NULL;
	c->sni = NULL;
	c->tls = true;
	c->sni_len = hello->name_len;
	if (most != SEND_PROXY_NONE && (c->origin = origin_keep(most, &f)) == NULL)
		return false;
	return keep_bytes(&c->sni, f.sni, f.sni_len);
}

/* The last n bytes of the buffer are new. */
static void read_hello(struct core *c, size_t n)
{
	const struct buf *b = c->stream[CLIENT];
	switch (client_hello_feed(c->hello, b->data + b->w - n, n)) {
	case HELLO_MORE:
		if (b->w == BUF_SIZE)
			core_close_for(c, WHY_PROXY);
		return;
	case HELLO_BAD:
		core_close_for(c, WHY_PROXY);
		return;
	case HELLO_OK:
		break;
	}
	const bool kept = keep_hello(c, c->hello);
	free(c->hello);
	c->hello = NULL;
	if (kept)
		choose_lane(c, NULL);
	else
		core_close_for(c, WHY_MEMORY);
}

static void read_proxy(struct core *c)
{
	struct buf *b = c->stream[CLIENT];
	struct facts facts;
	size_t used;
	switch (proxy_parse((enum proxy_mode)c->proxy, b->data, b->w, &facts, &used)) {
	case PROXY_MORE:
		return;
	case PROXY_BAD:
		core_close_for(c, WHY_PROXY);
		return;
	case PROXY_OK:
		break;
	}
	if (!keep_facts(c, &facts)) {
		core_close_for(c, WHY_MEMORY);
		return;
	}
	b->r = (uint32_t)used;
	const size_t left = b->w - b->r;
	if (left == 0)
		core_drop_stream(c, CLIENT);
	const struct listener *l = conf_listener(c->env->conf, c->listener);
	if (l == NULL || !l->sni) {
		choose_lane(c, &facts.local);
		return;
	}
	expect_hello(c);
	if (left > 0 && c->state == CORE_READ_HELLO)
		read_hello(c, left);
}

struct iovec core_space(struct core *c, enum side from)
{
	if (c->state == CORE_CLOSED || c->ended[from])
		return (struct iovec){0};
	if (is_waiting(c))
		return core_room(c, from);
	return c->http != NULL ? http_space(c, from) : relay_space(c, from);
}

void core_input(struct core *c, enum side from, size_t n)
{
	struct buf *b = c->stream[from];
	b->w += (uint32_t)n;
	if (b->r == b->w) {
		core_drop_stream(c, from);
		return;
	}
	if (n == 0)
		return;
	if (c->state == CORE_READ_PROXY) {
		read_proxy(c); /* a trickled header does not buy time */
		return;
	}
	if (c->state == CORE_READ_HELLO) {
		read_hello(c, n);
		return;
	}
	c->last = c->env->now;
	if (c->http != NULL)
		http_input(c, from);
}

void core_eof(struct core *c, enum side from)
{
	if (c->ended[from])
		return;
	c->ended[from] = true;
	if (is_waiting(c))
		/* Somebody who connects and leaves (a port check) sends no header and breaks none. */
		core_close_for(c, c->stream[CLIENT] == NULL ? WHY_RESET : WHY_PROXY);
	else if (c->state == CORE_CLOSED)
		return;
	else if (c->http != NULL)
		http_eof(c, from);
	else
		relay_eof(c, from);
}

void core_broken(struct core *c, enum side s)
{
	if (c->state == CORE_CLOSED)
		return;
	if (c->http != NULL)
		http_broken(c, s);
	else
		relay_broken(c, s);
}

void core_client_gone(struct core *c, bool left_bytes)
{
	if (c->http != NULL)
		http_client_gone(c);
	else
		relay_client_gone(c, left_bytes);
}

struct iovec core_pending(const struct core *c, enum side to)
{
	return c->http != NULL ? http_pending(c, to) : relay_pending(c, to);
}

void core_output(struct core *c, enum side to, size_t n)
{
	c->last = c->env->now;
	if (c->http != NULL) {
		http_output(c, to, n);
		return;
	}
	c->stream[other(to)]->r += (uint32_t)n;
	relay_output(c, to);
}

size_t core_pass_limit(const struct core *c, enum side from)
{
	return c->http != NULL ? http_pass_limit(c, from) : relay_pass_limit(c, from);
}

void core_passed(struct core *c, enum side from, size_t n)
{
	c->last = c->env->now;
	if (c->http != NULL)
		http_passed(c, from, n);
}

void core_connected(struct core *c, bool reused)
{
	c->last = c->env->now;
	c->pool = NULL;
	c->ended[POD] = c->shut[POD] = false;
	if (c->http != NULL)
		http_connected(c, reused);
	else
		relay_connected(c);
}

void core_unreachable(struct core *c, enum core_failure how)
{
	c->pool = NULL;
	if (c->http != NULL)
		http_unreachable(c, how);
	else
		core_close_for(c, WHY_NO_CHANNEL);
}

void core_repool(struct core *c, const struct pool *pool)
{
	c->pool = pool;
}

bool core_is_connected(const struct core *c)
{
	return c->state == CORE_RELAYING;
}

bool core_is_pods_turn(const struct core *c)
{
	return c->http == NULL || http_is_pods_turn(c);
}

unsigned core_wants(struct core *c)
{
	unsigned wants = c->wants;
	c->wants &= CORE_CLOSE;
	return wants;
}

uint64_t core_deadline(const struct core *c)
{
	if (c->state == CORE_CLOSED)
		return UINT64_MAX;
	if (is_waiting(c))
		return c->last + CORE_PROXY_MS;
	return c->http != NULL ? http_deadline(c) : relay_deadline(c);
}

void core_expired(struct core *c)
{
	if (c->http != NULL)
		http_expired(c);
	else
		core_close_for(c, WHY_TIMEOUT);
}
