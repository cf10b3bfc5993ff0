// SPDX-License-Identifier: Apache-2.0
/* cli_client: `-i` and `-c`: commands to the instance that serves a port. */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum { SHUTDOWN_MS = 1000 };

struct talk {
	struct cli *cli;
	FILE *in, *out; /* the control socket */
	int fd;
	unsigned group;
	bool leave, ok;
};

static bool connect_to(struct talk *t, const char *path)
{
	struct sockaddr_un un;
	if (t->cli->debug)
		fprintf(stderr, "balance: control socket %s\n", path);
	t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || !addr_unix(&un, path) || connect(t->fd, (struct sockaddr *)&un, sizeof un) < 0) {
		fprintf(stderr, "balance: %s: %s\n", path, strerror(errno));
		return false;
	}
	t->in = fdopen(t->fd, "r");
	t->out = fdopen(dup(t->fd), "w");
	return t->in != NULL && t->out != NULL;
}

static bool is_name(const char *line, const char *name)
{
	const size_t n = strlen(name);
	return strncmp(line, name, n) == 0 && (line[n] == '\0' || line[n] == ' ' || line[n] == '\t');
}

/* Names become numbers here: `create HOST PORT` and `assign CHANNEL HOST PORT`. */
static bool look_up(char *line, char *out, size_t size)
{
	struct addr addr;
	unsigned port;
	char copy[CLI_TEXT * 2], text[ADDR_TEXT], *rest, *word[4];
	size_t n = 0;
	snprintf(out, size, "%s", line);
	const bool assign = is_name(line, "assign");
	if ((!assign && !is_name(line, "create")) || strlen(line) >= sizeof copy)
		return true;
	strcpy(copy, line);
	for (char *w = strtok_r(copy, " \t", &rest); w != NULL && n < 4; w = strtok_r(NULL, " \t", &rest))
		word[n++] = w;
	if (n != (assign ? 4u : 3u))
		return true; /* the master says how it is written */
	const char *host = word[n - 2];
	if (!cli_resolve_host(host, AF_UNSPEC, &addr) || !cli_resolve_port(word[n - 1], &port)) {
		fprintf(stderr, "%s %s: no such host or port\n", host, word[n - 1]);
		return false;
	}
	addr_format_host(&addr, text);
	if (assign)
		snprintf(out, size, "assign %s %s %u", word[1], text, port);
	else
		snprintf(out, size, "create %s %u", text, port);
	return true;
}

/* Prints what the master says. False when it is gone. */
static bool answer(struct talk *t)
{
	char head[64], part[4096];
	size_t n;
	int ok;
	if (fgets(head, sizeof head, t->in) == NULL || sscanf(head, "%zu %d %u", &n, &ok, &t->group) != 3)
		return false;
	t->ok = ok;
	FILE *to = t->cli->mode == CLI_COMMAND && !ok ? stderr : stdout;
	while (n > 0) {
		size_t r = fread(part, 1, n < sizeof part ? n : sizeof part, t->in);
		if (r == 0)
			return false;
		fwrite(part, 1, r, to);
		n -= r;
	}
	fflush(to);
	return true;
}

/* The end shows as the end of the socket; connections that may finish first are not waited for. */
static void await_end(struct talk *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	(void)poll(&p, 1, SHUTDOWN_MS);
	puts("shutdown complete");
}

static bool command(struct talk *t, char *line)
{
	char out[CLI_TEXT * 3];
	line += strspn(line, " \t");
	line[strcspn(line, "\r\n")] = '\0';
	t->ok = true;
	if (line[0] == '\0')
		return true;
	if (is_name(line, "quit")) {
		t->leave = true;
		return true;
	}
	if (!look_up(line, out, sizeof out)) {
		t->ok = false;
		return true;
	}
	if (fprintf(t->out, "cli %u %s\n", t->group, out) < 0 || fflush(t->out) != 0 || !answer(t)) {
		fprintf(stderr, "balance: the instance is gone\n");
		return false;
	}
	if (t->ok && (is_name(line, "shutdown") || is_name(line, "kill"))) {
		await_end(t);
		t->leave = true;
	}
	return true;
}

static int interact(struct talk *t)
{
	char *line = NULL;
	size_t cap = 0;
	const bool person = isatty(STDIN_FILENO);
	bool there = true;
	while (there && !t->leave) {
		if (person)
			printf("balance[%s] ", t->cli->port_text);
		fflush(stdout);
		if (getline(&line, &cap, stdin) < 0)
			break;
		there = command(t, line);
	}
	free(line);
	return there ? EX_OK : EX_UNAVAILABLE;
}

/* Several commands stand with `;` between them: `group 1; disable 0`. */
static int once(struct talk *t)
{
	char *copy = strdup(t->cli->command), *rest;
	int status = copy == NULL ? EX_OSERR : EX_OK;
	for (char *one = copy == NULL ? NULL : strtok_r(copy, ";", &rest); one != NULL && status == EX_OK && !t->leave;
	     one = strtok_r(NULL, ";", &rest)) {
		if (!command(t, one))
			status = EX_UNAVAILABLE;
		else if (!t->ok)
			status = EX_DATAERR;
	}
	free(copy);
	return status;
}

int cli_client(struct cli *c)
{
	struct talk t = {.cli = c, .fd = -1};
	int status = EX_UNAVAILABLE;
	if (connect_to(&t, c->rendezvous))
		status = c->mode == CLI_COMMAND ? once(&t) : interact(&t);
	if (t.in != NULL)
		fclose(t.in);
	else if (t.fd >= 0)
		close(t.fd);
	if (t.out != NULL)
		fclose(t.out);
	return status;
}
