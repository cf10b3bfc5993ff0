// SPDX-License-Identifier: Apache-2.0
/* http_msg: the head of an HTTP/1 message, parsed strictly by llhttp, and checked where proxies must be stricter. */
#include "http_msg.h"

#include <string.h>
#include <strings.h>

/* Extensions and trailers are passed on unseen; this bounds what a peer can smuggle through them (bytes per message). */
enum { CHUNK_EXTRAS_MAX = 16 * 1024 };

static struct text trim(struct text t)
{
	while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
		t.at++;
		t.len--;
	}
	while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

/* The next element of a comma-separated list; false at its end. */
static bool next_token(struct text *list, struct text *token)
{
	while (list->len > 0) {
		const char *comma = memchr(list->at, ',', list->len);
		uint32_t n = comma == NULL ? list->len : (uint32_t)(comma - list->at);
		*token = trim((struct text){list->at, n});
		list->at += n + (comma != NULL);
		list->len -= n + (comma != NULL);
		if (token->len > 0)
			return true;
	}
	return false;
}

bool text_has_token(struct text list, const char *lower)
{
	struct text token;
	while (next_token(&list, &token))
		if (text_is(token, lower))
			return true;
	return false;
}

size_t head_end(const char *p, size_t n, size_t *seen)
{
	size_t i = *seen;
	while (i < n) {
		const char *lf = memchr(p + i, '\n', n - i);
		if (lf == NULL) {
			i = n;
			break;
		}
		size_t at = (size_t)(lf - p);
		/* An empty line, with or without CR: bare line feeds are refused by the parser, but at once. Leading empty lines do not
		 * end anything (RFC 9112 §2.2); the parser skips or refuses them. */
		bool empty = at > 0 && (p[at - 1] == '\n' || (at > 1 && p[at - 1] == '\r' && p[at - 2] == '\n'));
		if (empty && at > 2) {
			*seen = at;
			return at + 1;
		}
		i = at + 1;
	}
	*seen = i;
	return 0;
}

#define NAME(name, id) {name, sizeof name - 1, id}
static const struct {
	const char *name;
	uint8_t len, id;
} known[] = {
    NAME("host", FIELD_HOST),
    NAME("connection", FIELD_CONNECTION),
    NAME("content-length", FIELD_CONTENT_LENGTH),
    NAME("transfer-encoding", FIELD_TRANSFER_ENCODING),
    NAME("upgrade", FIELD_UPGRADE),
    NAME("te", FIELD_HOP),
    NAME("keep-alive", FIELD_HOP),
    NAME("proxy-connection", FIELD_HOP),
    NAME("proxy-authenticate", FIELD_HOP),
    NAME("proxy-authorization", FIELD_HOP),
    NAME("proxy", FIELD_HOP), /* no field, but what CGI takes for HTTP_PROXY (CVE-2016-5385) */
    NAME("forwarded", FIELD_FORWARDED),
    NAME("x-forwarded-for", FIELD_X_FORWARDED_FOR),
    NAME("x-real-ip", FIELD_X_FORWARDED),
    NAME("x-request-id", FIELD_X_REQUEST_ID),
    NAME("strict-transport-security", FIELD_HSTS),
};

static uint8_t identify_plain(struct text name)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (name.len == known[i].len && strncasecmp(name.at, known[i].name, name.len) == 0)
			return known[i].id;
	if (name.len > 12 && strncasecmp(name.at, "x-forwarded-", 12) == 0)
		return FIELD_X_FORWARDED;
	if (name.len > 11 && strncasecmp(name.at, "ssl-client-", 11) == 0)
		return FIELD_SSL_CLIENT;
	return FIELD_OTHER;
}

/* CGI and its kin turn `-` and `_` into the same variable (RFC 3875 §4.1.18): what says who the client is may not come in
 * that disguise. */
static uint8_t identify(struct text name)
{
	char plain[32];
	if (memchr(name.at, '_', name.len) == NULL)
		return identify_plain(name);
	uint32_t n = name.len < sizeof plain ? name.len : sizeof plain;
	for (uint32_t i = 0; i < n; i++)
		plain[i] = (char)(name.at[i] == '_' ? '-' : name.at[i]);
	switch (identify_plain((struct text){plain, n})) {
	case FIELD_FORWARDED:
	case FIELD_X_FORWARDED_FOR:
	case FIELD_X_FORWARDED:
	case FIELD_X_REQUEST_ID:
	case FIELD_SSL_CLIENT:
		return FIELD_SSL_CLIENT;
	default:
		return FIELD_OTHER;
	}
}

/* --- llhttp's callbacks; data is the head, or NULL once the body has begun ------------------------------------ */

static int on_target(llhttp_t *p, const char *at, size_t n)
{
	struct head *h = p->data;
	h->target = (struct text){at, (uint32_t)n};
	return 0;
}

static int on_method(llhttp_t *p, const char *at, size_t n)
{
	struct head *h = p->data;
	h->method = (struct text){at, (uint32_t)n};
	return 0;
}

/* In the body these are trailers. */
static int extras(llhttp_t *p, size_t n)
{
	/* content_length is not used between chunks, status_code not at all in a body: it counts the extras in 16-byte steps. */
	uint32_t total = p->status_code + (uint32_t)(n / 16) + 1;
	p->status_code = total > UINT16_MAX ? UINT16_MAX : (uint16_t)total;
	return total > CHUNK_EXTRAS_MAX / 16 ? -1 : 0;
}

static int on_name(llhttp_t *p, const char *at, size_t n)
{
	struct head *h = p->data;
	if (h == NULL)
		return extras(p, n);
	if (h->n == HTTP_FIELDS_MAX) {
		h->refuse = 431;
		return -1;
	}
	h->fields[h->n] = (struct field){.name = {at, (uint32_t)n}};
	h->fields[h->n].value.at = at + n;
	h->n++;
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t n)
{
	struct head *h = p->data;
	if (h == NULL)
		return extras(p, n);
	h->fields[h->n - 1].value = (struct text){at, (uint32_t)n};
	return 0;
}

static int on_extension(llhttp_t *p, const char *at, size_t n)
{
	(void)at;
	return extras(p, n);
}

/* The parser forgets its flags when the message ends, which for most happens together with the head. */
static int on_head(llhttp_t *p)
{
	struct head *h = p->data;
	const bool chunked = (p->flags & F_CHUNKED) != 0;
	h->complete = true;
	h->minor = p->http_minor;
	h->keep_alive = h->minor > 0 ? (p->flags & F_CONNECTION_CLOSE) == 0 : (p->flags & F_CONNECTION_KEEP_ALIVE) != 0;
	h->framing = chunked ? BODY_CHUNKED : (p->flags & F_CONTENT_LENGTH) != 0 ? BODY_LENGTH : BODY_NONE;
	h->length = h->framing == BODY_LENGTH ? p->content_length : 0;
	h->status = p->status_code;
	p->status_code = 0; /* see extras */
	/* Lengths are counted here, chunks by the parser. */
	return chunked ? 0 : 1;
}

static int on_end(llhttp_t *p)
{
	return p->data == NULL ? HPE_PAUSED : 0;
}

static const llhttp_settings_t *settings(void)
{
	static llhttp_settings_t s;
	if (s.on_url == NULL) {
		llhttp_settings_init(&s);
		s.on_method = on_method;
		s.on_header_field = on_name;
		s.on_header_value = on_value;
		s.on_chunk_extension_name = on_extension;
		s.on_chunk_extension_value = on_extension;
		s.on_headers_complete = on_head;
		s.on_message_complete = on_end;
		s.on_url = on_target;
	}
	return &s;
}

/* --- what a proxy checks beyond the grammar ------------------------------------------------------------------- */

/* Each name in Connection is compared with each field: without a bound a head of 28 KB keeps us busy for milliseconds. */
enum { LISTED_MAX = 32 };

static void mark_listed(struct head *h, struct text list, unsigned *names)
{
	struct text token;
	while (next_token(&list, &token)) {
		if (++*names > LISTED_MAX) {
			h->refuse = 431;
			return;
		}
		for (uint32_t i = 0; i < h->n; i++) {
			struct field *f = &h->fields[i];
			/* A client must not make us drop what frames or routes the message. */
			if (f->id != FIELD_HOST && f->id != FIELD_CONTENT_LENGTH && f->id != FIELD_TRANSFER_ENCODING &&
			    f->name.len == token.len && strncasecmp(f->name.at, token.at, token.len) == 0)
				f->listed = true;
		}
	}
}

static void look_at_fields(struct head *h)
{
	bool upgrade_field = false, upgrade_listed = false;
	unsigned names = 0;
	for (uint32_t i = 0; i < h->n; i++) {
		struct field *f = &h->fields[i];
		f->value = trim(f->value);
		f->id = identify(f->name);
		switch (f->id) {
		case FIELD_HOST:
			h->hosts += h->hosts < 2;
			h->host = f->value;
			break;
		case FIELD_CONTENT_LENGTH:
			h->lengths += h->lengths < 2;
			break;
		case FIELD_TRANSFER_ENCODING:
			/* "chunked" alone is the one coding that everybody agrees on (RFC 9112 §6.1). */
			h->codings = h->codings == 0 && text_is(f->value, "chunked") ? 1 : 2;
			break;
		case FIELD_UPGRADE:
			upgrade_field = true;
			break;
		case FIELD_CONNECTION:
			upgrade_listed |= text_has_token(f->value, "upgrade");
			break;
		}
	}
	for (uint32_t i = 0; i < h->n; i++)
		if (h->fields[i].id == FIELD_CONNECTION)
			mark_listed(h, h->fields[i].value, &names);
	h->upgrade = upgrade_field && upgrade_listed;
}

/* The parser stops an upgrade and what follows it, which for a head alone is no error. */
static bool accepted(llhttp_errno_t e, const struct head *h)
{
	return h->complete && (e == HPE_OK || e == HPE_PAUSED_UPGRADE);
}

static llhttp_errno_t run(struct head *h, llhttp_t *p, llhttp_type_t type, const char *at, size_t n)
{
	h->n = 0;
	h->hosts = h->lengths = h->codings = 0;
	h->refuse = 0;
	h->complete = false;
	h->host = h->target = h->method = (struct text){0};
	h->length = 0;
	h->status = 0;
	llhttp_init(p, type, settings());
	p->data = h;
	llhttp_errno_t e = llhttp_execute(p, at, n);
	p->data = NULL;
	return e;
}

/* One space after the method, a target of printable ASCII without a fragment, one space and HTTP (RFC 9112 §3); the parser takes
 * several spaces, and the protocols that borrowed the form. The line is complete, so there are bytes behind the target. */
static bool good_line(const struct head *h)
{
	if (h->method.at + h->method.len + 1 != h->target.at || memcmp(h->target.at + h->target.len, " HTTP/1.", 8) != 0)
		return false;
	for (uint32_t i = 0; i < h->target.len; i++)
		if (h->target.at[i] < 0x21 || h->target.at[i] > 0x7e || h->target.at[i] == '#')
			return false;
	return true;
}

/* Repeated lengths, a length beside a coding, a coding in HTTP/1.0: who reads on differs (RFC 9112 §6.1, §6.3, §11.2). So it is with
 * a coding that only one of us takes for chunked: the parser knows no tab behind it. */
static bool good_framing(const struct head *h)
{
	if (h->codings == 2 || h->lengths > 1 || (h->codings > 0 && (h->lengths > 0 || h->minor == 0)))
		return false;
	return h->framing == (h->codings > 0 ? BODY_CHUNKED : h->lengths > 0 ? BODY_LENGTH : BODY_NONE);
}

unsigned head_parse_request(struct head *h, llhttp_t *p, const char *at, size_t n)
{
	llhttp_errno_t e = run(h, p, HTTP_REQUEST, at, n);
	if (h->target.len > HTTP_TARGET_MAX)
		return 414;
	/* HTTP/0.9 and 2.0 are other protocols on the wire: no version that is not 1.0 or 1.1. */
	if (!accepted(e, h) || p->http_major != 1 || h->minor > 1 || !good_line(h))
		return h->refuse != 0 ? h->refuse : 400;
	h->method_id = p->method;
	look_at_fields(h);
	if (h->refuse != 0)
		return h->refuse;
	if (!good_framing(h))
		return 400;
	if (h->hosts > 1 || (h->hosts == 0 && h->minor == 1))
		return 400;
	if (h->framing == BODY_LENGTH && h->length == 0)
		h->framing = BODY_NONE;
	return 0;
}

/* The parser lets control bytes pass in the reason phrase (RFC 9112 §4 does not), which is handed on as it is. */
static bool good_reason(const char *at)
{
	for (; *at != '\r'; at++)
		if ((unsigned char)*at < 0x20 && *at != '\t')
			return false;
	return true;
}

unsigned head_parse_response(struct head *h, llhttp_t *p, const char *at, size_t n, bool for_head)
{
	llhttp_errno_t e = run(h, p, HTTP_RESPONSE, at, n);
	if (!accepted(e, h) || p->http_major != 1 || h->minor > 1 || h->status < 100 || !good_reason(at))
		return 502;
	look_at_fields(h);
	if (h->refuse != 0 || !good_framing(h))
		return 502;
	/* RFC 9112 §6.3: these have no body, whatever their fields say. */
	if (for_head || h->status < 200 || h->status == 204 || h->status == 304) {
		h->framing = BODY_NONE;
	} else if (h->framing == BODY_NONE) {
		h->framing = BODY_UNTIL_CLOSE;
		h->keep_alive = false;
	} else if (h->framing == BODY_LENGTH && h->length == 0) {
		h->framing = BODY_NONE;
	}
	return 0;
}

size_t chunks_advance(llhttp_t *p, const char *at, size_t n, bool *ended)
{
	llhttp_errno_t e = llhttp_execute(p, at, n);
	*ended = false;
	if (e == HPE_OK)
		return n;
	if (e != HPE_PAUSED)
		return SIZE_MAX;
	*ended = true;
	return (size_t)(llhttp_get_error_pos(p) - at);
}
