// SPDX-License-Identifier: Apache-2.0
/* http_request: from a request's head to a pool and a head for the pod. */
#include "http.h"

#include "cert.h"
#include "http_path.h"
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_ROOM = 256, LOCATION_ROOM = HTTP_TARGET_MAX + HOST_ROOM + 32, LOG_PATH_MAX = 2048 };

/* What a request asks for, taken apart. */
struct asked {
	struct text authority;  /* as written: of the target if it has one, else of Host */
	char host[HOST_ROOM];   /* lower case, without port and final dot */
	size_t host_len;
	struct text path;       /* as sent */
	struct text query;      /* with its question mark, or empty */
	const char *match;      /* path as it is compared */
	size_t match_len;
	char room[HTTP_TARGET_MAX + 1];
};

static bool is_host_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

static bool is_port(struct text t)
{
	if (t.len > 5)
		return false;
	for (uint32_t i = 0; i < t.len; i++)
		if (t.at[i] < '0' || t.at[i] > '9')
			return false;
	return true;
}

/* uri-host [ ":" port ] (RFC 9110 §7.2); user information is not allowed. */
static bool take_host(struct asked *a, struct text t)
{
	uint32_t n = 0;
	a->authority = t;
	if (t.len > 0 && t.at[0] == '[') {
		while (n < t.len && t.at[n] != ']')
			n++;
		if (n == t.len || n < 3)
			return false;
		n++;
		for (uint32_t i = 1; i + 1 < n; i++)
			if (strchr("0123456789abcdefABCDEF:.", t.at[i]) == NULL)
				return false;
	} else {
		while (n < t.len && is_host_byte(t.at[n]))
			n++;
	}
	if (n < t.len && (t.at[n] != ':' || !is_port((struct text){t.at + n + 1, t.len - n - 1})))
		return false;
	if (n > 0 && t.at[n - 1] == '.')
		n--;
	if (n >= HOST_ROOM)
		return false;
	for (uint32_t i = 0; i < n; i++)
		a->host[i] = (char)(t.at[i] >= 'A' && t.at[i] <= 'Z' ? t.at[i] + 32 : t.at[i]);
	a->host_len = n;
	return true;
}

/* absolute-form: scheme "://" authority, then what an origin-form would have (RFC 9112 §3.2.2). */
static bool split_absolute(struct asked *a, const struct head *h, struct text *rest)
{
	const char *at = h->target.at, *end = at + h->target.len;
	size_t scheme = strncasecmp(at, "http://", 7) == 0 ? 7 : h->target.len > 8 && strncasecmp(at, "https://", 8) == 0 ? 8 : 0;
	if (scheme == 0 || h->target.len <= scheme)
		return false;
	at += scheme;
	const char *stop = at;
	while (stop < end && *stop != '/' && *stop != '?')
		stop++;
	struct text authority = {at, (uint32_t)(stop - at)};
	/* RFC 9112 §3.2.2 lets the target win over Host. Who reads both could be told two things, so they have to agree. */
	if (authority.len == 0 || (h->hosts > 0 && (authority.len != h->host.len ||
	                                            strncasecmp(authority.at, h->host.at, authority.len) != 0)))
		return false;
	*rest = (struct text){stop, (uint32_t)(end - stop)};
	return take_host(a, authority);
}

static bool take_target(struct asked *a, const struct head *h)
{
	struct text rest = h->target;
	if (rest.len == 0 || h->method_id == HTTP_CONNECT)
		return false;
	if (rest.at[0] == '/') {
		if (!take_host(a, h->host))
			return false;
	} else if (rest.len == 1 && rest.at[0] == '*') {
		if (h->method_id != HTTP_OPTIONS || !take_host(a, h->host))
			return false;
	} else if (!split_absolute(a, h, &rest)) {
		return false;
	}
	const char *mark = rest.len == 0 ? NULL : memchr(rest.at, '?', rest.len);
	uint32_t n = mark == NULL ? rest.len : (uint32_t)(mark - rest.at);
	a->path = (struct text){rest.at, n};
	a->query = (struct text){rest.at + n, rest.len - n};
	if (n == 0 || rest.at[0] != '/')
		a->path = n == 1 ? a->path : (struct text){"/", 1}; /* `*` stays, nothing becomes the root */
	a->match = a->path.at;
	a->match_len = a->path.len;
	if (a->path.at[0] == '*') {
		a->match = "/";
		return true;
	}
	if (path_is_normal(a->path.at, a->path.len))
		return true;
	a->match = a->room;
	return path_normalise(a->room, &a->match_len, a->path.at, a->path.len);
}

static const struct rule *find_rule(const struct table *t, const struct asked *a)
{
	const struct vhost *v = table_host(t, a->host, a->host_len);
	const struct rule *r = v == NULL ? NULL : vhost_rule(v, a->match, a->match_len);
	return r != NULL ? r : t->fallback;
}

/* An ACME HTTP-01 solver is asked over plain HTTP and must answer there (RFC 8555 §8.3). */
static bool is_acme(const struct asked *a)
{
	static const char prefix[] = "/.well-known/acme-challenge/";
	return a->match_len >= sizeof prefix - 1 && memcmp(a->match, prefix, sizeof prefix - 1) == 0;
}

static bool is_sni(const struct core *c, const struct asked *a)
{
	size_t n = c->sni_len;
	if (n > 0 && c->sni[n - 1] == '.')
		n--;
	return n == a->host_len && strncasecmp(c->sni == NULL ? "" : c->sni, a->host, n) == 0;
}

static const struct field *find_field(const struct head *h, const char *lower)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (text_is(h->fields[i].name, lower))
			return &h->fields[i];
	return NULL;
}

/* The client came over TLS: to us, or to a trusted proxy that says so. */
static bool is_secure(const struct core *c, const struct head *h, bool trusted)
{
	const struct field *f = trusted ? find_field(h, "x-forwarded-proto") : NULL;
	return c->tls || (f != NULL && text_is(f->value, "https"));
}

static const char *https_location(const struct core *c, const struct asked *a)
{
	static char location[LOCATION_ROOM];
	const uint32_t port = c->env->conf->http.https_port;
	const struct text path = a->path.at[0] == '/' ? a->path : (struct text){"/", 1};
	int n = snprintf(location, sizeof location, "https://%.*s", (int)a->host_len, a->host);
	if (port != 443)
		n += snprintf(location + n, sizeof location - (size_t)n, ":%u", port);
	snprintf(location + n, sizeof location - (size_t)n, "%.*s%.*s", (int)path.len, path.at, (int)a->query.len, a->query.at);
	return location;
}

/* What a rule has to say before any pod is asked. 0: go on. */
static unsigned apply_rule(struct core *c, const struct rule *r, const struct asked *a, bool trusted, const char **location)
{
	struct http *h = c->http;
	const struct head *head = c->env->head;
	const bool secure = is_secure(c, head, trusted);
	if (r->hsts != NULL && secure && (h->hsts = strdup(r->hsts)) == NULL)
		return 503;
	if (r->client_cert && c->tls && !is_sni(c, a))
		return 421;
	if (r->ssl_redirect && !secure && !is_acme(a) && a->host_len > 0) {
		*location = https_location(c, a);
		return 308;
	}
	if (r->client_cert && (!c->tls || (r->client_required && !c->client_verified)))
		return 403;
	if ((r->allow.n > 0 && !cidr_contains(&r->allow, &c->client)) || cidr_contains(&r->deny, &c->client))
		return 403;
	if (r->redirect != NULL) {
		*location = r->redirect;
		return r->redirect_code;
	}
	h->max_body = r->max_body;
	if (head->framing == BODY_LENGTH && head->length > r->max_body)
		return 413;
	if (r->limit_conn > 0 && (h->ticket = c->env->ops->client_take(c, r->id, r->limit_conn)) == 0)
		return 503;
	return 0;
}

static void write_line(struct out *o, const struct head *h, const struct rule *r, const struct asked *a)
{
	out_bytes(o, h->method.at, h->method.len);
	out_text(o, " ");
	if (r->rewrite == NULL) {
		out_bytes(o, a->path.at, a->path.len);
	} else {
		/* A rule's path is compared with the normal form, so that is what it can be cut from. */
		size_t cut = r->path_len < a->match_len ? r->path_len : a->match_len;
		const char *rest = a->match + cut;
		size_t n = a->match_len - cut;
		size_t len = strlen(r->rewrite);
		if (n > 0 && rest[0] == '/' && r->rewrite[len - 1] == '/')
			len--;
		out_bytes(o, r->rewrite, len);
		out_bytes(o, rest, n);
	}
	out_bytes(o, a->query.at, a->query.len);
	out_text(o, h->minor ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
}

/* h2c would be a second protocol that nobody here looks into (RFC 9113 §3.1 has given it up). */
static bool may_upgrade(const struct head *h)
{
	const struct field *f = find_field(h, "upgrade");
	return h->upgrade && h->minor == 1 && h->framing == BODY_NONE && f != NULL && !text_has_token(f->value, "h2c");
}

static void mark_skipped(const struct head *h, bool trusted, bool *skip)
{
	for (uint32_t i = 0; i < h->n; i++) {
		switch (h->fields[i].id) {
		case FIELD_CONNECTION:
		case FIELD_UPGRADE:
		case FIELD_HOP:
		case FIELD_SSL_CLIENT:
		case FIELD_HOST:
		case FIELD_X_FORWARDED_FOR:
			skip[i] = true;
			break;
		case FIELD_FORWARDED:
		case FIELD_X_FORWARDED:
		case FIELD_X_REQUEST_ID:
			skip[i] = !trusted;
			break;
		default:
			skip[i] = h->fields[i].listed;
		}
	}
}

static void add(struct out *o, const char *name, const char *value, size_t n)
{
	out_text(o, name);
	out_bytes(o, value, n);
	out_text(o, "\r\n");
}

/* Adds a field unless a trusted peer has sent it. */
static void add_missing(struct out *o, const struct head *h, bool trusted, const char *lower, const char *name,
                        const char *value, size_t n)
{
	if (!trusted || find_field(h, lower) == NULL)
		add(o, name, value, n);
}

static void write_forwarded(struct core *c, struct out *o, const struct head *h, const struct asked *a, bool trusted)
{
	char client[ADDR_TEXT];
	const struct http_conf *conf = &c->env->conf->http;
	addr_format_host(&c->client, client);
	const size_t n = strlen(client);
	out_text(o, "X-Forwarded-For: ");
	for (uint32_t i = 0; i < h->n && trusted; i++) {
		if (h->fields[i].id == FIELD_X_FORWARDED_FOR && h->fields[i].value.len > 0) {
			out_bytes(o, h->fields[i].value.at, h->fields[i].value.len);
			out_text(o, ", ");
		}
	}
	add(o, "", client, n);
	add_missing(o, h, trusted, "x-real-ip", "X-Real-IP: ", client, n);
	add_missing(o, h, trusted, "x-forwarded-proto", "X-Forwarded-Proto: ", c->tls ? "https" : "http", c->tls ? 5 : 4);
	add_missing(o, h, trusted, "x-forwarded-host", "X-Forwarded-Host: ", a->authority.at, a->authority.len);
	if (!trusted || find_field(h, "x-forwarded-port") == NULL) {
		out_text(o, "X-Forwarded-Port: ");
		out_number(o, c->tls ? conf->https_port : conf->http_port);
		out_text(o, "\r\n");
	}
}

enum { ID_LEN = 32 };

static void make_id(struct core *c, char id[ID_LEN])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < ID_LEN; i += 16) {
		uint64_t r = c->env->ops->random(c);
		for (int k = 0; k < 16; k++, r >>= 4)
			id[i + k] = digits[r & 15];
	}
}

/* The certificate as ingress controllers hand it on: PEM, URL-encoded. */
static void write_cert(struct out *o, const char *pem, size_t n)
{
	char escape[4];
	out_text(o, "ssl-client-cert: ");
	for (size_t i = 0; i < n; i++) {
		/* Hitch writes OpenSSL's own form, whose label hardly anybody knows; without trust settings nothing else is different. */
		if (n - i >= 8 && memcmp(pem + i, "TRUSTED ", 8) == 0)
			i += 8;
		if (i == n)
			break;
		if (is_host_byte(pem[i])) {
			out_bytes(o, pem + i, 1);
			continue;
		}
		snprintf(escape, sizeof escape, "%%%02X", (unsigned char)pem[i]);
		out_bytes(o, escape, 3);
	}
	out_text(o, "\r\n");
}

static void write_client_cert(const struct core *c, struct out *o, bool pem)
{
	char dn[512];
	out_text(o, !c->client_cert ? "ssl-client-verify: NONE\r\n"
	            : c->client_verified ? "ssl-client-verify: SUCCESS\r\n"
	                                 : "ssl-client-verify: FAILED\r\n");
	if (c->cert == NULL)
		return;
	if (cert_subject(c->cert, c->cert_len, dn, sizeof dn))
		add(o, "ssl-client-subject-dn: ", dn, strlen(dn));
	if (pem)
		write_cert(o, c->cert, c->cert_len);
}

static void note_for_log(struct core *c, const struct asked *a, const char *id, size_t id_len)
{
	struct http *h = c->http;
	size_t size;
	char text[LOG_PATH_MAX + 1], client[ADDR_TEXT];
	FILE *f = open_memstream(&h->log, &size);
	if (f == NULL)
		return;
	addr_format_host(&c->client, client);
	fprintf(f, "\"client\":\"%s\",\"method\":\"%.*s\",\"host\":\"%.*s\",\"path\":", client,
	        (int)c->env->head->method.len, c->env->head->method.at, (int)a->host_len, a->host);
	snprintf(text, sizeof text, "%.*s", (int)a->path.len, a->path.at);
	json_string(f, text);
	snprintf(text, 65, "%.*s", (int)id_len, id);
	fputs(",\"request_id\":", f);
	json_string(f, text);
	fclose(f);
}

static unsigned write_head(struct core *c, const struct rule *r, const struct asked *a, bool trusted)
{
	struct http *h = c->http;
	const struct head *head = c->env->head;
	bool skip[HTTP_FIELDS_MAX];
	char made[ID_LEN];
	struct out o = {.buf = buf_get(&c->env->bufs)};
	if (o.buf == NULL)
		return 503;
	mark_skipped(head, trusted, skip);
	write_line(&o, head, r, a);
	add(&o, "Host: ", a->authority.at, a->authority.len);
	/* The head ends with CRLF CRLF: its last line ends two bytes before the end. */
	const struct buf *in = c->stream[CLIENT];
	out_fields(&o, head, skip, (const char *)in->data + in->r - 2);
	write_forwarded(c, &o, head, a, trusted);
	const struct field *id = trusted ? find_field(head, "x-request-id") : NULL;
	if (id == NULL) {
		make_id(c, made);
		add(&o, "X-Request-ID: ", made, ID_LEN);
	}
	if (r->client_cert)
		write_client_cert(c, &o, r->client_pem);
	if (h->upgrade) {
		const struct field *u = find_field(head, "upgrade");
		add(&o, "Connection: upgrade\r\nUpgrade: ", u->value.at, u->value.len);
	}
	out_text(&o, "\r\n");
	if (c->env->conf->access_log != NULL)
		note_for_log(c, a, id != NULL ? id->value.at : made, id != NULL ? id->value.len : ID_LEN);
	if (o.full) {
		buf_put(&c->env->bufs, o.buf);
		return 431;
	}
	h->out[POD] = o.buf;
	return 0;
}

unsigned http_take_request(struct core *c, const struct table *t, const char **location)
{
	static struct asked asked; /* one request is looked at at a time */
	struct http *h = c->http;
	const struct head *head = c->env->head;
	*location = NULL;
	if (!take_target(&asked, head))
		return 400;
	const struct rule *r = find_rule(t, &asked);
	const bool trusted = cidr_contains(&c->env->conf->trust, &c->client);
	h->upgrade = may_upgrade(head);
	unsigned status = r == NULL ? 404 : apply_rule(c, r, &asked, trusted, location);
	if (status != 0) {
		if (c->env->conf->access_log != NULL)
			note_for_log(c, &asked, "", 0);
		return status;
	}
	h->request.pool_slot = r->pool->http_slot;
	h->response_ms = r->pool->response_ms;
	c->pool = r->pool;
	return write_head(c, r, &asked, trusted);
}
