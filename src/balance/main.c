// SPDX-License-Identifier: Apache-2.0
/* main: the command line. */
#include "main.h"

#include "master.h"
#include "reload.h"
#include "version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char usage[] = "usage: balance --config FILE [--test]\n"
                            "       balance --version | --help\n"
                            "\n"
                            "  --config FILE  run with this configuration (docs/balance-config.md)\n"
                            "  --test         check the configuration and exit: 0 good, 78 refused\n";

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
			fputs(usage, stdout);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (file == NULL || optind != argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	return only_test ? test(file) : master_run(file);
}
