// SPDX-License-Identifier: Apache-2.0
/* cli: the command line of Inlab Balance (docs/balance-cli.md): one port, groups of channels, live commands.
 *
 * What the command line says is kept as a model. It is rendered as the text of a configuration file, and so everything behind it is
 * what a file would set going: workers, counters, and the reload that a command which changes the model ends in. */
#ifndef BALANCE_CLI_H
#define BALANCE_CLI_H

#include "addr.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

enum cli_mode { CLI_SERVE, CLI_INTERACTIVE, CLI_COMMAND };

/* Group numbers go up to GROUPS - 1; a number alone makes no group, so they cost nothing unless used. */
enum { CLI_GROUPS = 65536, CLI_REASON = 256, CLI_TEXT = 256 };

/* What `show` takes off the counters: they belong to the workers, so a reset cannot write them. */
struct cli_zero {
	uint64_t total, in, out;
};

struct cli_channel {
	struct addr addr;
	uint32_t max;
	uint32_t id; /* from 1, over all groups */
	struct cli_zero zero;
};

struct cli_group {
	struct cli_channel *channels;
	size_t n, cap;
	bool hash;
};

struct cli {
	enum cli_mode mode;
	const char *command; /* CLI_COMMAND */
	const char *port_text; /* as given, for the prompt */
	bool autodisable, debug, foreground, hash_failover, dump;
	char connect[16], idle[16]; /* seconds, as given */
	unsigned port;
	bool bound;         /* -b */
	struct addr listen; /* with the port */
	struct addr from;   /* -B; len 0: any */
	struct cli_group *groups;
	size_t groups_n;
	uint32_t last_id;
	unsigned workers;
	char rendezvous[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* the control socket; "" not yet chosen */
};

/* Finds a host's address, without port; any socket type. family AF_UNSPEC: IPv4 is preferred. False when there is none. */
typedef bool cli_resolve(const char *host, int family, struct addr *);
bool cli_resolve_host(const char *host, int family, struct addr *);

/* A port number or a TCP service's name. */
bool cli_resolve_port(const char *port, unsigned *number);
void cli_set_port(struct addr *, unsigned port);

/* cli_parse.c: reads a command line. Returns EX_OK, or what to exit with and the reason. The words of argv are kept. */
int cli_parse(struct cli *, int argc, char **argv, cli_resolve *, char reason[CLI_REASON]);
void cli_free(struct cli *);

/* cli_model.c */
/* The group of this number, made with those before it when it is new; NULL when memory ran out or the number is too big. */
struct cli_group *cli_group(struct cli *, size_t number);
/* Appends a channel; NULL when memory ran out. */
struct cli_channel *cli_add(struct cli *, size_t group, const struct addr *, uint32_t max);
/* The configuration text, for the caller to free; NULL when memory ran out. */
char *cli_render(const struct cli *, size_t *n);

/* cli_command.c: does one command for a client whose current group is *group, and writes the answer. False: refused. */
struct master;
bool cli_do(struct cli *, struct master *, unsigned *group, char *line, FILE *);
/* … as the control socket's answer: a line `LENGTH STATUS GROUP`, then LENGTH bytes. line: `GROUP COMMAND…`. */
void cli_answer(struct cli *, struct master *, char *line, FILE *);

/* cli_show.c */
void cli_show(const struct cli *, const struct master *, FILE *);
bool cli_mrtg(const struct cli *, const struct master *, bool bytes, size_t group, size_t channel, FILE *);
void cli_reset(struct cli_channel *, const struct master *);
/* The slot of a channel's counters in the running configuration. */
uint32_t cli_slot(const struct cli *, const struct master *, const struct cli_channel *);

/* rendezvous.c: where the instance of this port and address has its control socket. For the one that serves: makes the directory; for a
 * client: the one that exists. False when there is none. */
bool cli_meet(struct cli *, bool serve, char reason[CLI_REASON]);

/* cli_client.c: -i and -c. Returns the exit status. */
int cli_client(struct cli *);

/* cli_main.c: the program, when the command line is not that of a configuration file. */
int cli_main(int argc, char **argv);

#endif
