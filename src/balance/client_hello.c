// SPDX-License-Identifier: Apache-2.0
/* client_hello: the server name that a TLS client asks for, byte by byte through records, message and extensions. */
#include "client_hello.h"

enum { RECORD_HANDSHAKE = 22, RECORD_MAX = 16384, TYPE_CLIENT_HELLO = 1, EXTENSION_SERVER_NAME = 0, NAME_HOST = 0 };

/* What the next number is. In the order of the message (RFC 8446 §4.1.2), then of an extension (§4.2), then of a server name (RFC 6066 §3). */
enum stage {
	TYPE,
	BODY_LENGTH,
	SESSION_LENGTH, /* before it: version and random */
	CIPHERS_LENGTH,
	COMPRESSION_LENGTH,
	LIST_LENGTH,
	EXTENSION_TYPE,
	OTHER_LENGTH,
	SERVER_NAME_LENGTH,
	NAMES_LENGTH,
	NAME_TYPE,
	NAME_LENGTH,
	NAME,
};

static const uint8_t width[] = {
    [TYPE] = 1,        [BODY_LENGTH] = 3,    [SESSION_LENGTH] = 1, [CIPHERS_LENGTH] = 2,     [COMPRESSION_LENGTH] = 1,
    [LIST_LENGTH] = 2, [EXTENSION_TYPE] = 2, [OTHER_LENGTH] = 2,   [SERVER_NAME_LENGTH] = 2, [NAMES_LENGTH] = 2,
    [NAME_TYPE] = 1,   [NAME_LENGTH] = 2,    [NAME] = 0,
};

static bool is_name_byte(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

/* Steps over n bytes to the next stage. */
static bool step_over(struct client_hello *h, uint32_t n, enum stage next)
{
	h->skip = n;
	h->stage = (uint8_t)next;
	return n <= h->body;
}

static bool enter_extension(struct client_hello *h, uint32_t n)
{
	h->extension = n;
	return n <= h->list;
}

/* A number is complete. False: the message can't be one. */
static bool take_number(struct client_hello *h, uint32_t n)
{
	switch ((enum stage)h->stage) {
	case TYPE:
		h->stage = BODY_LENGTH;
		return n == TYPE_CLIENT_HELLO;
	case BODY_LENGTH:
		h->body = n;
		return n <= CLIENT_HELLO_MAX && step_over(h, 2 + 32, SESSION_LENGTH);
	case SESSION_LENGTH:
		return n <= 32 && step_over(h, n, CIPHERS_LENGTH);
	case CIPHERS_LENGTH:
		return n >= 2 && n % 2 == 0 && step_over(h, n, COMPRESSION_LENGTH);
	case COMPRESSION_LENGTH:
		return n >= 1 && step_over(h, n, LIST_LENGTH);
	case LIST_LENGTH:
		h->list = n;
		h->stage = EXTENSION_TYPE;
		return n == h->body;
	case EXTENSION_TYPE:
		h->stage = n == EXTENSION_SERVER_NAME ? SERVER_NAME_LENGTH : OTHER_LENGTH;
		return n != EXTENSION_SERVER_NAME || !h->named;
	case OTHER_LENGTH:
		return enter_extension(h, n) && step_over(h, n, EXTENSION_TYPE);
	case SERVER_NAME_LENGTH:
		h->named = true;
		h->stage = NAMES_LENGTH;
		return n >= 2 && enter_extension(h, n);
	case NAMES_LENGTH:
		h->stage = NAME_TYPE;
		return n == h->extension && n > 0;
	case NAME_TYPE:
		h->stage = NAME_LENGTH;
		return n == NAME_HOST;
	case NAME_LENGTH:
		/* One host name and nothing behind it: no client sends anything else, and OpenSSL takes nothing else. */
		h->stage = NAME;
		return n == h->extension && n > 0 && n <= sizeof h->name;
	default:
		return false;
	}
}

static bool take_byte(struct client_hello *h, unsigned char c)
{
	if (h->stage > BODY_LENGTH) {
		if (h->body == 0)
			return false;
		h->body--;
	}
	if (h->stage >= EXTENSION_TYPE) {
		if (h->list == 0)
			return false;
		h->list--;
		if (h->extension > 0)
			h->extension--;
		else if (h->stage >= NAMES_LENGTH)
			return false;
	}
	if (h->skip > 0) {
		h->skip--;
		return true;
	}
	if (h->stage == NAME) {
		h->name[h->name_len++] = (char)c;
		if (h->extension == 0)
			h->stage = EXTENSION_TYPE;
		return is_name_byte(c);
	}
	h->number = h->number << 8 | c;
	if (++h->have < width[h->stage])
		return true;
	const uint32_t n = h->number;
	h->number = h->have = 0;
	return take_number(h, n);
}

/* Type, version, length (RFC 8446 §5.1). */
static bool take_record_header(struct client_hello *h, unsigned char c)
{
	static const uint8_t type = RECORD_HANDSHAKE, major = 3;
	h->header[h->header_n++] = c;
	if ((h->header_n == 1 && c != type) || (h->header_n == 2 && c != major))
		return false;
	if (h->header_n < sizeof h->header)
		return true;
	h->header_n = 0;
	h->record = (uint32_t)h->header[3] << 8 | h->header[4];
	return h->record > 0 && h->record <= RECORD_MAX;
}

static bool is_whole(const struct client_hello *h)
{
	/* Without extensions it ends behind the compression methods (RFC 5246 §7.4.1.2). */
	const bool at_end = h->stage == EXTENSION_TYPE || (h->stage == LIST_LENGTH && h->skip == 0);
	return h->body == 0 && at_end && h->have == 0;
}

enum hello_result client_hello_feed(struct client_hello *h, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n && !h->done; i++) {
		if (h->record == 0) {
			if (!take_record_header(h, p[i]))
				return HELLO_BAD;
			continue;
		}
		h->record--;
		if (!take_byte(h, p[i]))
			return HELLO_BAD;
		h->done = is_whole(h);
		if (h->stage > BODY_LENGTH && h->body == 0 && !h->done)
			return HELLO_BAD;
	}
	return h->done ? HELLO_OK : HELLO_MORE;
}
