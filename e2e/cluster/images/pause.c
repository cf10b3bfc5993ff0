/* SPDX-License-Identifier: Apache-2.0 */
/* What holds a pod's namespaces, and the node's: process 1, which sleeps and reaps. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void
end(int signal)
{
	(void)signal;
	_exit(0);
}

static void
reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int
main(void)
{
	struct sigaction on_end = { .sa_handler = end };
	struct sigaction on_child = { .sa_handler = reap, .sa_flags = SA_NOCLDSTOP };

	if (sigaction(SIGTERM, &on_end, NULL) != 0 || sigaction(SIGINT, &on_end, NULL) != 0 ||
	    sigaction(SIGCHLD, &on_child, NULL) != 0)
		return (1);
	for (;;)
		pause();
}
