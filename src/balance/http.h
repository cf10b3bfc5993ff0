// SPDX-License-Identifier: Apache-2.0
/* http: the state of one HTTP-lane connection, and what the files of the lane call of each other. */
#ifndef BALANCE_HTTP_H
#define BALANCE_HTTP_H

#include "core_lane.h"
#include "http_msg.h"

enum http_state {
	AT_WAIT,       /* nothing of the next request is here */
	AT_HEAD,       /* a part of its head is */
	AT_CONNECT,    /* the owner looks for a pod */
	AT_EXCHANGE,   /* request going up, response coming down */
	AT_TUNNEL,     /* upgraded: bytes both ways */
	AT_REPLY,      /* an answer of our own is on its way */
	AT_LINGER,     /* answered and done: reads away what the client still sends, so that the answer is not lost to a reset */
};

struct body {
	uint64_t left; /* BODY_LENGTH */
	uint8_t framing;
	bool ended;    /* its last byte was read */
};

struct http {
	llhttp_t parser[2];        /* chunked framing, by the side the body comes from */
	struct body body[2];
	uint32_t pass[2];          /* bytes at the start of stream[side] that may go to the other side */
	struct buf *out[2];        /* a head or an answer, to go to side before anything of the stream */
	size_t seen;               /* see head_end */
	uint64_t since;            /* when this state began, ms */
	uint64_t max_body;         /* what a chunked request may still bring */
	char *hsts;                /* of the rule, or NULL */
	char *log;
	uint32_t ticket;           /* of client_take, 0: none */
	uint32_t response_ms;
	struct core_request request;
	uint8_t state;
	uint8_t method;            /* of llhttp */
	bool minor;                /* HTTP/1.1 and not 1.0 */
	bool keep_client, keep_pod;
	bool reused;               /* the pod's connection served others before */
	bool replayable;           /* may be sent again if the connection turns out to be dead; the head is kept until then */
	uint8_t retries;
	bool answered;             /* a final response's head, or an answer of our own, was begun */
	bool deaf;                 /* the pod takes no more of the request */
	bool upgrade;              /* asked for */
};

/* http.c */
void http_enter(struct core *, enum http_state);
void http_drop_out(struct core *, enum side);

/* http_body.c: lets as many of the bytes behind pass[from] go as belong to the body. False when its framing is broken or it is too long
 * (max_body tells which: UINT64_MAX for broken). */
bool http_advance(struct core *, enum side from);
/* A short body, or the start of a long one, goes out in one write with the head. */
void http_coalesce(struct core *, enum side from);
/* What was read of a request's body and will not be sent any more is passed over: the next request begins behind it. */
void http_skip_body(struct core *);

/* http_turn.c */
void http_take_head(struct core *);
void http_next_request(struct core *);
/* Answers ourselves; a refusal is the connection's last answer. */
void http_reply(struct core *, unsigned status, const char *location);
void http_refuse(struct core *, unsigned status);
void http_account(struct core *);
void http_end_client(struct core *);

/* http_exchange.c */
void http_pod_input(struct core *);
void http_pod_eof(struct core *);
/* The pod's answer can't be used: tells the client so while that is possible, else just ends. */
void http_bad_pod(struct core *, unsigned status);
/* Goes on when what was to be sent to the client is out. */
void http_settle(struct core *);
void http_pass_tunnel_end(struct core *, enum side from);

/* http_request.c: looks at the head in env->head (end bytes at the start of the client's stream), finds the pool and writes the head for
 * the pod into out[POD]. Returns 0, or the status to answer with and, for redirects, its Location in *location (valid until the
 * next call). */
unsigned http_take_request(struct core *, const struct table *, const char **location);

/* http_response.c: writes the pod's head in env->head to out[CLIENT]. False when it does not fit. */
bool http_take_response(struct core *);

/* http_reply.c: writes an answer of our own to out[CLIENT]; false when memory ran out. */
bool http_write_reply(struct core *, unsigned status, const char *location, bool close);

/* A buffer being written: complete or, once something did not fit, broken. */
struct out {
	struct buf *buf;
	bool full;
};

void out_bytes(struct out *, const char *, size_t n);
static inline void out_text(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}
void out_number(struct out *, uint64_t);
/* Copies the fields that are not marked in skip, in runs. skip[i] for env->head->fields[i]; end: just behind the last field's line. */
void out_fields(struct out *, const struct head *, const bool *skip, const char *end);

#endif
