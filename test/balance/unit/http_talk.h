// SPDX-License-Identifier: Apache-2.0
/* Talking to the HTTP lane by hand: one connection, one client, one pod at a time. */
#ifndef HTTP_TALK_H
#define HTTP_TALK_H

#include "http_case.h"

#define GET "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
#define POST(n) "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: " n "\r\n\r\n"

static struct conf *conf;
static struct owner o;

static inline void begin_as(const char *peer)
{
	struct addr a;
	assert_true(addr_parse(&a, peer, strlen(peer)));
	owner_begin(&o, conf, &a);
}

static inline void begin(void)
{
	begin_as("192.0.2.7:5");
}

static inline size_t client(const char *text)
{
	return owner_feed(&o, CLIENT, text, strlen(text));
}

static inline size_t pod(const char *text)
{
	return owner_feed(&o, POD, text, strlen(text));
}

static inline bool got(enum side s, const char *text)
{
	o.got[s].at[o.got[s].n] = '\0';
	return strstr(o.got[s].at, text) != NULL;
}

/* Responses that the client got, interim ones and halves too. */
static inline unsigned answers(void)
{
	unsigned n = 0;
	o.got[CLIENT].at[o.got[CLIENT].n] = '\0';
	for (const char *p = o.got[CLIENT].at; (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
		n++;
	return n;
}

/* One request and its answer, after which a connection to the pod is at rest. */
static inline void warm_up(void)
{
	client(GET);
	owner_settle(&o);
	pod(OK2);
	owner_settle(&o);
	assert_int_equal(o.idle, 1);
	o.got[CLIENT].n = o.got[POD].n = 0;
}

static inline int load_case_conf(void **state)
{
	(void)state;
	conf = owner_parse(case_conf);
	return 0;
}

static inline int unload(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

#endif
