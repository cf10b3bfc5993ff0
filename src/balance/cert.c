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

/* The attribute types of RFC 4514 §3, and the usual others; arcs as DER bytes. */
static const char *type_name(struct der oid)
{
	static const struct {
		const char *name, *bytes;
		size_t n;
	} types[] = {
	    {"CN", "\x55\x04\x03", 3},  {"SERIALNUMBER", "\x55\x04\x05", 3}, {"C", "\x55\x04\x06", 3},
	    {"L", "\x55\x04\x07", 3},   {"ST", "\x55\x04\x08", 3},           {"STREET", "\x55\x04\x09", 3},
	    {"O", "\x55\x04\x0a", 3},   {"OU", "\x55\x04\x0b", 3},
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

/* RFC 4514 §2.4 escapes; bytes beyond ASCII as hexadecimal pairs, which is legal and safe in a header. */
static bool put_value(struct text_out *o, struct der v)
{
	char escape[4];
	for (const uint8_t *p = v.at; p < v.end; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return false;
		bool ok;
		if (*p > 0x7e) {
			snprintf(escape, sizeof escape, "\\%02X", *p);
			ok = put(o, escape, 3);
		} else if (strchr(",+\"\\<>;=", *p) != NULL || (p == v.at && (*p == '#' || *p == ' ')) ||
		           (p + 1 == v.end && *p == ' ')) {
			escape[0] = '\\';
			escape[1] = (char)*p;
			ok = put(o, escape, 2);
		} else {
			ok = put(o, (const char *)p, 1);
		}
		if (!ok)
			return false;
	}
	return true;
}

/* UTF8String, PrintableString, IA5String and TeletexString; the wide ones of old are not written out. */
static bool is_string(uint8_t tag)
{
	return tag == 0x0c || tag == 0x13 || tag == 0x16 || tag == 0x14;
}

static bool put_attribute(struct text_out *o, struct der attribute, const char *before)
{
	struct der oid, value;
	uint8_t tag;
	if (!expect(&attribute, 0x06, &oid) || !next(&attribute, &tag, &value))
		return false;
	const char *name = type_name(oid);
	if (name == NULL || !is_string(tag))
		return true; /* left out rather than guessed */
	return put(o, before, strlen(before)) && put(o, name, strlen(name)) && put(o, "=", 1) && put_value(o, value);
}

enum { RDNS_MAX = 32 };

/* RFC 4514 §2.1: the last relative name comes first. */
static bool put_name(struct text_out *o, struct der name)
{
	struct der rdns[RDNS_MAX];
	size_t n = 0;
	const char *start = o->at;
	while (name.at < name.end)
		if (n == RDNS_MAX || !expect(&name, 0x31, &rdns[n++]))
			return false;
	while (n > 0) {
		struct der rdn = rdns[--n], attribute;
		bool first = true;
		while (rdn.at < rdn.end) {
			if (!expect(&rdn, 0x30, &attribute) ||
			    !put_attribute(o, attribute, o->at == start ? "" : first ? "," : "+"))
				return false;
			first = false;
		}
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
