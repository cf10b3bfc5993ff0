// SPDX-License-Identifier: Apache-2.0
/* core: what happens to one connection, without any socket.
 *
 * The owner (Balance's loop, a test, later a TLS terminator's worker) moves bytes and keeps the clock; the core decides. The
 * owner reads from a side into core_space and tells core_input; writes what core_pending shows and tells core_output; reports
 * ends, connects and failures; and after any of these does what core_wants says. The core makes no system call. It holds at most one
 * buffer per direction, and none while nothing is on its way. */
#ifndef BALANCE_CORE_H
#define BALANCE_CORE_H

#include "buf.h"
#include "conf.h"
#include "proxy.h"

#include <sys/uio.h>

enum side { CLIENT, POD };

static inline enum side other(enum side s)
{
	return s == CLIENT ? POD : CLIENT;
}

/* What the owner has to do; bits. */
enum {
	CORE_CONNECT = 1,     /* connect to a channel of core->pool, then call core_connected or core_unreachable */
	CORE_SHUT_POD = 2,    /* nothing more will be sent to the pod */
	CORE_SHUT_CLIENT = 4, /* nothing more will be sent to the client */
	CORE_CLOSE = 8,       /* both sides; core->why says why */
};

enum core_why {
	WHY_DONE,       /* both sides ended */
	WHY_PROXY,      /* missing or broken PROXY header */
	WHY_NO_ROUTE,   /* no pool for this host */
	WHY_NO_CHANNEL, /* no channel could be reached */
	WHY_TIMEOUT,    /* idle, or no PROXY header in time */
	WHY_RESET,      /* the client failed or left before the pod was reached */
	WHY_MEMORY,
};

/* What connections of one worker share. */
struct core_env {
	const struct conf *conf;
	struct buf_cache bufs;
	uint64_t now; /* milliseconds, monotonic */
};

struct core {
	struct core_env *env;
	const struct pool *pool; /* valid until env->conf is replaced; core_reroute finds it again */
	struct buf *stream[2];   /* bytes read from a side and not yet written to the other */
	struct addr client;      /* of the original client, len 0 when unknown */
	char *sni;               /* not NUL-terminated; freed once a pod is connected */
	uint32_t listener;       /* slot */
	uint32_t idle_ms;
	uint64_t last;           /* when the last byte moved */
	uint8_t state, proxy, why, wants;
	uint8_t sni_len;
	bool ended[2];           /* end of input seen */
	bool shut[2];            /* end of output asked for */
};

/* Time a client has for its PROXY header. */
enum { CORE_PROXY_MS = 10000 };

/* A connection accepted on a listener of env->conf; peer is what accept(2) said, len 0 for a Unix socket. */
void core_start(struct core *, struct core_env *, const struct listener *, const struct addr *peer);
void core_end(struct core *);

/* Where to put bytes read from a side; iov_len 0 means: leave them in the socket (back-pressure). Every core_space that gave room is
 * followed by core_input, with n = 0 when nothing came. */
struct iovec core_space(struct core *, enum side from);
void core_input(struct core *, enum side from, size_t n);
void core_eof(struct core *, enum side from);

/* A side takes no more bytes (reset, …). What a pod had sent is still delivered; follow with core_eof when there is none. */
void core_broken(struct core *, enum side);

/* Bytes waiting for a side; iov_len 0 when there are none. */
struct iovec core_pending(const struct core *, enum side to);
void core_output(struct core *, enum side to, size_t n);

/* True when bytes from a side go to the other unseen, and none of them are held here: the owner may let the kernel move them and
 * report with core_passed. */
bool core_passes(const struct core *, enum side from);
void core_passed(struct core *);

void core_connected(struct core *);
/* No channel of the pool is left to try. */
void core_unreachable(struct core *);
/* The configuration was replaced while the owner was connecting: CORE_CONNECT is asked for again, with the pool of today. */
void core_reroute(struct core *);

/* What to do now; clears it. CORE_CLOSE is asked for again and again. */
unsigned core_wants(struct core *);

/* When core_expired is due, in milliseconds of env->now; UINT64_MAX for never. */
uint64_t core_deadline(const struct core *);
void core_expired(struct core *);

bool core_is_connected(const struct core *);

#endif
