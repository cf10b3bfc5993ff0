// SPDX-License-Identifier: Apache-2.0
/* conf_parse: what the parts of the configuration parser share. */
#ifndef BALANCE_CONF_PARSE_H
#define BALANCE_CONF_PARSE_H

#include "conf.h"
#include "words.h"

enum { HOST_MAX = 253, NAME_MAX_LEN = 255, SECONDS_MAX = 1000000 };

struct parse {
	struct conf *conf;
	struct conf_error *error;
	struct words words; /* of the current line */
	bool seen_hash, seen_workers, seen_guests, seen_control, seen_grace, seen_access_log;
};

/* Notes why the file is refused; returns false. */
__attribute__((format(printf, 2, 3))) bool parse_fail(struct parse *, const char *format, ...);
bool parse_no_memory(struct parse *);

/* For messages: a word cut to a length a person can read. */
#define SHOW(w) (int)((w).len > 80 ? 80 : (w).len), (w).at

/* False, with the reason, the second time. */
bool parse_once(struct parse *, bool *seen, const char *what);
/* The one word that follows, and nothing behind it. */
bool parse_one_word(struct parse *, struct word *, const char *what);
/* A copy in the configuration's arena, NULL when memory ran out. */
char *parse_keep(struct parse *, struct word);
bool parse_name(struct parse *, const char *what, struct word *);
bool parse_unix_path(struct parse *, struct word, const char *what, const char **path);
/* `*`, `*.NAME` or NAME, as a lower-case copy. */
bool parse_host(struct parse *, const char *what, struct word, char **host);

/* The table of this name, made when it is new; NULL with the reason when memory ran out. */
struct table *conf_table(struct parse *, struct word name);

/* One kind of KEY=VALUE: reads the value into the field at `at`. */
struct pool_option;
typedef bool take_option(struct parse *, const struct pool *, const struct pool_option *, struct word value, void *at);

struct pool_option {
	const char *key;
	take_option *take;
	size_t offset; /* of the field in struct pool */
	const char *words; /* take_choice: the values in the order of their enumeration, a blank between two */
};

/* conf_health.c */
take_option take_eject, take_check, take_check_seconds, take_check_results;

/* Options of a pool line: `-x [VALUE]`, whose value is the next word, and `KEY=VALUE`, each at most once. */
void pool_defaults(struct pool *);
bool take_pool_switch(struct parse *, struct pool *, struct word);
bool take_pool_option(struct parse *, struct pool *, struct word);

/* One function per directive. */
bool take_listen(struct parse *);
bool take_pool(struct parse *);
bool take_route(struct parse *);
bool take_http(struct parse *);
bool take_trust(struct parse *);
bool take_access_log(struct parse *);
bool take_rule(struct parse *);
bool take_default(struct parse *);

#endif
