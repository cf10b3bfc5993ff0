// SPDX-License-Identifier: Apache-2.0
/* core: what happens to one connection, without any socket.
 *
 * The owner (Balance's loop, a test, later a TLS terminator's worker) moves bytes and keeps the clock; the core decides. The
 * owner reads from a side into core_space and tells core_input; writes what core_pending shows and tells core_output; reports
 * ends, connects and failures; and after any of these does what core_wants says. The core makes no system call. What it holds per
 * connection is bounded: two buffers in the TCP lane, four in the HTTP lane, none while nothing is on its way. */
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

/* What the owner has to do; bits, in this order. */
enum {
	CORE_RELEASE = 1,     /* the pod's connection is at rest and may serve others */
	CORE_DROP = 2,        /* close the pod's connection */
	CORE_CONNECT = 4,     /* connect to a channel of core->pool (core->fresh: not over a connection used before), then call
	                       * core_connected or core_unreachable. core->further: the channel of the last time failed after all, go on
	                       * behind it */
	CORE_SHUT_POD = 8,    /* nothing more will be sent to the pod */
	CORE_SHUT_CLIENT = 16, /* nothing more will be sent to the client */
	CORE_CLOSE = 32,      /* both sides; core->why says why */
};

enum core_why {
	WHY_DONE,       /* it came to its end */
	WHY_PROXY,      /* missing or broken PROXY header, or ClientHello */
	WHY_NO_ROUTE,   /* TCP lane: no pool for this host */
	WHY_NO_CHANNEL, /* TCP lane: no channel could be reached */
	WHY_TIMEOUT,
	WHY_RESET,      /* a side failed or left in the middle */
	WHY_MEMORY,
};

/* Why the owner gives up connecting. */
enum core_failure {
	FAILED_NONE,    /* there is no channel, or all are full */
	FAILED_CONNECT, /* none of them answered */
	FAILED_TIMEOUT, /* the last one did not answer in time */
};

struct core;
struct head;
struct origin;
struct client_hello;

/* One request, when it is over. */
struct core_request {
	uint16_t status;   /* 499: the client left first */
	uint32_t pool_slot; /* pool.http_slot, or NO_POOL */
	uint64_t started_us, connected_us, answered_us; /* 0: did not happen */
	uint64_t bytes_in, bytes_out; /* on the client's side, heads included */
	const char *log;   /* JSON members for the access log, or NULL */
};

#define NO_POOL UINT32_MAX

/* What the core asks of its owner. */
struct core_ops {
	/* A request goes to the pool with this http_slot; request_done follows with the same. */
	void (*request_begun)(struct core *, uint32_t pool_slot);
	void (*request_done)(struct core *, const struct core_request *);
	/* Takes one of `limit` places for a client under a rule. Returns a ticket above 0, or 0 when they are all taken. */
	uint32_t (*client_take)(struct core *, uint32_t rule, uint32_t limit);
	void (*client_release)(struct core *, uint32_t ticket);
	uint64_t (*random)(struct core *);
};

/* What the connections of one worker share. */
struct core_env {
	const struct conf *conf;
	const struct core_ops *ops;
	struct buf_cache bufs;
	uint64_t now;    /* milliseconds, monotonic */
	uint64_t now_us; /* the same in microseconds */
	struct head *head; /* scratch: the head being looked at */
	bool last;         /* the end is near: every answer is its connection's last */
};

struct core {
	struct core_env *env;
	const struct pool *pool; /* while connecting */
	struct buf *stream[2];   /* bytes read from a side and not yet written to the other */
	struct http *http;       /* HTTP lane, else NULL */
	char *sni;               /* not NUL-terminated; until a pod is connected (TCP lane), or to the end */
	struct origin *origin;   /* for PROXY headers to pods (proxy_write.h); NULL when no pool wants them. Until a pod is connected (TCP lane), or
	                          * to the end */
	struct client_hello *hello; /* while it is read */
	char *cert;              /* PEM of the client's certificate, until the end (HTTP lane only) */
	struct addr client;      /* of the original client, len 0 when unknown */
	uint32_t listener;       /* slot */
	uint32_t idle_ms;
	uint64_t last;           /* when the last byte moved */
	uint16_t cert_len;
	uint8_t state, proxy, why, wants;
	uint8_t sni_len;
	bool tls, client_cert, client_verified, fresh, further;
	bool ended[2];           /* end of input seen */
	bool shut[2];            /* end of output asked for */
	bool gone;               /* TCP lane: the client listens no more, but what it sent is still to be delivered */
	bool held[2];            /* the owner holds bytes of this side that it was allowed to pass (core_pass_limit) */
};

/* Time a client has for its PROXY header and ClientHello. */
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

/* The client is gone for good, as opposed to having ended its output. left_bytes: what it sent before is still to be read. In the TCP lane that
 * goes to the pod; in the HTTP lane it would be requests whose answers nobody waits for. */
void core_client_gone(struct core *, bool left_bytes);

/* Bytes waiting for a side; iov_len 0 when there are none. */
struct iovec core_pending(const struct core *, enum side to);
void core_output(struct core *, enum side to, size_t n);

/* How many of the next bytes from a side go to the other unseen, none of them being held here: the owner may let the kernel move up to so
 * many and reports with core_passed. */
size_t core_pass_limit(const struct core *, enum side from);
void core_passed(struct core *, enum side from, size_t n);

/* reused: over a connection that has served requests before. */
void core_connected(struct core *, bool reused);
void core_unreachable(struct core *, enum core_failure);
/* The configuration was replaced while the owner was connecting: this is the pool now; NULL: it is gone, call core_unreachable if the
 * attempt under way fails. */
void core_repool(struct core *, const struct pool *);

/* A lane has the connection: the TCP lane's pod is connected, or the HTTP lane takes requests. */
bool core_is_connected(const struct core *);

/* Whether it is the pod's turn: nothing of the request is still to come. Always so in the TCP lane, which knows no turns. */
bool core_is_pods_turn(const struct core *);

/* What to do now; clears it. CORE_CLOSE is asked for again and again. */
unsigned core_wants(struct core *);

/* When core_expired is due, in milliseconds of env->now; UINT64_MAX for never. */
uint64_t core_deadline(const struct core *);
void core_expired(struct core *);

#endif
