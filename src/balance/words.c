// SPDX-License-Identifier: Apache-2.0
/* words: a line of configuration cut into words; nothing is copied and nothing is quoted. */
#include "words.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool words_start(struct words *w, const char *line, size_t n, size_t *bad)
{
	for (size_t i = 0; i < n; i++) {
		if (!is_blank(line[i]) && (line[i] < 0x21 || line[i] > 0x7e)) {
			*bad = i;
			return false;
		}
	}
	w->at = line;
	w->end = line + n;
	return true;
}

bool words_next(struct words *w, struct word *out)
{
	while (w->at < w->end && is_blank(*w->at))
		w->at++;
	if (w->at == w->end || *w->at == '#') {
		w->at = w->end;
		return false;
	}
	out->at = w->at;
	while (w->at < w->end && !is_blank(*w->at))
		w->at++;
	out->len = (size_t)(w->at - out->at);
	return true;
}

bool word_is(struct word w, const char *s)
{
	return w.len == strlen(s) && memcmp(w.at, s, w.len) == 0;
}

bool word_starts(struct word w, const char *prefix)
{
	size_t n = strlen(prefix);
	return w.len >= n && memcmp(w.at, prefix, n) == 0;
}

bool word_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool word_only(struct word w, const char *more)
{
	for (size_t i = 0; i < w.len; i++)
		if (!word_is_alnum(w.at[i]) && (w.at[i] == '\0' || strchr(more, w.at[i]) == NULL))
			return false;
	return true;
}

bool word_number(struct word w, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;
	if (w.len == 0 || w.len > 10)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.at[i] < '0' || w.at[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(w.at[i] - '0');
	}
	if (v < min || v > max)
		return false;
	*out = (uint32_t)v;
	return true;
}

bool word_seconds(struct word w, uint32_t max_seconds, uint32_t *ms)
{
	const char *dot = memchr(w.at, '.', w.len);
	struct word whole = {w.at, dot == NULL ? w.len : (size_t)(dot - w.at)};
	uint32_t seconds, fraction = 0;
	if (!word_number(whole, 0, max_seconds, &seconds))
		return false;
	if (dot != NULL) {
		struct word decimals = {dot + 1, w.len - whole.len - 1};
		if (decimals.len > 3 || !word_number(decimals, 0, 999, &fraction))
			return false;
		for (size_t i = decimals.len; i < 3; i++)
			fraction *= 10;
	}
	*ms = seconds * 1000 + fraction;
	return true;
}

void word_lower(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (s[i] >= 'A' && s[i] <= 'Z')
			s[i] += 'a' - 'A';
}
