// SPDX-License-Identifier: Apache-2.0
/* conf_http: the HTTP lane's lines: rule, default, http, trust, access-log. */
#include "conf_parse.h"

#include <string.h>

struct table *conf_table(struct parse *p, struct word name)
{
	struct conf *c = p->conf;
	struct table *t = map_get(&c->table_by_name, name.at, name.len);
	if (t != NULL)
		return t;
	struct table **entry = arena_push(&c->arena, &c->tables, &c->tables_n, &c->tables_cap, sizeof *entry);
	t = arena_alloc(&c->arena, sizeof *t);
	if (t == NULL || entry == NULL || (t->name = parse_keep(p, name)) == NULL) {
		parse_no_memory(p);
		return NULL;
	}
	*entry = t;
	if (!map_put(&c->table_by_name, t->name, name.len, t)) {
		parse_no_memory(p);
		return NULL;
	}
	return t;
}

static bool find_pool(struct parse *p, const char *what, struct word name, const struct pool **pool)
{
	*pool = map_get(&p->conf->pool_by_name, name.at, name.len);
	return *pool != NULL || parse_fail(p, "%s: no pool \"%.*s\" above this line", what, SHOW(name));
}

/* What a request line can hold as a path: RFC 3986 pchar and "/", percent signs taken as they are. */
static bool is_path(struct word w)
{
	return w.at[0] == '/' && word_only(w, "-._~!$&'()*+,;=:@/%");
}

static bool add_ranges(struct parse *p, struct cidr_set *set, struct word list)
{
	while (list.len > 0) {
		const char *comma = memchr(list.at, ',', list.len);
		size_t n = comma == NULL ? list.len : (size_t)(comma - list.at);
		struct word one = {list.at, n};
		struct cidr range;
		if (!cidr_parse(&range, one.at, one.len))
			return parse_fail(p, "\"%.*s\" is not an address range", SHOW(one));
		if (!cidr_add(&p->conf->arena, set, &range))
			return parse_no_memory(p);
		list.at += n + (comma != NULL);
		list.len -= n + (comma != NULL);
	}
	return true;
}

static bool option_value(struct word w, const char *name, struct word *value)
{
	if (!word_starts(w, name))
		return false;
	size_t n = strlen(name);
	*value = (struct word){w.at + n, w.len - n};
	return value->len > 0;
}

static bool take_redirect(struct parse *p, struct rule *r, struct word v)
{
	uint32_t code;
	const char *comma = memchr(v.at, ',', v.len);
	struct word number = {v.at, comma == NULL ? v.len : (size_t)(comma - v.at)};
	if (comma == NULL || !word_number(number, 301, 308, &code) || number.len + 1 == v.len)
		return parse_fail(p, "rule: redirect wants CODE,LOCATION");
	if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308)
		return parse_fail(p, "rule: %u is not a redirect", code);
	r->redirect_code = (uint16_t)code;
	r->redirect = parse_keep(p, (struct word){comma + 1, v.len - number.len - 1});
	return r->redirect != NULL || parse_no_memory(p);
}

static bool take_size(struct word v, uint64_t *out)
{
	uint64_t n = 0;
	if (v.len > 18)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < '0' || v.at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(v.at[i] - '0');
	}
	*out = n;
	return true;
}

/* client-cert, or client-cert=MODE[,pem]. */
static bool take_client_cert(struct parse *p, struct rule *r, struct word w)
{
	const bool required = word_is(w, "client-cert=required") || word_is(w, "client-cert=required,pem");
	if (!required && !word_is(w, "client-cert") && !word_is(w, "client-cert=optional") && !word_is(w, "client-cert=optional,pem"))
		return parse_fail(p, "rule: \"%.*s\" is not client-cert=required|optional[,pem]", SHOW(w));
	r->client_cert = true;
	r->client_required = required;
	r->client_pem = w.at[w.len - 1] == 'm' || word_is(w, "client-cert");
	return true;
}

static bool rule_option(struct parse *p, struct rule *r, struct word w)
{
	struct word v;
	if (word_is(w, "ssl-redirect"))
		return r->ssl_redirect = true;
	if (word_is(w, "client-cert") || word_starts(w, "client-cert="))
		return take_client_cert(p, r, w);
	if (option_value(w, "redirect=", &v))
		return take_redirect(p, r, v);
	if (option_value(w, "allow=", &v))
		return add_ranges(p, &r->allow, v);
	if (option_value(w, "deny=", &v))
		return add_ranges(p, &r->deny, v);
	if (option_value(w, "limit-conn=", &v) && word_number(v, 1, UINT32_MAX, &r->limit_conn))
		return true;
	if (option_value(w, "max-body=", &v) && take_size(v, &r->max_body))
		return true;
	if (option_value(w, "rewrite=", &v) && is_path(v))
		return (r->rewrite = parse_keep(p, v)) != NULL || parse_no_memory(p);
	if (option_value(w, "hsts=", &v))
		return (r->hsts = parse_keep(p, v)) != NULL || parse_no_memory(p);
	return parse_fail(p, "rule: unknown or wrong option \"%.*s\"", SHOW(w));
}

static struct rule *new_rule(struct parse *p)
{
	struct rule *r = arena_alloc(&p->conf->arena, sizeof *r);
	if (r != NULL)
		r->max_body = UINT64_MAX;
	else
		parse_no_memory(p);
	return r;
}

static bool rule_options(struct parse *p, struct rule *r)
{
	struct word w;
	while (words_next(&p->words, &w))
		if (!rule_option(p, r, w))
			return false;
	return r->pool != NULL || r->redirect != NULL || parse_fail(p, "rule: neither a pool nor a redirect");
}

static bool rule_path(struct parse *p, struct rule *r, struct word kind, struct word path)
{
	r->exact = word_is(kind, "exact");
	if (!r->exact && !word_is(kind, "prefix"))
		return parse_fail(p, "rule: \"%.*s\" is neither exact nor prefix", SHOW(kind));
	if (!is_path(path))
		return parse_fail(p, "rule: \"%.*s\" is not a path that a request can have", SHOW(path));
	/* The specification ignores a prefix's trailing slash. */
	while (!r->exact && path.len > 0 && path.at[path.len - 1] == '/')
		path.len--;
	r->path = parse_keep(p, path);
	r->path_len = path.len;
	return r->path != NULL || parse_no_memory(p);
}

/* The same rule has the same id in the next configuration, so that limits go on counting (FNV-1a). */
static uint32_t rule_id(const char *table, const char *host, const struct rule *r)
{
	const char *const parts[] = {table, host, r->exact ? "exact" : "prefix", r->path};
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		for (const char *at = parts[i];; at++) {
			h = (h ^ (unsigned char)*at) * 16777619u;
			if (*at == '\0')
				break;
		}
	return h;
}

bool take_rule(struct parse *p)
{
	struct word name, host_word, kind, path, target;
	char *host;
	if (!parse_name(p, "rule", &name))
		return false;
	if (!words_next(&p->words, &host_word) || !words_next(&p->words, &kind) || !words_next(&p->words, &path) ||
	    !words_next(&p->words, &target))
		return parse_fail(p, "rule: TABLE HOST exact|prefix PATH POOL expected");
	struct rule *r = new_rule(p);
	struct table *t = conf_table(p, name);
	if (r == NULL || t == NULL || !parse_host(p, "rule", host_word, &host) || !rule_path(p, r, kind, path))
		return false;
	if (!word_is(target, "-") && !find_pool(p, "rule", target, &r->pool))
		return false;
	if (!rule_options(p, r))
		return false;
	struct vhost *v = table_add_host(&p->conf->arena, t, host, host_word.len);
	if (v == NULL)
		return parse_no_memory(p);
	r->id = rule_id(t->name, host, r);
	switch (vhost_add(v, r)) {
	case TABLE_OK:
		return true;
	case TABLE_TWICE:
		return parse_fail(p, "rule: %s %.*s \"%.*s\" of table %s is there twice", host, SHOW(kind), SHOW(path), t->name);
	default:
		return parse_no_memory(p);
	}
}

bool take_default(struct parse *p)
{
	struct word name, target;
	if (!parse_name(p, "default", &name))
		return false;
	if (!words_next(&p->words, &target))
		return parse_fail(p, "default: TABLE POOL expected");
	struct table *t = conf_table(p, name);
	if (t == NULL)
		return false;
	if (t->fallback != NULL)
		return parse_fail(p, "default: table %s has one already", t->name);
	struct rule *r = new_rule(p);
	if (r == NULL || !find_pool(p, "default", target, &r->pool))
		return false;
	r->path = "";
	r->id = rule_id(t->name, "", r);
	t->fallback = r;
	return rule_options(p, r);
}

bool take_trust(struct parse *p)
{
	struct word w;
	bool any = false;
	while (words_next(&p->words, &w)) {
		if (!add_ranges(p, &p->conf->trust, w))
			return false;
		any = true;
	}
	return any || parse_fail(p, "trust: address ranges expected");
}

bool take_http(struct parse *p)
{
	struct http_conf *h = &p->conf->http;
	const struct {
		const char *name;
		uint32_t *seconds, *port;
	} known[] = {
	    {"head-timeout=", &h->head_ms, NULL},     {"idle-timeout=", &h->idle_ms, NULL},
	    {"body-timeout=", &h->body_ms, NULL},     {"tunnel-timeout=", &h->tunnel_ms, NULL},
	    {"https-port=", NULL, &h->https_port},    {"http-port=", NULL, &h->http_port},
	};
	struct word w, v;
	while (words_next(&p->words, &w)) {
		size_t i = 0;
		if (word_is(w, "keep-alive=on") || word_is(w, "keep-alive=off")) {
			h->last = word_is(w, "keep-alive=off");
			continue;
		}
		while (i < sizeof known / sizeof *known && !option_value(w, known[i].name, &v))
			i++;
		if (i == sizeof known / sizeof *known)
			return parse_fail(p, "http: unknown option \"%.*s\"", SHOW(w));
		if (known[i].port != NULL ? !word_number(v, 1, 65535, known[i].port)
		                          : !word_seconds(v, SECONDS_MAX, known[i].seconds) || *known[i].seconds == 0)
			return parse_fail(p, "http: \"%.*s\" is out of range", SHOW(w));
	}
	return true;
}

bool take_access_log(struct parse *p)
{
	struct word w;
	if (!parse_once(p, &p->seen_access_log, "access-log") || !parse_one_word(p, &w, "access-log"))
		return false;
	if (word_is(w, "off"))
		return true;
	if (!word_is(w, "stdout") && w.at[0] != '/')
		return parse_fail(p, "access-log: off, stdout or an absolute path expected");
	p->conf->access_log = parse_keep(p, w);
	return p->conf->access_log != NULL || parse_no_memory(p);
}
