// SPDX-License-Identifier: Apache-2.0
/* control_line: one line from the control socket, checked and cut up. */
#include "control_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a message shows of a word: all of a usual name, never the whole line back. */
enum { SHOWN = 80 };
#define SHOW(w) (int)((w).len > SHOWN ? SHOWN : (w).len), (w).at

struct reading {
	struct words words;
	char *reason;
};

__attribute__((format(printf, 2, 3))) static bool refuse(struct reading *r, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(r->reason, CONTROL_REASON, format, ap);
	va_end(ap);
	return false;
}

static const char *const changes[] = {
    [CHANGE_ENABLE] = "enable", [CHANGE_DISABLE] = "disable", [CHANGE_DRAIN] = "drain", [CHANGE_WEIGHT] = "weight"};

const char *control_change_name(enum channel_change change)
{
	return changes[change];
}

static bool take_change(struct reading *r, struct control_line *out, struct word w)
{
	for (enum channel_change i = CHANGE_ENABLE; i < CHANGE_WEIGHT; i++)
		if (word_is(w, changes[i])) {
			out->change = i;
			return true;
		}
	if (!word_starts(w, "weight="))
		return refuse(r, "\"%.*s\" is none of enable, disable, drain and weight=N", SHOW(w));
	out->change = CHANGE_WEIGHT;
	const size_t skip = strlen("weight=");
	if (w.len == skip || !word_number((struct word){w.at + skip, w.len - skip}, 0, WEIGHT_MAX, &out->number))
		return refuse(r, "\"%.*s\" is not a weight from 0 to %d", SHOW(w), WEIGHT_MAX);
	return true;
}

static bool take_channel(struct reading *r, struct control_line *out)
{
	struct word channel, change;
	if (!words_next(&r->words, &out->pool) || !words_next(&r->words, &channel) || !words_next(&r->words, &change))
		return refuse(r, "channel wants POOL HOST:PORT enable|disable|drain|weight=N");
	if (!addr_parse(&out->channel, channel.at, channel.len))
		return refuse(r, "\"%.*s\" is not HOST:PORT", SHOW(channel));
	return take_change(r, out, change);
}

static bool take_pools(struct reading *r, struct control_line *out)
{
	(void)words_next(&r->words, &out->pool);
	return true;
}

static bool take_top(struct reading *r, struct control_line *out)
{
	struct word w;
	out->number = CONTROL_TOP_USUAL;
	if (words_next(&r->words, &w) && !word_number(w, 1, UINT32_MAX, &out->number))
		return refuse(r, "top: \"%.*s\" is not a number of pools", SHOW(w));
	return true;
}

static const struct {
	const char *name;
	enum control_verb verb;
	bool (*take)(struct reading *, struct control_line *); /* NULL: it stands alone */
} verbs[] = {
    {"status", CONTROL_STATUS, NULL},  {"pools", CONTROL_POOLS, take_pools}, {"http", CONTROL_HTTP, NULL},
    {"top", CONTROL_TOP, take_top},    {"reload", CONTROL_RELOAD, NULL},     {"reset", CONTROL_RESET, NULL},
    {"follow", CONTROL_FOLLOW, NULL},  {"channel", CONTROL_CHANNEL, take_channel},
};

/* What `balance -i` and `-c` send has words of its own, judged elsewhere; only a NUL would cut it short unseen. */
static bool is_cli(const char *line, size_t n)
{
	return n >= 4 && memcmp(line, "cli ", 4) == 0 && memchr(line, '\0', n) == NULL;
}

bool control_line_parse(struct control_line *out, const char *line, size_t n, char reason[CONTROL_REASON])
{
	struct reading r = {.reason = reason};
	struct word name, more;
	size_t bad;
	*out = (struct control_line){0};
	reason[0] = '\0';
	if (is_cli(line, n)) {
		out->verb = CONTROL_CLI;
		out->rest = line + 4;
		return true;
	}
	if (!words_start(&r.words, line, n, &bad))
		return refuse(&r, "byte 0x%02x in column %zu is not allowed", (unsigned char)line[bad], bad + 1);
	if (!words_next(&r.words, &name))
		return refuse(&r, "unknown command");
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (!word_is(name, verbs[i].name))
			continue;
		out->verb = verbs[i].verb;
		if (verbs[i].take != NULL && !verbs[i].take(&r, out))
			return false;
		if (words_next(&r.words, &more))
			return refuse(&r, "%s: unexpected \"%.*s\"", verbs[i].name, SHOW(more));
		return true;
	}
	return refuse(&r, "unknown command");
}
