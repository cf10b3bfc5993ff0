// SPDX-License-Identifier: Apache-2.0
/* cli_parse: a command line of Inlab Balance, read into a model. */
#include "cli.h"

#include "words.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { SECONDS_MOST = 1000000 };

struct reading {
	struct cli *cli;
	cli_resolve *resolve;
	char *reason;
	bool v6;
	const char *bind_host;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct reading *r, int status, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(r->reason, CLI_REASON, format, ap);
	va_end(ap);
	return status;
}

static int read_seconds(struct reading *r, int option, const char *text, char out[16])
{
	uint32_t ms;
	const size_t n = strlen(text);
	if (n == 0 || n >= 16 || !word_seconds((struct word){text, n}, SECONDS_MOST, &ms) || (option == 't' && ms == 0))
		return refuse(r, EX_USAGE, "-%c %.60s: not a number of seconds", option, text);
	memcpy(out, text, n + 1);
	return EX_OK;
}

static int read_option(struct reading *r, int option)
{
	struct cli *c = r->cli;
	switch (option) {
	case '6':
		r->v6 = true;
		return EX_OK;
	case 'a':
		c->autodisable = true;
		return EX_OK;
	case 'b':
		r->bind_host = optarg;
		return EX_OK;
	case 'B':
		if (!r->resolve(optarg, AF_UNSPEC, &c->from))
			return refuse(r, EX_NOHOST, "-B %.80s: no such host", optarg);
		return EX_OK;
	case 'c':
		c->mode = CLI_COMMAND;
		c->command = optarg;
		return EX_OK;
	case 'd':
		c->debug = true;
		return EX_OK;
	case 'f':
	case 'F': /* the manual's synopsis has the one, its list the other */
		c->foreground = true;
		return EX_OK;
	case 'H':
		c->hash_failover = true;
		return EX_OK;
	case 'i':
		if (c->mode != CLI_COMMAND)
			c->mode = CLI_INTERACTIVE;
		return EX_OK;
	case 'M': /* memory is always mapped here */
		return EX_OK;
	case 'p':
		c->dump = true;
		return EX_OK;
	case 't':
		return read_seconds(r, 't', optarg, c->connect);
	case 'T':
		return read_seconds(r, 'T', optarg, c->idle);
	default:
		return refuse(r, EX_USAGE, "unknown option, or one without its value");
	}
}

static int read_port(struct reading *r, const char *text)
{
	struct cli *c = r->cli;
	c->port_text = text;
	if (!cli_resolve_port(text, &c->port))
		return refuse(r, EX_USAGE, "%.80s: neither a port nor a service", text);
	c->bound = r->bind_host != NULL;
	const char *host = c->bound ? r->bind_host : r->v6 ? "::" : "0.0.0.0";
	if (!r->resolve(host, r->v6 ? AF_INET6 : AF_UNSPEC, &c->listen))
		return refuse(r, EX_NOHOST, "-b %.80s: no such host", host);
	cli_set_port(&c->listen, c->port);
	return EX_OK;
}

/* Cuts `HOST[:PORT[:MAXC]]` in place; HOST may stand in brackets. */
static bool cut(char *word, char **host, char **port, char **max)
{
	char *after = word;
	*host = word;
	*port = *max = NULL;
	if (word[0] == '[') {
		after = strchr(word, ']');
		if (after == NULL || (after[1] != ':' && after[1] != '\0'))
			return false;
		*host = word + 1;
		*after++ = '\0';
	}
	char *colon = strchr(after, ':');
	if (colon != NULL) {
		*colon = '\0';
		*port = colon + 1;
		if ((colon = strchr(*port, ':')) != NULL) {
			*colon = '\0';
			*max = colon + 1;
		}
	}
	return (*host)[0] != '\0';
}

static int read_channel(struct reading *r, size_t group, const char *given)
{
	struct addr addr;
	unsigned number = r->cli->port;
	uint32_t most = 0;
	char word[CLI_TEXT + 32], *host, *port, *max;
	if (strlen(given) >= sizeof word)
		return refuse(r, EX_USAGE, "%.80s…: too long", given);
	strcpy(word, given);
	if (!cut(word, &host, &port, &max))
		return refuse(r, EX_USAGE, "%.80s: not HOST[:PORT[:MAXC]]", given);
	if (port != NULL && port[0] != '\0' && !cli_resolve_port(port, &number))
		return refuse(r, EX_USAGE, "%.80s: neither a port nor a service", port);
	if (max != NULL && max[0] != '\0' && !word_number((struct word){max, strlen(max)}, 0, UINT32_MAX, &most))
		return refuse(r, EX_USAGE, "%.80s: not a number of connections", max);
	if (!r->resolve(host, AF_UNSPEC, &addr))
		return refuse(r, EX_NOHOST, "%.80s: no such host", host);
	cli_set_port(&addr, number);
	if (cli_add(r->cli, group, &addr, most) == NULL)
		return refuse(r, EX_OSERR, "out of memory, or too many groups");
	return EX_OK;
}

static int read_channels(struct reading *r, char **words, int n)
{
	struct cli *c = r->cli;
	size_t group = 0;
	for (int i = 0; i < n; i++) {
		const bool hash = strcmp(words[i], "%") == 0;
		if (!hash && strcmp(words[i], "!") != 0) {
			int status = read_channel(r, group, words[i]);
			if (status != EX_OK)
				return status;
			continue;
		}
		if (c->groups_n <= group)
			return refuse(r, EX_USAGE, "\"%s\" ends a group without channels", words[i]);
		c->groups[group++].hash = hash;
	}
	return c->groups_n > 0 ? EX_OK : refuse(r, EX_USAGE, "at least one channel is needed");
}

int cli_parse(struct cli *c, int argc, char **argv, cli_resolve *resolve, char reason[CLI_REASON])
{
	struct reading r = {.cli = c, .resolve = resolve, .reason = reason};
	int option, status;
	*c = (struct cli){.connect = "5", .idle = "0", .workers = 1};
	reason[0] = '\0';
	optind = 0; /* start over, in glibc and in musl */
	opterr = 0;
	while ((option = getopt(argc, argv, "6ab:B:c:dfFHiMpt:T:")) != -1)
		if ((status = read_option(&r, option)) != EX_OK)
			return status;
	if (optind >= argc)
		return refuse(&r, EX_USAGE, "a port is needed");
	if ((status = read_port(&r, argv[optind++])) != EX_OK)
		return status;
	if (c->mode == CLI_SERVE)
		return read_channels(&r, argv + optind, argc - optind);
	return optind == argc ? EX_OK : refuse(&r, EX_USAGE, "-i and -c take a port and nothing else");
}

void cli_free(struct cli *c)
{
	for (size_t i = 0; i < c->groups_n; i++)
		free(c->groups[i].channels);
	free(c->groups);
	c->groups = NULL;
	c->groups_n = 0;
}
