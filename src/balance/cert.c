// SPDX-License-Identifier: Apache-2.0
/* cert: who a client's certificate says it is. A walk through DER (X.690) to the subject of an X.509 certificate (RFC 5280 §4.1); the TLS
 * library has checked the certificate, so nothing is verified here. */
#include "cert.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { DER_MAX = 8192 };

struct der {
	const uint8_t *at, *end;
};

/* Takes the next element; false when it is not there whole. */
static bool next(struct der *d, uint8_t *tag, struct der *content)
{
	if (d->end - d->at < 2)
		return false;
	*tag = d->at[0];
	size_t n = d->at[1];
	d->at += 2;
	if (n >= 0x80) {
		size_t bytes = n & 0x7f;
		if (bytes == 0 || bytes > 2 || (size_t)(d->end - d->at) < bytes)
			return false;
		for (n = 0; bytes > 0; bytes--)
			n = n << 8 | *d->at++;
	}
	if ((size_t)(d->end - d->at) < n)
		return false;
	*content = (struct der){d->at, d->at + n};
	d->at += n;
	return true;
}

static bool expect(struct der *d, uint8_t wanted, struct der *content)
{
	uint8_t tag;
	return next(d, &tag, content) && tag == wanted;
}

static int base64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The lines between BEGIN and END; returns the number of bytes, 0 when it is not PEM. */
static size_t decode_pem(const char *pem, size_t n, uint8_t out[DER_MAX])
{
	const char *at = memchr(pem, '\n', n), *end = pem + n;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t w = 0;
	if (n < 11 || memcmp(pem, "-----BEGIN ", 11) != 0 || at == NULL)
		return 0;
	for (; at < end && *at != '-' && *at != '='; at++) {
		int v = base64(*at);
		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			if (w == DER_MAX)
				return 0;
			have -= 8;
			out[w++] = (uint8_t)(bits >> have);
		}
	}
	return w;
}

/* The names that OpenSSL, and so nginx and what was written for it, gives to attribute types; arcs as DER bytes. */
static const char *type_name(struct der oid)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} types[] = {
	    {"CN", "\x55\x04\x03", 3},           {"SN", "\x55\x04\x04", 3},           {"serialNumber", "\x55\x04\x05", 3},
	    {"C", "\x55\x04\x06", 3},            {"L", "\x55\x04\x07", 3},            {"ST", "\x55\x04\x08", 3},
	    {"street", "\x55\x04\x09", 3},       {"O", "\x55\x04\x0a", 3},            {"OU", "\x55\x04\x0b", 3},
	    {"title", "\x55\x04\x0c", 3},        {"description", "\x55\x04\x0d", 3},  {"businessCategory", "\x55\x04\x0f", 3},
	    {"postalCode", "\x55\x04\x11", 3},   {"name", "\x55\x04\x29", 3},         {"GN", "\x55\x04\x2a", 3},
	    {"initials", "\x55\x04\x2b", 3},     {"dnQualifier", "\x55\x04\x2e", 3},  {"pseudonym", "\x55\x04\x41", 3},
	    {"organizationIdentifier", "\x55\x04\x61", 3},
	    {"UID", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", 10},
	    {"DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 10},
	    {"emailAddress", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", 9},
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if ((size_t)(oid.end - oid.at) == types[i].n && memcmp(oid.at, types[i].bytes, types[i].n) == 0)
			return types[i].name;
	return NULL;
}

struct text_out {
	char *at;
	size_t left; /* with room for the NUL */
};

static bool put(struct text_out *o, const char *s, size_t n)
{
	if (n >= o->left)
		return false;
	memcpy(o->at, s, n);
	o->at += n;
	o->left -= n;
	*o->at = '\0';
	return true;
}

static bool put_text(struct text_out *o, const char *s)
{
	return put(o, s, strlen(s));
}

/* One character as UTF-8; bytes that are not printable ASCII as hexadecimal pairs (RFC 4514 §2.4), which is safe in a header. */
static bool put_character(struct text_out *o, uint32_t c, bool first, bool last)
{
	char text[16];
	unsigned char utf8[4];
	size_t n = 0;
	if (c >= 0x20 && c <= 0x7e) {
		const bool escaped = strchr(",+\"\\<>;", (int)c) != NULL || (first && c == '#') || ((first || last) && c == ' ');
		snprintf(text, sizeof text, escaped ? "\\%c" : "%c", (int)c);
		return put_text(o, text);
	}
	if (c < 0x80) {
		utf8[n++] = (unsigned char)c;
	} else if (c < 0x800) {
		utf8[n++] = (unsigned char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		utf8[n++] = (unsigned char)(0xe0 | c >> 12);
		utf8[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	} else {
		utf8[n++] = (unsigned char)(0xf0 | c >> 18);
		utf8[n++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		utf8[n++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		utf8[n++] = (unsigned char)(0x80 | (c & 0x3f));
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof text, "\\%02X", utf8[i]);
		if (!put_text(o, text))
			return false;
	}
	return true;
}

/* width: bytes of a character; 0: UTF-8, whose bytes are passed on one by one. */
static bool put_value(struct text_out *o, struct der v, size_t width)
{
	const size_t step = width == 0 ? 1 : width;
	char text[4];
	if ((size_t)(v.end - v.at) % step != 0)
		return false;
	for (const uint8_t *p = v.at; p < v.end; p += step) {
		uint32_t c = 0;
		for (size_t i = 0; i < step; i++)
			c = c << 8 | p[i];
		if (c > 0x10ffff)
			return false;
		if (width == 0 && c > 0x7f) {
			snprintf(text, sizeof text, "\\%02X", c & 0xffu);
			if (!put_text(o, text))
				return false;
		} else if (!put_character(o, c, p == v.at, p + step == v.end)) {
			return false;
		}
	}
	return true;
}

/* Bytes of a character of a string type; -1 for what is no string. Teletex is taken for Latin-1, as everybody does. */
static int string_width(uint8_t tag)
{
	switch (tag) {
	case 0x0c: /* UTF8String */
	case 0x12: /* NumericString */
	case 0x13: /* PrintableString */
	case 0x16: /* IA5String */
		return 0;
	case 0x14: /* TeletexString */
		return 1;
	case 0x1e: /* BMPString */
		return 2;
	case 0x1c: /* UniversalString */
		return 4;
	default:
		return -1;
	}
}

/* A type without a name: its numbers (X.690 §8.19). */
static bool put_oid(struct text_out *o, struct der oid)
{
	char text[24];
	uint64_t n = 0;
	bool first = true;
	for (; oid.at < oid.end; oid.at++) {
		if (n >> 56 != 0)
			return false;
		n = n << 7 | (*oid.at & 0x7f);
		if (*oid.at & 0x80)
			continue;
		const unsigned root = n < 40 ? 0 : n < 80 ? 1 : 2;
		if (first)
			snprintf(text, sizeof text, "%u.%llu", root, (unsigned long long)(n - root * 40));
		else
			snprintf(text, sizeof text, ".%llu", (unsigned long long)n);
		if (!put_text(o, text))
			return false;
		first = false;
		n = 0;
	}
	return !first && (oid.end[-1] & 0x80) == 0;
}

/* Nothing is left out, or two subjects could look the same: what has no name or no text is written as RFC 4514 §2.4 says, `#` and the
 * bytes of the value. */
static bool put_attribute(struct text_out *o, struct der attribute)
{
	struct der oid, value, whole;
	uint8_t tag;
	char text[4];
	if (!expect(&attribute, 0x06, &oid))
		return false;
	whole = attribute;
	if (!next(&attribute, &tag, &value))
		return false;
	const char *name = type_name(oid);
	if (!(name != NULL ? put_text(o, name) : put_oid(o, oid)) || !put_text(o, "="))
		return false;
	if (name != NULL && string_width(tag) >= 0)
		return put_value(o, value, (size_t)string_width(tag));
	if (!put_text(o, "#"))
		return false;
	for (const uint8_t *p = whole.at; p < value.end; p++) {
		snprintf(text, sizeof text, "%02X", *p);
		if (!put_text(o, text))
			return false;
	}
	return true;
}

enum { PARTS_MAX = 32 };

/* The elements of a SEQUENCE or SET; false when there are too many or one is broken. */
static bool list(struct der d, uint8_t tag, struct der parts[PARTS_MAX], size_t *n)
{
	for (*n = 0; d.at < d.end; ++*n)
		if (*n == PARTS_MAX || !expect(&d, tag, &parts[*n]))
			return false;
	return true;
}

/* RFC 4514 §2.1: the last relative name comes first; OpenSSL turns what is inside it around too. */
static bool put_name(struct text_out *o, struct der name)
{
	struct der rdns[PARTS_MAX], attributes[PARTS_MAX];
	size_t n, k;
	const char *start = o->at;
	if (!list(name, 0x31, rdns, &n))
		return false;
	while (n > 0) {
		if (!list(rdns[--n], 0x30, attributes, &k))
			return false;
		for (const char *before = o->at == start ? "" : ","; k > 0; before = "+")
			if (!put_text(o, before) || !put_attribute(o, attributes[--k]))
				return false;
	}
	return true;
}

bool cert_subject(const char *pem, size_t n, char *dn, size_t size)
{
	uint8_t bytes[DER_MAX];
	struct der d = {bytes, bytes + decode_pem(pem, n, bytes)}, cert, tbs, part;
	struct text_out out = {dn, size};
	uint8_t tag;
	if (size == 0 || !expect(&d, 0x30, &cert) || !expect(&cert, 0x30, &tbs) || !next(&tbs, &tag, &part))
		return false;
	dn[0] = '\0';
	/* [0] version is optional; then serial number, signature, issuer, validity, subject. */
	if (tag == 0xa0 && !next(&tbs, &tag, &part))
		return false;
	for (int i = 0; i < 3; i++)
		if (!expect(&tbs, 0x30, &part))
			return false;
	return expect(&tbs, 0x30, &part) && put_name(&out, part);
}
