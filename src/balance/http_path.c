// SPDX-License-Identifier: Apache-2.0
/* http_path: a request path as it is compared with rules. */
#include "http_path.h"

#include "words.h"

#include <stdint.h>
#include <string.h>

bool path_is_normal(const char *p, size_t n)
{
	if (memchr(p, '%', n) != NULL)
		return false;
	for (const char *slash = p; (slash = memchr(slash, '/', n - (size_t)(slash - p))) != NULL; slash++) {
		const char *after = slash + 1;
		if (after < p + n && (*after == '.' || *after == '/'))
			return false;
		if (after >= p + n)
			break;
	}
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool decode(char *out, size_t *len, const char *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t w = 0;
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '%') {
			/* Many servers take slashes in a row for one, so a rule must not be walked around by a second one. */
			if (p[i] != '/' || w == 0 || out[w - 1] != '/')
				out[w++] = p[i];
			continue;
		}
		int high = i + 2 < n ? hex(p[i + 1]) : -1;
		int low = i + 2 < n ? hex(p[i + 2]) : -1;
		int c = high < 0 || low < 0 ? 0 : high << 4 | low;
		if (c == 0)
			return false;
		i += 2;
		if (word_is_alnum((char)c) || (c < 0x80 && strchr("-._~", c) != NULL)) {
			out[w++] = (char)c;
		} else {
			out[w++] = '%';
			out[w++] = digits[high];
			out[w++] = digits[low];
		}
	}
	*len = w;
	return true;
}

/* RFC 3986 §5.2.4, in place; the path begins with a slash. */
static size_t remove_dots(char *p, size_t n)
{
	size_t w = 0;
	for (size_t i = 0; i < n;) {
		size_t end = i + 1;
		while (end < n && p[end] != '/')
			end++;
		size_t len = end - i; /* with its leading slash */
		bool last = end == n;
		bool one = len == 2 && p[i + 1] == '.';
		bool two = len == 3 && p[i + 1] == '.' && p[i + 2] == '.';
		if (two)
			while (w > 0 && p[--w] != '/')
				;
		if (one || two) {
			if (last)
				p[w++] = '/';
		} else {
			memmove(p + w, p + i, len);
			w += len;
		}
		i = end;
	}
	return w;
}

bool path_normalise(char *out, size_t *len, const char *p, size_t n)
{
	if (!decode(out, len, p, n))
		return false;
	*len = remove_dots(out, *len);
	return true;
}
