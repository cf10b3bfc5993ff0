// SPDX-License-Identifier: Apache-2.0
/* cli_model: groups and channels of a command line, their names' addresses, and the configuration they mean. */
#include "cli.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

bool cli_resolve_host(const char *host, int family, struct addr *a)
{
	const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = family == AF_INET6 ? AI_V4MAPPED : 0};
	struct addrinfo *list;
	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return false;
	const struct addrinfo *best = NULL;
	for (const struct addrinfo *i = list; i != NULL; i = i->ai_next) {
		if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
			continue;
		/* The original knows only IPv4 behind it, so a name with both must mean the same here. */
		if (best == NULL || (best->ai_family == AF_INET6 && i->ai_family == AF_INET))
			best = i;
	}
	memset(a, 0, sizeof *a);
	if (best != NULL) {
		a->len = best->ai_addrlen;
		memcpy(&a->sa, best->ai_addr, best->ai_addrlen);
	}
	freeaddrinfo(list);
	return best != NULL;
}

bool cli_resolve_port(const char *port, unsigned *number)
{
	if (addr_port(port, strlen(port), number))
		return true;
	/* A number that is no port must not be looked up as a name, which some libraries would cut to 16 bits. */
	if (port[strspn(port, "0123456789")] == '\0')
		return false;
	const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	if (getaddrinfo(NULL, port, &hints, &list) != 0)
		return false;
	*number = ntohs(((struct sockaddr_in *)(void *)list->ai_addr)->sin_port);
	freeaddrinfo(list);
	return *number != 0;
}

void cli_set_port(struct addr *a, unsigned port)
{
	if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons((uint16_t)port);
	else
		a->in.sin_port = htons((uint16_t)port);
}

struct cli_group *cli_group(struct cli *c, size_t number)
{
	if (number >= CLI_GROUPS)
		return NULL;
	if (number >= c->groups_n) {
		struct cli_group *more = realloc(c->groups, (number + 1) * sizeof *more);
		if (more == NULL)
			return NULL;
		memset(more + c->groups_n, 0, (number + 1 - c->groups_n) * sizeof *more);
		c->groups = more;
		c->groups_n = number + 1;
	}
	return &c->groups[number];
}

struct cli_channel *cli_add(struct cli *c, size_t number, const struct addr *addr, uint32_t max)
{
	struct cli_group *g = cli_group(c, number);
	if (g == NULL)
		return NULL;
	if (g->n == g->cap) {
		size_t cap = g->cap == 0 ? 8 : g->cap * 2;
		struct cli_channel *more = realloc(g->channels, cap * sizeof *more);
		if (more == NULL)
			return NULL;
		g->channels = more;
		g->cap = cap;
	}
	g->channels[g->n] = (struct cli_channel){.addr = *addr, .max = max, .id = ++c->last_id};
	return &g->channels[g->n++];
}

static void render_pool(const struct cli *c, FILE *f)
{
	char text[ADDR_TEXT];
	fprintf(f, "pool cli -t %s -T %s %s", c->connect, c->idle, c->hash_failover ? "-H" : "-S");
	if (c->autodisable)
		fputs(" -a", f);
	if (c->from.len != 0) {
		addr_format_host(&c->from, text);
		fprintf(f, " -B %s", text);
	}
	for (size_t g = 0; g < c->groups_n; g++) {
		const struct cli_group *group = &c->groups[g];
		for (size_t i = 0; i < group->n; i++) {
			addr_format(&group->channels[i].addr, text);
			fprintf(f, " %s:%u#%u", text, group->channels[i].max, group->channels[i].id);
		}
		/* Groups nobody has put a channel into are left out: nothing can be reached there. */
		if (group->n > 0)
			fputs(group->hash ? " %" : " !", f);
	}
	fputc('\n', f);
}

char *cli_render(const struct cli *c, size_t *n)
{
	char *text = NULL, address[ADDR_TEXT];
	FILE *f = open_memstream(&text, n);
	if (f == NULL)
		return NULL;
	addr_format(&c->listen, address);
	/* In the foreground ^C means: now. */
	fprintf(f, "workers %u\ngrace %d\n", c->workers, c->foreground ? 0 : 30);
	if (c->rendezvous[0] != '\0')
		fprintf(f, "control unix:%s\n", c->rendezvous);
	fprintf(f, "listen cli tcp:%s\n", address);
	render_pool(c, f);
	fputs("route cli * cli\n", f);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
