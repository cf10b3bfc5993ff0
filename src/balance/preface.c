// SPDX-License-Identifier: Apache-2.0
/* preface: the PROXY header on a new connection to a pod, before anything else. */
#include "preface.h"

#include "proxy_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Hardly ever needed: a new socket's buffer takes a whole header, unless the kernel is short of memory. */
struct preface {
	size_t r, n; /* at[r .. n) is to be sent */
	unsigned char at[];
};

/* What the client connected to: as the PROXY header says, else as our own socket says. */
static struct addr local_of(const struct conn *c)
{
	struct addr a = {0};
	const struct origin *o = c->core.origin;
	if (o != NULL && o->local.len != 0)
		return o->local;
	if (c->client.is_unix)
		return a;
	a.len = sizeof a.in6;
	if (getsockname(c->client.fd, &a.sa, &a.len) < 0)
		a.len = 0;
	addr_unmap(&a);
	return a;
}

static bool keep_rest(struct worker *w, struct sock *s, const unsigned char *at, size_t n)
{
	s->preface = malloc(sizeof *s->preface + n);
	if (s->preface == NULL)
		return false;
	*s->preface = (struct preface){.n = n};
	memcpy(s->preface->at, at, n);
	conn_set_blocked(w, s, true);
	return true;
}

bool preface_send(struct worker *w, struct conn *c)
{
	unsigned char header[PROXY_WRITE_MAX];
	const struct origin *o = c->core.origin;
	const struct addr local = local_of(c);
	const size_t n = proxy_write((enum send_proxy)c->pod->send_proxy, &c->core.client, &local, o == NULL ? NULL : o->tlvs,
	                             o == NULL ? 0 : o->tlvs_n, header);
	/* One segment with what follows at once; a pod that speaks first gets its header now. */
	const bool more = c->core.http != NULL || c->core.stream[CLIENT] != NULL;
	ssize_t sent = send(c->pod->fd, header, n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	if (sent < 0)
		sent = 0;
	return (size_t)sent == n || keep_rest(w, c->pod, header + sent, n - (size_t)sent);
}

bool preface_flush(struct worker *w, struct sock *s)
{
	struct preface *p = s->preface;
	ssize_t sent = send(s->fd, p->at + p->r, p->n - p->r, MSG_NOSIGNAL);
	if (sent > 0)
		p->r += (size_t)sent;
	if (p->r == p->n) {
		free(p);
		s->preface = NULL;
		return true;
	}
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		/* Its end shows at the next read. It stays blocked: nothing may go out without the header. */
		s->readable = s->hup = s->broken = true;
		s->blocked = true;
		return false;
	}
	conn_set_blocked(w, s, true);
	return false;
}
