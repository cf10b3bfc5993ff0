// SPDX-License-Identifier: Apache-2.0
/* words: a line of configuration cut into words; nothing is copied and nothing is quoted. */
#ifndef BALANCE_WORDS_H
#define BALANCE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
	const char *at; /* not NUL-terminated */
	size_t len;     /* at least 1 in what words_next returns */
};

struct words {
	const char *at, *end;
};

/* Begins a line. False when it holds a byte outside printable ASCII, space and tab (comments included); *bad is its place. */
bool words_start(struct words *, const char *line, size_t n, size_t *bad);

/* The next word, or false at the end of the line or at a comment. */
bool words_next(struct words *, struct word *);

bool word_is(struct word, const char *);
bool word_starts(struct word, const char *prefix);

/* Only letters, digits and the bytes in `more`. */
bool word_only(struct word, const char *more);

bool word_is_alnum(char);

/* A decimal number from min to max. */
bool word_number(struct word, uint32_t min, uint32_t max, uint32_t *out);

/* Seconds with at most three decimals, as milliseconds. */
bool word_seconds(struct word, uint32_t max_seconds, uint32_t *ms);

void word_lower(char *, size_t n);

#endif
