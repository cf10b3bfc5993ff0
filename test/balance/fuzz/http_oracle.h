// SPDX-License-Identifier: Apache-2.0
/* A second opinion for the HTTP lane: what the client sent, what pods got and what the client got, each read by another parser than ours.
 * llhttp reads requests as a strict server does, straight through; the client's side is read by the few lines below. Every message
 * a pod gets must be one the client sent: same method, same target, same body, in the client's order. */
#ifndef HTTP_ORACLE_H
#define HTTP_ORACLE_H

#include "../unit/http_owner.h"

enum { MESSAGES = 64 };

struct message_seen {
	uint8_t method;
	bool trailers, complete;
	uint32_t hosts, target_n;
	uint64_t body, body_n; /* hash and length */
	char target[HTTP_TARGET_MAX + 1];
};

struct reading {
	unsigned n, ended; /* messages begun, and complete */
	bool stopped;      /* an upgrade or a broken message: nothing more is read */
	llhttp_t parser;
	char field[16];
	size_t field_n;
	struct message_seen at[MESSAGES + 1]; /* what is beyond shares the last place */
};

static inline struct message_seen *reading_now(llhttp_t *p)
{
	struct reading *r = p->data;
	return &r->at[r->n <= MESSAGES ? r->n - 1 : MESSAGES];
}

static inline int reading_begin(llhttp_t *p)
{
	struct reading *r = p->data;
	r->n++;
	struct message_seen *m = reading_now(p);
	m->method = 0;
	m->complete = m->trailers = false;
	m->hosts = m->target_n = 0;
	m->body = 0xcbf29ce484222325u;
	m->body_n = 0;
	return 0;
}

static inline int reading_target(llhttp_t *p, const char *at, size_t n)
{
	struct message_seen *m = reading_now(p);
	if (m->target_n + n > HTTP_TARGET_MAX)
		return -1;
	memcpy(m->target + m->target_n, at, n);
	m->target_n += (uint32_t)n;
	return 0;
}

static inline int reading_field(llhttp_t *p, const char *at, size_t n)
{
	struct reading *r = p->data;
	for (size_t i = 0; i < n; i++, r->field_n++)
		if (r->field_n < sizeof r->field)
			r->field[r->field_n] = at[i];
	return 0;
}

static inline int reading_field_end(llhttp_t *p)
{
	struct reading *r = p->data;
	reading_now(p)->hosts += !reading_now(p)->trailers && r->field_n == 4 && strncasecmp(r->field, "host", 4) == 0;
	r->field_n = 0;
	return 0;
}

static inline int reading_head_end(llhttp_t *p)
{
	reading_now(p)->trailers = true;
	return 0;
}

static inline int reading_body(llhttp_t *p, const char *at, size_t n)
{
	struct message_seen *m = reading_now(p);
	for (size_t i = 0; i < n; i++)
		m->body = (m->body ^ (unsigned char)at[i]) * 0x100000001b3u;
	m->body_n += n;
	return 0;
}

static inline int reading_end(llhttp_t *p)
{
	struct reading *r = p->data;
	reading_now(p)->method = p->method;
	reading_now(p)->complete = true;
	r->ended++;
	return 0;
}

/* Reads requests; nothing lenient but what says nothing about framing: bytes behind a message that closes. */
static inline void reading_start(struct reading *r)
{
	static llhttp_settings_t s;
	llhttp_settings_init(&s);
	s.on_message_begin = reading_begin;
	s.on_url = reading_target;
	s.on_header_field = reading_field;
	s.on_header_field_complete = reading_field_end;
	s.on_headers_complete = reading_head_end;
	s.on_body = reading_body;
	s.on_message_complete = reading_end;
	r->n = r->ended = 0;
	r->field_n = 0;
	r->stopped = false;
	llhttp_init(&r->parser, HTTP_REQUEST, &s);
	r->parser.data = r;
}

/* False when it is no HTTP. switched: after an upgrade come other bytes. */
static inline bool reading_feed(struct reading *r, const char *at, size_t n, bool switched)
{
	r->stopped |= switched && r->n == r->ended;
	if (r->stopped)
		return true;
	while (n > 0) {
		llhttp_errno_t e = llhttp_execute(&r->parser, at, n);
		if (e == HPE_OK)
			return true;
		if (e != HPE_PAUSED_UPGRADE) {
			r->stopped = true;
			return false;
		}
		const char *stop = llhttp_get_error_pos(&r->parser);
		n -= (size_t)(stop - at);
		at = stop;
		if (switched && n > 0) {
			r->stopped = true;
			return true;
		}
		llhttp_resume_after_upgrade(&r->parser);
	}
	return true;
}

static inline bool same_message(const struct message_seen *sent, const struct message_seen *got)
{
	if (sent->method != got->method || sent->body_n != got->body_n || sent->body != got->body)
		return false;
	/* An absolute form goes on as the origin form. */
	if (sent->target_n > 0 && sent->target[0] != '/' && sent->target[0] != '*')
		return true;
	return sent->target_n == got->target_n && memcmp(sent->target, got->target, got->target_n) == 0;
}

struct oracle {
	struct owner o;
	struct reading sent, pod;
	size_t sent_n;     /* bytes the core took from the client */
	char sent_bytes[OWNER_ROOM];
	unsigned matched;  /* next of sent.at to look at */
	unsigned on_pod;   /* requests given to the present pod's connection */
	size_t seen;       /* bytes of got[POD] read */
	unsigned connection;
	bool switched;
};

/* Reads what the pod got since; a new connection begins a new reading. */
static inline void oracle_pod(struct oracle *x)
{
	struct owner *o = &x->o;
	if (x->connection != o->connects + 1000 * o->drops) {
		x->connection = o->connects + 1000 * o->drops;
		if (o->connected && o->got[POD].n >= o->pod_from && x->seen <= o->pod_from) {
			x->seen = o->pod_from;
			reading_start(&x->pod);
		}
	}
	x->switched |= o->core.http != NULL && o->core.http->state == AT_TUNNEL;
	if (x->seen < o->got[POD].n) {
		unsigned before = x->pod.ended;
		OWNER_CHECK(reading_feed(&x->pod, o->got[POD].at + x->seen, o->got[POD].n - x->seen, x->switched));
		x->seen = o->got[POD].n;
		for (; before < x->pod.ended && before < MESSAGES; before++) {
			const struct message_seen *m = &x->pod.at[before];
			OWNER_CHECK(m->complete && m->hosts == 1);
			unsigned i = x->matched > 0 ? x->matched - 1 : 0; /* a retry is the same once more */
			while (i < x->sent.ended && i < MESSAGES && !same_message(&x->sent.at[i], m))
				i++;
			OWNER_CHECK(i < x->sent.ended || x->sent.ended > MESSAGES);
			x->matched = i + 1;
		}
	}
}

static struct oracle *oracle_now;

static inline void oracle_release(struct owner *o)
{
	struct oracle *x = oracle_now;
	(void)o;
	oracle_pod(x);
	OWNER_CHECK(x->pod.n == x->pod.ended && x->pod.n > 0); /* nothing half-sent */
}

/* --- the client's side ----------------------------------------------------------------------------------------------- */

static inline const char *find(const char *at, const char *end, const char *what)
{
	return memmem(at, (size_t)(end - at), what, strlen(what));
}

/* The end of a chunked body, or NULL when it isn't all there. */
static inline const char *skip_chunks(const char *at, const char *end)
{
	for (;;) {
		uint64_t n = 0;
		const char *line = find(at, end, "\r\n");
		if (line == NULL)
			return NULL;
		for (; at < line && *at != ';'; at++) {
			OWNER_CHECK((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f') || (*at >= 'A' && *at <= 'F'));
			n = n * 16 + (uint64_t)(*at <= '9' ? *at - '0' : (*at | 32) - 'a' + 10);
		}
		at = line + 2;
		if (n == 0)
			break;
		if ((uint64_t)(end - at) < n || (size_t)(end - at) - n < 2)
			return NULL;
		OWNER_CHECK(memcmp(at + n, "\r\n", 2) == 0);
		at += n + 2;
	}
	for (;;) {
		const char *line = find(at, end, "\r\n");
		if (line == NULL)
			return NULL;
		if (line == at)
			return at + 2;
		at = line + 2;
	}
}

/* One well-formed response per request, in order; only the last may be cut short. */
static inline void oracle_client(struct oracle *x)
{
	const char *at = x->o.got[CLIENT].at, *end = at + x->o.got[CLIENT].n;
	unsigned k = 0;
	while (at < end) {
		const char *stop = find(at, end, "\r\n\r\n");
		if (stop == NULL)
			break;
		OWNER_CHECK(stop - at >= 12 && memcmp(at, "HTTP/1.1 ", 9) == 0);
		const unsigned status = (unsigned)((at[9] - '0') * 100 + (at[10] - '0') * 10 + at[11] - '0');
		unsigned lengths = 0, codings = 0;
		uint64_t length = 0;
		bool close = false;
		for (const char *line = find(at, stop + 2, "\r\n") + 2; line < stop; line = find(line, stop + 4, "\r\n") + 2) {
			const char *line_end = find(line, stop + 4, "\r\n");
			const char *colon = memchr(line, ':', (size_t)(line_end - line));
			OWNER_CHECK(colon != NULL && colon > line && line[0] != ' ' && line[0] != '\t' && colon[-1] != ' ');
			for (const char *p = colon; p < line_end; p++)
				OWNER_CHECK((unsigned char)*p >= 0x20 || *p == '\t');
			if (strncasecmp(line, "content-length:", 15) == 0) {
				lengths++;
				length = strtoull(line + 15, NULL, 10);
			}
			codings += strncasecmp(line, "transfer-encoding:", 18) == 0;
			close |= strncasecmp(line, "connection: close\r\n", 19) == 0;
		}
		OWNER_CHECK(lengths + codings <= 1);
		OWNER_CHECK(status >= 100 && status <= 999);
		at = stop + 4;
		if (status < 200) {
			OWNER_CHECK(lengths + codings == 0);
			if (status == 101)
				return; /* other bytes from here on */
			continue;
		}
		if (k >= MESSAGES)
			return;
		/* A refusal may have no request that the other parser knows of, but that is the last thing said. */
		OWNER_CHECK(k < x->sent.n || close);
		const bool known = k < x->sent.ended;
		const bool head = known && x->sent.at[k].method == HTTP_HEAD;
		k++;
		if (head && !(close && status == 400))
			continue;
		if (status == 204 || status == 304)
			continue;
		if (codings > 0) {
			at = skip_chunks(at, end);
			if (at == NULL)
				return;
		} else if (lengths > 0) {
			if ((uint64_t)(end - at) < length)
				return;
			at += length;
		} else {
			OWNER_CHECK(close);
			return;
		}
		if (close)
			OWNER_CHECK(at == end);
	}
}

/* --- playing -------------------------------------------------------------------------------------------------------- */

static const char oracle_conf[] = "listen l tcp:127.0.0.1:1 table=t\npool p 1.2.3.4:1\npool q -r 7 1.2.3.4:2\n"
                                  "rule t a prefix / p\nrule t a prefix /q q\nrule t *.b prefix / q max-body=30 limit-conn=3\n"
                                  "rule t r prefix / p ssl-redirect\nrule t f prefix / p deny=0.0.0.0/0\naccess-log /x\n";

static inline void oracle_begin(struct oracle *x)
{
	static struct conf *conf;
	struct addr peer;
	if (conf == NULL)
		conf = owner_parse(oracle_conf);
	oracle_now = x;
	OWNER_CHECK(addr_parse(&peer, "192.0.2.7:5", 11));
	owner_begin(&x->o, conf, &peer);
	x->o.on_release = oracle_release;
	reading_start(&x->sent);
	reading_start(&x->pod);
	x->sent_n = x->seen = 0;
	x->matched = x->on_pod = x->connection = 0;
	x->switched = false;
}

static inline void oracle_look(struct oracle *x)
{
	owner_held(&x->o);
	oracle_pod(x);
	if (x->o.core.http != NULL && !x->o.closed && x->o.core.http->state == AT_WAIT)
		OWNER_CHECK(owner_held(&x->o) == 0);
	if (!x->o.closed && !x->o.connecting)
		OWNER_CHECK(core_deadline(&x->o.core) != UINT64_MAX); /* whatever it waits for, it does not wait for ever */
}

/* Offers bytes of the client; the other parser is told of what was taken. */
static inline size_t oracle_client_sends(struct oracle *x, const char *at, size_t n)
{
	if (x->sent_n + n > sizeof x->sent_bytes)
		return 0;
	/* Read first, so that it knows at least what the core knows when the pod gets the first byte. */
	const size_t room = x->o.closed ? 0 : n;
	size_t k = owner_feed(&x->o, CLIENT, at, room);
	memcpy(x->sent_bytes + x->sent_n, at, k);
	x->sent_n += k;
	if (k > 0)
		reading_feed(&x->sent, at, k, x->switched);
	oracle_look(x);
	return k;
}

static inline void oracle_end(struct oracle *x)
{
	oracle_look(x);
	oracle_client(x);
	owner_end(&x->o);
}

#endif
