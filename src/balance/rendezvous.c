// SPDX-License-Identifier: Apache-2.0
/* rendezvous: how `balance -i PORT` finds the instance that serves this port.
 *
 * Its control socket is named after port and bind address, in the first of these directories that can be used: /var/run/balance (root),
 * $XDG_RUNTIME_DIR/balance, /tmp/balance-UID. Whoever serves makes the directory; it has to belong to its user and be writable
 * by nobody else, so that nobody can put another socket there. A client takes the first directory that holds the socket. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACES = 3 };

/* Directory number i, or false when it does not apply. */
static bool place(int i, char *out, size_t size)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	int n = -1;
	if (i == 0 && geteuid() == 0)
		n = snprintf(out, size, "/var/run/balance");
	else if (i == 1 && xdg != NULL && xdg[0] == '/')
		n = snprintf(out, size, "%s/balance", xdg);
	else if (i == 2)
		n = snprintf(out, size, "/tmp/balance-%u", (unsigned)geteuid());
	return n > 0 && (size_t)n < size;
}

static bool is_ours(const char *directory)
{
	struct stat st;
	return lstat(directory, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

static bool usable(const char *directory)
{
	return (mkdir(directory, 0700) == 0 || errno == EEXIST) && is_ours(directory) && access(directory, W_OK | X_OK) == 0;
}

static bool is_plain(const char *path)
{
	for (; *path != '\0'; path++)
		if (*path <= ' ' || *path >= 0x7f || *path == '#')
			return false;
	return true;
}

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

bool cli_meet(struct cli *c, bool serve, char reason[CLI_REASON])
{
	char directory[sizeof c->rendezvous], host[ADDR_TEXT] = "any";
	if (c->bound)
		addr_format_host(&c->listen, host);
	for (int i = 0; i < PLACES; i++) {
		if (!place(i, directory, sizeof directory) || !is_plain(directory))
			continue;
		/* One byte stays free: the socket is made under a longer name first. */
		const size_t size = sizeof c->rendezvous - 1;
		int n = snprintf(c->rendezvous, size, "%s/%u-%s", directory, c->port, host);
		if (n > 0 && (size_t)n < size && (serve ? usable(directory) : is_ours(directory) && exists(c->rendezvous)))
			return true;
	}
	c->rendezvous[0] = '\0';
	snprintf(reason, CLI_REASON,
	         serve ? "no directory for the control socket (/var/run/balance, XDG_RUNTIME_DIR or /tmp)"
	               : "no balance serves port %u of address \"%s\" here",
	         c->port, host);
	return false;
}
