// SPDX-License-Identifier: Apache-2.0
/* http_table: which rule serves a host and a path (Kubernetes Ingress v1, path types and host matching). */
#ifndef BALANCE_HTTP_TABLE_H
#define BALANCE_HTTP_TABLE_H

#include "cidr.h"
#include "map.h"

#include <stdint.h>

struct pool;

struct rule {
	const char *path; /* Prefix paths without their trailing slash; "" is the root */
	size_t path_len;
	bool exact;
	bool ssl_redirect;
	bool client_cert;     /* the host asks for a client certificate: Host must be the SNI, facts are passed on */
	bool client_required; /* … and nobody gets in without a verified one */
	bool client_pem;      /* … and the pod gets the certificate itself */
	const struct pool *pool;
	const char *redirect; /* Location, or NULL */
	uint16_t redirect_code;
	const char *rewrite; /* takes the place of the matched prefix, or NULL */
	struct cidr_set allow, deny;
	uint64_t max_body;   /* bytes; UINT64_MAX: no limit */
	uint32_t limit_conn; /* requests at a time per client address; 0: no limit */
	uint32_t id;         /* tells limits of different rules apart */
	const char *hsts;    /* Strict-Transport-Security value, or NULL */
};

struct vhost {
	struct map exact, prefix;
	size_t longest; /* of the prefixes */
};

struct table {
	const char *name;
	struct map hosts;     /* exact host → vhost */
	struct map wildcards; /* what follows `*.` → vhost */
	struct vhost *any;    /* rules for `*` */
	struct rule *fallback; /* where nothing matches, or NULL */
};

/* The vhost for a host in lower case: exact, then `*.` for one label, then any; NULL when there is none. */
const struct vhost *table_host(const struct table *, const char *host, size_t len);

/* The rule for a path (no query): Exact, then the longest Prefix, element by element; NULL when none matches. */
const struct rule *vhost_rule(const struct vhost *, const char *path, size_t len);

/* Adds a vhost or finds it. key as in conf: `*`, `*.NAME` or NAME, in lower case, living as long as the table. */
struct vhost *table_add_host(struct arena *, struct table *, const char *key, size_t len);

enum table_added { TABLE_OK, TABLE_TWICE, TABLE_MEMORY };
enum table_added vhost_add(struct vhost *, struct rule *);

void table_free(struct table *);

#endif
