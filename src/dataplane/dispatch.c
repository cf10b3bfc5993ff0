/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry point of the one data-plane ELF. It holds two programs; the name it is called by picks one, so that links
 * named hitch and balance behave as the programs themselves would. Under any other name the first argument picks.
 */
#include <stdio.h>
#include <string.h>

#define EXIT_USAGE 64 /* EX_USAGE of sysexits.h */

int hitch_main(int argc, char **argv);
int balance_main(int argc, char **argv);

typedef int main_fn(int argc, char **argv);

static main_fn *
program(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	if (strcmp(name, "hitch") == 0)
		return (hitch_main);
	if (strcmp(name, "balance") == 0)
		return (balance_main);
	return (NULL);
}

int
main(int argc, char **argv)
{
	main_fn *run;

	if (argc > 0 && (run = program(argv[0])) != NULL)
		return (run(argc, argv));
	if (argc > 1 && strchr(argv[1], '/') == NULL && (run = program(argv[1])) != NULL)
		return (run(argc - 1, argv + 1));
	fprintf(stderr, "usage: hitch|balance ARG...   (by the name of the link, or as the first argument)\n");
	return (EXIT_USAGE);
}
