// SPDX-License-Identifier: Apache-2.0
/* conf: a configuration file, read whole and checked whole (docs/balance-config.md). */
#ifndef BALANCE_CONF_H
#define BALANCE_CONF_H

#include "addr.h"
#include "arena.h"
#include "cidr.h"
#include "http_table.h"
#include "map.h"

#include <stdint.h>

#define NO_SLOT UINT32_MAX

enum proxy_mode { PROXY_NONE, PROXY_V1 = 1, PROXY_V2 = 2, PROXY_ANY = 3 };

struct channel {
	struct addr addr;
	uint32_t max;  /* connections at a time over all workers; 0: no limit */
	uint32_t slot; /* counters; see conf_slots */
	uint32_t id;   /* keeps the counters when the address changes; 0: the address does */
	uint32_t weight; /* share of the new connections; 0: none. A command may override it (shm_shared.weight) */
};

/* How a group that is not ended by `%` chooses. */
enum lb { LB_RR, LB_LEASTCONN, LB_P2C, LB_HASH, LB_FIRST };

enum { WEIGHT_MAX = 256 };

enum send_proxy { SEND_PROXY_NONE, SEND_PROXY_V1, SEND_PROXY_V2, SEND_PROXY_V2_SSL };

/* What a check may ask for: a path, and a host with a port. */
enum { CHECK_PATH_MAX = 1024, HOST_PORT_MAX = 253 + 6 };

enum check_kind { CHECK_NONE, CHECK_TCP, CHECK_HTTP };

/* Active checks of a pool's channels. */
struct check {
	enum check_kind kind;
	const char *path, *host; /* CHECK_HTTP; host NULL: the channel's address */
	uint32_t interval_ms, timeout_ms;
	uint32_t rise, fall; /* results in a row that change a channel's state */
};

/* Passive health: failed connects in a row that put a channel out for a time. */
struct eject {
	uint32_t fails; /* 0: off */
	uint32_t base_ms, max_ms;
};

struct group {
	struct channel *channels;
	size_t n;
	bool hash;     /* ended by `%`: choose by client address modulo n, whatever the pool's strategy */
	bool plain;    /* by turns, with neither slow start nor health in its pool */
	uint32_t slot; /* cursor */
	struct schedule *schedule; /* whose turn it is; this process's own */
};

struct pool {
	const char *name;
	struct group *groups;
	size_t n;
	uint32_t connect_ms;  /* per attempt */
	uint32_t idle_ms;     /* TCP lane; 0: none */
	uint32_t response_ms; /* HTTP lane: between two reads from the pod */
	struct addr from;     /* connect from this address; len 0: any */
	bool autodisable;     /* a channel that fails gets no more connections until somebody enables it */
	bool strict_hash;     /* a hash group offers a client its one channel, or none */
	uint32_t http_slot;   /* requests by class of status; see H_* in shm.h */
	enum lb lb;
	uint32_t slow_start_ms; /* how long an endpoint that comes (back) takes to reach its weight; 0: none */
	uint32_t maxconn;       /* connections, or requests under way, over all channels and workers; 0: no limit */
	uint32_t client_limit;  /* the same per client address */
	uint32_t queue;         /* how many may wait for a place, over all workers */
	uint32_t queue_ms;
	uint32_t limit_slot;    /* places taken and who waits; see limit.h. NO_SLOT unless maxconn, client-limit or queue is given */
	enum send_proxy send_proxy;
	struct eject eject;
	struct check check;
	uint32_t retry_ms;      /* how long connecting is tried again while every channel refuses */
	uint32_t options;       /* bits of the key=value words seen, in the order of the parser's table */
};

/* TCP lane: host → pool. */
struct routes {
	struct map exact;
	struct map wildcard;       /* `b.example` for `*.b.example` */
	const struct pool *others; /* `*` */
};

struct port_routes {
	uint32_t port;
	struct routes routes;
};

struct listener {
	const char *name;
	const char *address; /* as written */
	struct addr addr;    /* len 0 for a Unix socket */
	const char *path;    /* Unix socket, or NULL */
	int backlog;
	bool v6only;
	enum proxy_mode proxy;
	bool trusted;              /* only trusted peers speak PROXY, the others come without */
	const struct table *table; /* HTTP lane, or NULL */
	uint32_t slot;
	bool sni; /* clients speak TLS: the ClientHello says which host they want, and is passed on */
	struct routes routes;
	struct port_routes *ports; /* what applies instead when the PROXY header says that the client connected to such a port */
	size_t ports_n, ports_cap;
};

struct http_conf {
	uint32_t head_ms;   /* from the first byte of a request to the end of its head */
	uint32_t idle_ms;   /* between requests */
	uint32_t body_ms;   /* between two reads of a request's body, or two writes of a response */
	uint32_t tunnel_ms; /* silence in an upgraded connection */
	uint32_t http_port, https_port; /* as clients see them */
	bool last; /* keep-alive=off: each answer is its connection's last */
};

/* Slots for what is counted over all pools: answers by exact status code (eight codes to a slot), and times. */
enum { CODE_SLOTS = 64, TIME_SLOTS = 2 };

/* … and guests together. */
enum { WORKERS_MAX = 64 };

struct conf {
	struct arena arena;
	const char *hash; /* "" when not given */
	const char *control;
	uint32_t workers;
	uint32_t guests;          /* how many other processes may join at a time; see guests.h */
	const char *guests_path;  /* where; NULL: none may */
	uint32_t grace_ms;
	struct listener **listeners;
	size_t listeners_n, listeners_cap;
	struct pool **pools;
	size_t pools_n, pools_cap;
	struct table **tables;
	size_t tables_n, tables_cap;
	struct map listener_by_name, pool_by_name, table_by_name;
	struct cidr_set trust;
	enum send_proxy send_proxy; /* the most that any pool wants */
	struct http_conf http;
	const char *access_log; /* `stdout`, a path, or NULL */
	uint32_t code_slot[CODE_SLOTS], time_slot[TIME_SLOTS];
	uint32_t slots; /* how many conf_slots visits */
};

struct conf_error {
	unsigned line; /* 0: the file as a whole */
	char reason[256];
};

/* Parses n bytes. Returns NULL with the error filled in when anything at all is wrong. */
struct conf *conf_parse(const char *text, size_t n, struct conf_error *);

void conf_free(struct conf *);

/* What the keys of pools' limit_slot begin with. */
#define CONF_LIMIT_KEY "limit "

static inline bool pool_has_limits(const struct pool *p)
{
	return p->maxconn != 0 || p->client_limit != 0 || p->queue != 0;
}

/* Visits the slot field of every listener, group and channel in the order of the text, which is the same in every process that
 * reads the same text. The key names the thing across configurations. Stops early when visit returns false. */
typedef bool conf_visit(void *with, uint32_t *slot, const char *key, size_t len);
bool conf_slots(struct conf *, conf_visit *, void *with);

/* The pool for a host on a listener: exact name, `*.` for one label, then `*`; NULL when none. The host need not be lower case. */
const struct pool *conf_route(const struct listener *, const char *host, size_t len);

/* The same for given routes. */
const struct pool *routes_find(const struct routes *, const char *host, size_t len);

/* What applies to connections to a port, or NULL when it has no routes of its own. */
const struct routes *conf_port_routes(const struct listener *, unsigned port);

/* The pool with this http_slot, or NULL. Looks at all of them: for rare occasions. */
const struct pool *conf_pool(const struct conf *, uint32_t http_slot);

/* The listener that owns a slot, or NULL. */
const struct listener *conf_listener(const struct conf *, uint32_t slot);

#endif
