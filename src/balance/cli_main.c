// SPDX-License-Identifier: Apache-2.0
/* cli_main: Balance run by its arguments alone. */
#include "cli.h"

#include "dump.h"
#include "log.h"
#include "main.h"
#include "master.h"

#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

/* More would help only where one port takes more than so many processors of relaying. */
enum { WORKERS_MOST = 8 };

static unsigned processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > WORKERS_MOST ? WORKERS_MOST : (unsigned)n;
}

static int serve(struct cli *c)
{
	c->workers = processors();
	log_most = c->debug ? LOG_DEBUG : LOG_WARN;
	dump_on = c->dump;
	return master_run_cli(c);
}

int cli_main(int argc, char **argv)
{
	static struct cli cli;
	char reason[CLI_REASON];
	int status = cli_parse(&cli, argc, argv, cli_resolve_host, reason);
	if (status != EX_OK) {
		fprintf(stderr, "balance: %s\n", reason);
		if (status == EX_USAGE)
			fputs(balance_usage, stderr);
	} else if (!cli_meet(&cli, cli.mode == CLI_SERVE, reason)) {
		fprintf(stderr, "balance: %s\n", reason);
		status = cli.mode == CLI_SERVE ? EX_CANTCREAT : EX_UNAVAILABLE;
	} else {
		signal(SIGPIPE, SIG_IGN);
		status = cli.mode == CLI_SERVE ? serve(&cli) : cli_client(&cli);
	}
	cli_free(&cli);
	return status;
}
