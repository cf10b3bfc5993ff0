// SPDX-License-Identifier: Apache-2.0
/* http_msg: the head of an HTTP/1 message, parsed strictly (RFC 9110, RFC 9112) by llhttp, and checked where proxies must be stricter. */
#ifndef BALANCE_HTTP_MSG_H
#define BALANCE_HTTP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <llhttp.h>

enum {
	HTTP_HEAD_MAX = 28 * 1024, /* bytes; 431 beyond */
	HTTP_TARGET_MAX = 8 * 1024, /* bytes; 414 beyond */
	HTTP_FIELDS_MAX = 128,      /* 431 beyond */
};

/* Fields that a proxy has to know. */
enum field_id {
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_UPGRADE,
	FIELD_HOP,          /* hop-by-hop and of no use to the other side: TE, Keep-Alive, Proxy-* */
	FIELD_FORWARDED,    /* says where the client is, in a way that we do not write ourselves: Forwarded */
	FIELD_X_FORWARDED_FOR,
	FIELD_X_FORWARDED,  /* -Proto, -Host, -Port, X-Real-IP, X-Forwarded-anything-else */
	FIELD_X_REQUEST_ID,
	FIELD_SSL_CLIENT,   /* ssl-client-*: facts that only we may state; and those above written with `_` */
	FIELD_HSTS,
};

struct text {
	const char *at;
	uint32_t len;
};

struct field {
	struct text name, value; /* value without surrounding blanks */
	uint8_t id;
	bool listed; /* named by Connection: belongs to this hop */
};

enum framing { BODY_NONE, BODY_LENGTH, BODY_CHUNKED, BODY_UNTIL_CLOSE };

struct head {
	struct text method, target; /* requests */
	uint16_t status;            /* responses */
	uint8_t method_id;          /* HTTP_GET … of llhttp */
	uint8_t minor;              /* HTTP/1.minor */
	uint8_t framing;
	bool keep_alive;
	bool upgrade;               /* Upgrade is there and Connection names it */
	uint64_t length;            /* BODY_LENGTH */
	uint32_t n;
	struct field fields[HTTP_FIELDS_MAX];
	struct text host; /* Host field; at NULL when absent */
	size_t size;      /* of the whole head, set by the caller */

	/* while parsing */
	uint8_t hosts, lengths, codings;
	uint16_t refuse;
	bool complete;
};

/* Where the head that begins at p ends: its length with the empty line, 0 when more bytes are needed. *seen carries on from call to call
 * (begin with 0), so that every byte is looked at once. A head that can't be legal counts as ended, for the parser to refuse. */
size_t head_end(const char *p, size_t n, size_t *seen);

/* Parses a whole head of n bytes (head_end). Returns 0, or the status to refuse with: 400, 414 or 431 for a request; 502 for a response. The parser is left ready for the body when the framing is BODY_CHUNKED. for_head: the response answers a HEAD request. */
unsigned head_parse_request(struct head *, llhttp_t *, const char *, size_t n);
unsigned head_parse_response(struct head *, llhttp_t *, const char *, size_t n, bool for_head);

/* Chunked framing: how many of n bytes belong to the body, trailers included. *ended is set at its end. SIZE_MAX: broken. */
size_t chunks_advance(llhttp_t *, const char *, size_t n, bool *ended);

/* Without case. Inline, because the length of a literal is known where it stands: most answers need no look at the bytes. */
static inline bool text_is(struct text t, const char *lower)
{
	return strlen(lower) == t.len && strncasecmp(t.at, lower, t.len) == 0;
}

bool text_has_token(struct text, const char *lower); /* in a comma-separated list */

#endif
