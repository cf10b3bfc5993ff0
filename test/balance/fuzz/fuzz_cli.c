// SPDX-License-Identifier: Apache-2.0
/* Command lines: any words. What is accepted means a configuration that the parser takes; what is refused has a status and a reason. */
#include "cli.h"
#include "conf.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 64 };

static void check(int what)
{
	if (!what)
		abort();
}

/* Numbers only: no file and no server is asked. */
static bool resolve(const char *host, int family, struct addr *a)
{
	memset(a, 0, sizeof *a);
	if (family != AF_INET6 && inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->len = sizeof a->in;
	} else if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->len = sizeof a->in6;
	}
	return a->len != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS + 2] = {"balance"}, *text = malloc(size + 1), *rest, reason[CLI_REASON];
	int argc = 1;
	struct cli cli;
	check(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *w = strtok_r(text, "\n", &rest); w != NULL && argc <= WORDS; w = strtok_r(NULL, "\n", &rest))
		argv[argc++] = w;
	int status = cli_parse(&cli, argc, argv, resolve, reason);
	check(status == EX_OK || (reason[0] != '\0' && status >= EX_USAGE && status <= EX_CONFIG));
	if (status == EX_OK && cli.mode == CLI_SERVE) {
		size_t n;
		struct conf_error e;
		char *conf_text = cli_render(&cli, &n);
		check(conf_text != NULL);
		struct conf *conf = conf_parse(conf_text, n, &e);
		check(conf != NULL && conf->pools_n == 1);
		conf_free(conf);
		free(conf_text);
	}
	cli_free(&cli);
	free(text);
	return 0;
}
