// SPDX-License-Identifier: Apache-2.0
/* reload: from a file to a configuration that every worker runs, or to a reason why not. */
#include "reload.h"

#include "channel_state.h"
#include "clients.h"
#include "control.h"
#include "event.h"
#include "health.h"
#include "log.h"
#include "message.h"
#include "news.h"
#include "shm.h"
#include "socket.h"
#include "targets.h"
#include "wake.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MAX = 1 << 28,
	WORKER_MS = 10000, /* a worker that has not answered by then is replaced */
	BIND_MS = 2000,    /* a predecessor that was killed leaves its addresses within moments */
	BIND_PAUSE_MS = 20,
};

/* A configuration on its way in. */
struct coming {
	struct conf *conf;
	char *text;
	size_t n;
	int *sockets; /* per listener; borrowed from the running configuration or new */
	bool *opened;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct master *m, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(m->last_error, sizeof m->last_error, format, ap);
	va_end(ap);
	return false;
}

bool reload_read(const char *file, char **text, size_t *n, char *reason, size_t size)
{
	struct stat st;
	ssize_t r = -1;
	*text = NULL;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		snprintf(reason, size, "%s: %s", file, strerror(errno));
		goto end;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
		snprintf(reason, size, "%s: not a regular file of at most %d bytes", file, FILE_MAX);
		goto end;
	}
	*text = malloc((size_t)st.st_size + 1);
	*n = 0;
	if (*text == NULL) {
		snprintf(reason, size, "%s: out of memory", file);
		goto end;
	}
	while (*n < (size_t)st.st_size && (r = read(fd, *text + *n, (size_t)st.st_size - *n)) > 0)
		*n += (size_t)r;
	if (r < 0 && st.st_size > 0) {
		snprintf(reason, size, "%s: %s", file, strerror(errno));
		free(*text);
		*text = NULL;
	}
end:
	if (fd >= 0)
		close(fd);
	return *text != NULL;
}

static bool parse(struct master *m, struct coming *in)
{
	struct conf_error error;
	if (m->text != NULL) {
		in->n = m->text_n;
		if ((in->text = malloc(in->n)) == NULL)
			return fail(m, "%s: out of memory", m->file);
		memcpy(in->text, m->text, in->n);
	} else if (!reload_read(m->file, &in->text, &in->n, m->last_error, sizeof m->last_error)) {
		return false;
	}
	in->conf = conf_parse(in->text, in->n, &error);
	if (in->conf == NULL && error.line == 0)
		return fail(m, "%s: %s", m->file, error.reason);
	if (in->conf == NULL)
		return fail(m, "%s:%u: %s", m->file, error.line, error.reason);
	return true;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool fits_running(struct master *m, const struct coming *in)
{
	if (in->conf->workers != m->conf->workers)
		return fail(m, "%s: workers cannot change from %u to %u without a restart", m->file, m->conf->workers,
		            in->conf->workers);
	if (in->conf->guests != m->conf->guests || !same_text(in->conf->guests_path, m->conf->guests_path))
		return fail(m, "%s: guests cannot change without a restart", m->file);
	if (!same_text(in->conf->control, m->conf->control))
		return fail(m, "%s: the control socket cannot change without a restart", m->file);
	return true;
}

static int running_socket(const struct master *m, const struct listener *l)
{
	for (size_t i = 0; m->conf != NULL && i < m->conf->listeners_n; i++) {
		const struct listener *old = m->conf->listeners[i];
		if (strcmp(old->address, l->address) == 0 && old->v6only == l->v6only)
			return m->sockets[i];
	}
	return -1;
}

static int open_patiently(const struct listener *l, const char **what, bool first)
{
	for (int waited = 0;; waited += BIND_PAUSE_MS) {
		int fd = socket_listen(l, what);
		if (fd >= 0 || errno != EADDRINUSE || !first || waited >= BIND_MS)
			return fd;
		poll(NULL, 0, BIND_PAUSE_MS);
	}
}

static bool open_sockets(struct master *m, struct coming *in)
{
	const size_t n = in->conf->listeners_n;
	const char *what;
	in->sockets = malloc(n * sizeof *in->sockets);
	in->opened = calloc(n, sizeof *in->opened);
	if (in->sockets == NULL || in->opened == NULL)
		return fail(m, "%s: out of memory", m->file);
	for (size_t i = 0; i < n; i++) {
		const struct listener *l = in->conf->listeners[i];
		in->sockets[i] = running_socket(m, l);
		if (in->sockets[i] >= 0) {
			listen(in->sockets[i], l->backlog);
			continue;
		}
		in->sockets[i] = open_patiently(l, &what, m->conf == NULL && m->cli == NULL);
		if (in->sockets[i] < 0)
			return fail(m, "%s: listen %s %s: %s: %s", m->file, l->name, l->address, what, strerror(errno));
		in->opened[i] = true;
	}
	return true;
}

static void refuse(struct coming *in)
{
	for (size_t i = 0; in->opened != NULL && i < in->conf->listeners_n; i++) {
		if (!in->opened[i])
			continue;
		close(in->sockets[i]);
		if (in->conf->listeners[i]->path != NULL)
			unlink(in->conf->listeners[i]->path);
	}
	free(in->opened);
	free(in->sockets);
	free(in->text);
	conf_free(in->conf);
}

static bool push_slot(void *with, uint32_t *slot, const char *key, size_t len)
{
	FILE *f = with;
	(void)key;
	(void)len;
	return fwrite(slot, sizeof *slot, 1, f) == 1;
}

/* The text and the slot numbers as one file in memory; see MESSAGE_CONF. */
static int pack(const struct coming *in)
{
	static const char zeros[4];
	int fd = memfd_create("balance-configuration", MFD_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(dup(fd), "w");
	if (f == NULL) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	bool ok = fwrite(in->text, 1, in->n, f) == in->n && fwrite(zeros, 1, -in->n & 3u, f) == (-in->n & 3u) &&
	          conf_slots(in->conf, push_slot, f);
	ok &= fclose(f) == 0;
	if (!ok) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A worker that does not read its messages is waited for, then given up. */
static bool tell(struct worker_process *w, const struct message *msg, int fd)
{
	while (!message_send(w->socket, msg, fd)) {
		struct pollfd p = {.fd = w->socket, .events = POLLOUT};
		if (errno != EAGAIN || poll(&p, 1, WORKER_MS) <= 0)
			return false;
	}
	return true;
}

static bool has_port(const struct master *m, uint32_t slot, int fd)
{
	for (size_t i = 0; i < m->conf->listeners_n; i++)
		if (m->conf->listeners[i]->slot == slot && m->sockets[i] == fd)
			return true;
	return false;
}

static struct message describe(const struct coming *in, uint64_t generation)
{
	return (struct message){
	    .type = MESSAGE_CONF, .generation = generation, .size = in->n, .slots = in->conf->slots};
}

static bool hand_over(const struct master *m, const struct coming *in, struct worker_process *w, uint64_t generation,
                      int file)
{
	const bool listens = w >= m->workers && w < m->workers + m->workers_n;
	for (size_t i = 0; listens && i < in->conf->listeners_n; i++) {
		struct message port = {.type = MESSAGE_PORT, .slot = in->conf->listeners[i]->slot};
		if (!has_port(m, port.slot, in->sockets[i]) && !tell(w, &port, in->sockets[i]))
			return false;
	}
	const struct message conf = describe(in, generation);
	return tell(w, &conf, file);
}

static bool wait_live(struct master *m, struct worker_process *w, uint64_t generation, uint64_t until)
{
	struct message said;
	int fd;
	while (w->generation != generation) {
		switch (message_receive(w->socket, &said, &fd)) {
		case MESSAGE_OK:
			if (fd >= 0)
				close(fd);
			if (said.type == MESSAGE_LIVE)
				w->generation = said.generation;
			else
				news_take(m, &said);
			break;
		case MESSAGE_NONE: {
			uint64_t now = master_now_ms();
			struct pollfd p = {.fd = w->socket, .events = POLLIN};
			if (now >= until || poll(&p, 1, (int)(until - now)) <= 0)
				return false;
			break;
		}
		case MESSAGE_GONE:
			return false;
		}
	}
	return true;
}

static void close_unused(const struct master *m, const struct coming *in)
{
	for (size_t i = 0; i < m->conf->listeners_n; i++) {
		bool used = false;
		for (size_t j = 0; j < in->conf->listeners_n; j++)
			used |= in->sockets[j] == m->sockets[i];
		if (used)
			continue;
		close(m->sockets[i]);
		if (m->conf->listeners[i]->path != NULL)
			unlink(m->conf->listeners[i]->path);
	}
}

static void adopt(struct master *m, struct coming *in, uint64_t generation, int file)
{
	if (m->conf != NULL) {
		close(m->handed_file);
		close_unused(m, in);
		conf_free(m->conf);
		free(m->sockets);
	}
	m->handed = describe(in, generation);
	m->handed_file = file;
	m->conf = in->conf;
	m->sockets = in->sockets;
	m->generation = generation;
	m->last_error[0] = '\0';
	m->checks = targets_wanted(m->conf);
	if (!m->checks && m->checker.pid != 0)
		kill(m->checker.pid, SIGKILL);
	health_settle(m->conf);
	free(in->opened);
	free(in->text);
}

bool reload_first(struct master *m)
{
	struct coming in = {0};
	int file = -1;
	map_seed();
	if (!parse(m, &in)) {
		free(in.text);
		return false;
	}
	const unsigned all = in.conf->workers + in.conf->guests;
	if (shm_init(all, in.conf->workers) < 0 || clients_init(all) < 0 || wake_init(all) < 0)
		fail(m, "shared memory: %s", strerror(errno));
	else if (!slots_assign(&m->slots, in.conf, 1) || (file = pack(&in)) < 0)
		fail(m, "out of memory for counters");
	else if (open_sockets(m, &in)) {
		adopt(m, &in, 1, file);
		return true;
	}
	if (file >= 0)
		close(file);
	refuse(&in);
	return false;
}

/* The workers, the guests, then the checker. */
static struct worker_process *child(struct master *m, unsigned i)
{
	return i < m->all_n ? &m->workers[i] : &m->checker;
}

static bool has_hung_up(const struct worker_process *w)
{
	struct pollfd p = {.fd = w->socket};
	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* A guest that has gone needs no signal, and its number may be another process's by now; what is left of it is cleared in the next turn. */
static void end(const struct master *m, unsigned i, const struct worker_process *w)
{
	if (i >= m->workers_n && w != &m->checker && has_hung_up(w))
		return;
	if (kill(w->pid, SIGKILL) == 0)
		return;
	log_error("pid %d: %s", (int)w->pid, strerror(errno));
	shutdown(w->socket, SHUT_RDWR); /* it takes that for our end */
}

/* Past this point nothing is refused: a worker that fails is replaced by one that starts with the new configuration. */
static void distribute(struct master *m, struct coming *in, uint64_t generation, int file)
{
	for (unsigned i = 0; i <= m->all_n; i++) {
		struct worker_process *w = child(m, i);
		if (w->pid != 0 && !hand_over(m, in, w, generation, file))
			end(m, i, w);
	}
	const uint64_t until = master_now_ms() + WORKER_MS;
	for (unsigned i = 0; i <= m->all_n; i++) {
		struct worker_process *w = child(m, i);
		if (w->pid != 0 && !wait_live(m, w, generation, until)) {
			log_error("%s %u (pid %d) did not take the new configuration and is replaced",
			          w == &m->checker ? "checker" : "worker", i, (int)w->pid);
			end(m, i, w);
		}
	}
}

bool master_reload(struct master *m)
{
	struct coming in = {0};
	const uint64_t generation = m->generation + 1;
	int file = -1;
	bool ok = false;
	if (m->draining)
		fail(m, "draining: no configuration is taken any more");
	else if (!parse(m, &in) || !fits_running(m, &in) || !open_sockets(m, &in))
		ok = false;
	else if (!slots_assign(&m->slots, in.conf, generation) || (file = pack(&in)) < 0 || !channel_reconcile(m->conf, in.conf))
		fail(m, "%s: no memory to hand the configuration to the workers", m->file);
	else
		ok = true;
	if (!ok) {
		if (file >= 0)
			close(file);
		refuse(&in);
		m->reloads_failed++;
		log_error("reload refused: %s", m->last_error);
		event_reload(m, false);
		return false;
	}
	distribute(m, &in, generation, file);
	control_look(m->control, m, true);
	adopt(m, &in, generation, file);
	slots_collect(&m->slots, generation);
	m->reloads_ok++;
	control_reloaded(m->control, m);
	event_reload(m, true);
	log_info("reloaded: generation %llu, %zu pools", (unsigned long long)generation, m->conf->pools_n);
	return true;
}
