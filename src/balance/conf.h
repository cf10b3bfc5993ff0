// SPDX-License-Identifier: Apache-2.0
/* conf: a configuration file, read whole and checked whole (docs/balance-config.md). */
#ifndef BALANCE_CONF_H
#define BALANCE_CONF_H

#include "addr.h"
#include "arena.h"
#include "map.h"

#include <stdint.h>

enum proxy_mode { PROXY_NONE, PROXY_V1 = 1, PROXY_V2 = 2, PROXY_ANY = 3 };

struct channel {
	struct addr addr;
	uint32_t max;  /* connections at a time over all workers; 0: no limit */
	uint32_t slot; /* counters; see conf_slots */
};

struct group {
	struct channel *channels;
	size_t n;
	bool hash;     /* choose by client address instead of round robin */
	uint32_t slot; /* cursor */
};

struct pool {
	const char *name;
	struct group *groups;
	size_t n;
	uint32_t connect_ms; /* per attempt */
	uint32_t idle_ms;    /* 0: none */
};

struct listener {
	const char *name;
	const char *address; /* as written */
	struct addr addr;    /* len 0 for a Unix socket */
	const char *path;    /* Unix socket, or NULL */
	int backlog;
	bool v6only;
	enum proxy_mode proxy;
	uint32_t slot;
	struct map exact;          /* host → pool */
	struct map wildcard;       /* `b.example` for `*.b.example` → pool */
	const struct pool *others; /* `*` */
};

struct conf {
	struct arena arena;
	const char *hash; /* "" when not given */
	const char *control;
	uint32_t workers;
	uint32_t grace_ms;
	struct listener **listeners;
	size_t listeners_n, listeners_cap;
	struct pool **pools;
	size_t pools_n, pools_cap;
	struct map listener_by_name, pool_by_name;
	uint32_t slots; /* how many conf_slots visits */
};

struct conf_error {
	unsigned line; /* 0: the file as a whole */
	char reason[256];
};

/* Parses n bytes. Returns NULL with the error filled in when anything at all is wrong. */
struct conf *conf_parse(const char *text, size_t n, struct conf_error *);

void conf_free(struct conf *);

/* Visits the slot field of every listener, group and channel in the order of the text, which is the same in every process that
 * reads the same text. The key names the thing across configurations. Stops early when visit returns false. */
typedef bool conf_visit(void *with, uint32_t *slot, const char *key, size_t len);
bool conf_slots(struct conf *, conf_visit *, void *with);

/* The pool for a host on a listener: exact name, `*.` for one label, then `*`; NULL when none. The host need not be lower case. */
const struct pool *conf_route(const struct listener *, const char *host, size_t len);

/* The listener that owns a slot, or NULL. */
const struct listener *conf_listener(const struct conf *, uint32_t slot);

#endif
