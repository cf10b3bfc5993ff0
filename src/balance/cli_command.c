// SPDX-License-Identifier: Apache-2.0
/* cli_command: the commands of `-i` and `-c`, done by the master. */
#include "cli.h"

#include "master.h"
#include "reload.h"
#include "shm.h"
#include "version.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 3 };

struct command_call {
	struct cli *cli;
	struct master *master;
	unsigned *group;
	char *arg[ARGUMENTS]; /* those the command asks for */
	FILE *f;
};

static bool say(struct command_call *c, const char *what)
{
	fprintf(c->f, "%s\n", what);
	return false;
}

static bool to_number(const char *text, uint32_t max, uint32_t *out)
{
	return word_number((struct word){text, strlen(text)}, 0, max, out);
}

/* The channel of the current group that an argument names, or NULL, having said so. */
static struct cli_channel *named(struct command_call *c, const char *text)
{
	uint32_t i;
	const size_t n = *c->group < c->cli->groups_n ? c->cli->groups[*c->group].n : 0;
	if (to_number(text, UINT32_MAX, &i) && i < n)
		return &c->cli->groups[*c->group].channels[i];
	fprintf(c->f, "no channel %.20s in group %u\n", text, *c->group);
	return NULL;
}

static _Atomic uint32_t *disabled(struct command_call *c, const struct cli_channel *ch)
{
	return &shm_shared(cli_slot(c->cli, c->master, ch))->disabled;
}

/* HOST PORT, both numbers: the client has looked the names up, so that the master never waits for a name server. */
static bool to_address(struct command_call *c, const char *host, const char *port, struct addr *a)
{
	char text[CLI_TEXT];
	int n = snprintf(text, sizeof text, strchr(host, ':') == NULL ? "%s:%s" : "[%s]:%s", host, port);
	return (n > 0 && (size_t)n < sizeof text && addr_parse(a, text, (size_t)n)) || say(c, "not an address and a port");
}

/* The model has changed: let the workers have it. */
static bool apply(struct command_call *c)
{
	if (!master_render(c->master))
		return say(c, "out of memory");
	if (!master_reload(c->master))
		return say(c, c->master->last_error);
	return true;
}

/* The model is as it was again: so must be the text, which a SIGHUP would load. */
static bool undone(struct command_call *c)
{
	(void)master_render(c->master);
	return false;
}

static bool do_assign(struct command_call *c)
{
	struct addr addr;
	struct cli_channel *ch = named(c, c->arg[0]);
	if (ch == NULL || !to_address(c, c->arg[1], c->arg[2], &addr))
		return false;
	if (atomic_load(disabled(c, ch)) == 0)
		return say(c, "only a disabled channel can be assigned: disable it first");
	const struct addr old = ch->addr;
	ch->addr = addr;
	if (apply(c))
		return true;
	ch->addr = old;
	return undone(c);
}

static bool do_create(struct command_call *c)
{
	struct addr addr;
	if (!to_address(c, c->arg[0], c->arg[1], &addr))
		return false;
	if (cli_add(c->cli, *c->group, &addr, 0) == NULL)
		return say(c, "out of memory");
	if (apply(c))
		return true;
	c->cli->groups[*c->group].n--;
	return undone(c);
}

static bool switch_channel(struct command_call *c, bool off)
{
	struct cli_channel *ch = named(c, c->arg[0]);
	if (ch != NULL)
		atomic_store(disabled(c, ch), off);
	return ch != NULL;
}

static bool do_disable(struct command_call *c)
{
	return switch_channel(c, true);
}

static bool do_enable(struct command_call *c)
{
	return switch_channel(c, false);
}

static bool do_group(struct command_call *c)
{
	uint32_t group;
	if (!to_number(c->arg[0], CLI_GROUPS - 1, &group))
		return say(c, "no such group");
	*c->group = group;
	return true;
}

static bool set_scheme(struct command_call *c, bool hash)
{
	struct cli_group *g = cli_group(c->cli, *c->group);
	if (g == NULL)
		return say(c, "out of memory");
	const bool old = g->hash;
	g->hash = hash;
	if (apply(c))
		return true;
	g->hash = old;
	return undone(c);
}

static bool do_hash(struct command_call *c)
{
	return set_scheme(c, true);
}

static bool do_rr(struct command_call *c)
{
	return set_scheme(c, false);
}

static bool do_maxc(struct command_call *c)
{
	uint32_t max;
	struct cli_channel *ch = named(c, c->arg[0]);
	if (ch == NULL)
		return false;
	if (!to_number(c->arg[1], UINT32_MAX, &max))
		return say(c, "not a number of connections");
	const uint32_t old = ch->max;
	ch->max = max;
	if (apply(c))
		return true;
	ch->max = old;
	return undone(c);
}

static bool mrtg(struct command_call *c, bool bytes)
{
	uint32_t group, channel;
	if (to_number(c->arg[0], CLI_GROUPS - 1, &group) && to_number(c->arg[1], UINT32_MAX, &channel) &&
	    cli_mrtg(c->cli, c->master, bytes, group, channel, c->f))
		return true;
	return say(c, "no such channel");
}

static bool do_mrtg_bytes(struct command_call *c)
{
	return mrtg(c, true);
}

static bool do_mrtg_conns(struct command_call *c)
{
	return mrtg(c, false);
}

static bool do_reset(struct command_call *c)
{
	struct cli_channel *ch = named(c, c->arg[0]);
	if (ch != NULL)
		cli_reset(ch, c->master);
	return ch != NULL;
}

static bool do_show(struct command_call *c)
{
	cli_show(c->cli, c->master, c->f);
	return true;
}

static bool do_shutdown(struct command_call *c)
{
	master_drain(c->master);
	return true;
}

static bool do_version(struct command_call *c)
{
	fprintf(c->f, "balance %s (Evener), with the command line of balance 3.57\nMAXGROUPS=%d\nMAXCHANNELS=%" PRIu32 "\n", BALANCE_VERSION,
	        CLI_GROUPS, UINT32_MAX);
	return true;
}

static bool do_help(struct command_call *c);

static const struct command {
	const char *name, *arguments, *help;
	unsigned n;
	bool (*run)(struct command_call *);
} commands[] = {
    {"assign", "CHANNEL HOST PORT", "point a disabled channel somewhere else", 3, do_assign},
    {"create", "HOST PORT", "add a channel to the current group", 2, do_create},
    {"disable", "CHANNEL", "give a channel no further connections", 1, do_disable},
    {"enable", "CHANNEL", "give it connections again", 1, do_enable},
    {"group", "GROUP", "make this group the current one", 1, do_group},
    {"hash", "", "current group: choose by client address", 0, do_hash},
    {"help", "", "this list; also: ?", 0, do_help},
    {"kill", "", "the same as shutdown", 0, do_shutdown},
    {"maxc", "CHANNEL MAXC", "limit a channel's connections at a time; 0: no limit", 2, do_maxc},
    {"mrtg-bytes", "GROUP CHANNEL", "bytes received and sent, as MRTG reads them", 2, do_mrtg_bytes},
    {"mrtg-conns", "GROUP CHANNEL", "connections so far, as MRTG reads them", 2, do_mrtg_conns},
    {"quit", "", "leave; the balancer goes on", 0, NULL},
    {"reset", "CHANNEL", "count from zero again", 1, do_reset},
    {"rr", "", "current group: channels in turn", 0, do_rr},
    {"show", "", "all channels and their counters", 0, do_show},
    {"shutdown", "", "end the balancer, then leave", 0, do_shutdown},
    {"version", "", "version and limits", 0, do_version},
};

static bool do_help(struct command_call *c)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(c->f, "  %-10s %-18s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	return true;
}

static bool run(struct command_call *c, const struct command *command, char **rest)
{
	for (unsigned i = 0; i < command->n; i++)
		if ((c->arg[i] = strtok_r(NULL, " \t", rest)) == NULL) {
			fprintf(c->f, "usage: %s %s\n", command->name, command->arguments);
			return false;
		}
	if (strtok_r(NULL, " \t", rest) != NULL) {
		fprintf(c->f, "usage: %s %s\n", command->name, command->arguments);
		return false;
	}
	return command->run == NULL || command->run(c);
}

bool cli_do(struct cli *cli, struct master *m, unsigned *group, char *line, FILE *f)
{
	struct command_call c = {.cli = cli, .master = m, .group = group, .f = f};
	char *rest, *name = strtok_r(line, " \t", &rest);
	if (name == NULL)
		return true;
	if (strcmp(name, "?") == 0)
		return do_help(&c);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(name, commands[i].name) == 0)
			return run(&c, &commands[i], &rest);
	return say(&c, "unknown command; \"help\" lists them");
}

void cli_answer(struct cli *cli, struct master *m, char *line, FILE *f)
{
	char *text = NULL, *end;
	size_t n = 0;
	unsigned group = (unsigned)strtoul(line, &end, 10);
	FILE *answer = open_memstream(&text, &n);
	bool ok = answer != NULL && group < CLI_GROUPS && cli_do(cli, m, &group, end, answer);
	if (answer != NULL)
		fclose(answer);
	fprintf(f, "%zu %d %u\n", n, ok, group);
	if (n > 0)
		fwrite(text, 1, n, f);
	free(text);
}
