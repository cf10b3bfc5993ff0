/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /usr/bin/evener of the image, where there is no shell: starts Node with the controller's bundle. As process 1 it
 * stays and is the container's init: it hands signals on, reaps whatever the kernel gives it (Hitch's workers when their
 * master was killed), and ends with the controller's status. The kernel ends what is left then, and whoever runs the
 * container starts it anew.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NO_MEMORY 71 /* EX_OSERR of sysexits.h */
#define EXIT_NO_EXEC 127  /* what a shell says */

static void
start(int argc, char **argv)
{
	char **args = calloc((size_t)argc + 3, sizeof(*args));

	if (args == NULL)
		_exit(EXIT_NO_MEMORY);
	args[0] = EVENER_LIB "/node";
	/* As src/cli/launcher.sh has it, where the reason is. Source maps stay off: they cost 100 MB. */
	args[1] = "--max-semi-space-size=4";
	args[2] = EVENER_LIB "/evener.mjs";
	if (argc > 1)
		memcpy(args + 3, argv + 1, (size_t)(argc - 1) * sizeof(*args));
	execv(args[0], args);
	perror("evener: " EVENER_LIB "/node");
	_exit(EXIT_NO_EXEC);
}

/* Takes in every child that has ended; the status to end with once it was the controller, else -1. */
static int
reap(pid_t controller)
{
	int status, end = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid < 0 && errno == EINTR))
		if (pid == controller)
			end = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return (end);
}

int
main(int argc, char **argv)
{
	sigset_t all, before;
	pid_t controller;
	int sig, end;

	if (getpid() != 1)
		start(argc, argv);
	/* Blocked before there is a child, so that none gets lost; taken one by one below. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if ((controller = fork()) < 0) {
		perror("evener: fork");
		return (EXIT_NO_MEMORY);
	}
	if (controller == 0) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		start(argc, argv);
	}
	for (;;) {
		if ((sig = sigwaitinfo(&all, NULL)) < 0)
			continue;
		if (sig == SIGCHLD) {
			if ((end = reap(controller)) >= 0)
				return (end);
		/* A terminal's job control is not for a container: stopped, the controller would look after nothing. */
		} else if (sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU) {
			kill(controller, sig);
		}
	}
}
