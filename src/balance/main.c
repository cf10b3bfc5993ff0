// SPDX-License-Identifier: Apache-2.0
/* main: the command line. */
#include "main.h"

#include "cli.h"
#include "master.h"
#include "reload.h"
#include "version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

const char balance_usage[] = "usage: balance --config FILE [--test]\n"
                            "       balance [-b ADDR] [-B ADDR] [-t SEC] [-T SEC] [-adfpHM6] PORT HOST[:PORT[:MAXC]] [!|%] ...\n"
                            "       balance [-b ADDR] -i [-d] PORT\n"
                            "       balance [-b ADDR] -c COMMAND [-d] PORT\n"
                            "       balance --version | --help\n"
                            "\n"
                            "  --config FILE  run with this configuration (docs/balance-config.md)\n"
                            "  --test         check the configuration and exit: 0 good, 78 refused\n"
                            "\n"
                            "  The other forms are those of Inlab Balance (docs/balance-cli.md):\n"
                            "  -a  a channel that fails stays disabled     -H  a hash group fails over too\n"
                            "  -b  address to listen on                    -i  commands from standard input\n"
                            "  -B  address to connect from                 -M  no effect: memory is always mapped\n"
                            "  -c  send a command                          -p  print all data (with -f)\n"
                            "  -d  tracing on standard error               -t  seconds for connecting (5)\n"
                            "  -f  stay in the foreground                  -T  seconds of silence allowed (0: any)\n"
                            "  -6  listen on IPv6\n";

static int test(const char *file)
{
	char *text, reason[512];
	size_t n;
	struct conf_error error;
	if (!reload_read(file, &text, &n, reason, sizeof reason)) {
		fprintf(stderr, "balance: %s\n", reason);
		return EX_CONFIG;
	}
	struct conf *conf = conf_parse(text, n, &error);
	free(text);
	if (conf == NULL) {
		fprintf(stderr, "balance: %s:%u: %s\n", file, error.line, error.reason);
		return EX_CONFIG;
	}
	conf_free(conf);
	return EX_OK;
}

int balance_main(int argc, char **argv)
{
	if (argc > 1 && strncmp(argv[1], "--", 2) != 0)
		return cli_main(argc, argv);
	static const struct option options[] = {
	    {"config", required_argument, NULL, 'C'},
	    {"test", no_argument, NULL, 'n'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {0},
	};
	const char *file = NULL;
	bool only_test = false;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'C':
			file = optarg;
			break;
		case 'n':
			only_test = true;
			break;
		case 'V':
			puts("balance " BALANCE_VERSION " (Evener)");
			return EX_OK;
		case 'h':
			fputs(balance_usage, stdout);
			return EX_OK;
		default:
			fputs(balance_usage, stderr);
			return EX_USAGE;
		}
	}
	if (file == NULL || optind != argc) {
		fputs(balance_usage, stderr);
		return EX_USAGE;
	}
	return only_test ? test(file) : master_run(file);
}
