// SPDX-License-Identifier: Apache-2.0
/* master: holds the listening sockets and the counters, keeps the workers alive, reloads. */
#include "master.h"

#include "checker.h"
#include "clients.h"
#include "control.h"
#include "event.h"
#include "guests.h"
#include "log.h"
#include "message.h"
#include "news.h"
#include "reload.h"
#include "shm.h"
#include "socket.h"
#include "wake.h"
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	STEADY_MS = 1000,       /* a worker that dies younger than this … */
	RESTART_DELAY_MS = 1000, /* … is not replaced before this */
	KILL_AFTER_MS = 2000,   /* what a draining worker gets beyond its grace */
};

uint64_t master_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What the child must not hold: the other workers' sockets (their end is how the others learn that the master died). */
static void leave_master(struct master *m)
{
	for (unsigned i = 0; i < m->all_n; i++)
		if (m->workers[i].pid != 0)
			close(m->workers[i].socket);
	if (m->guests >= 0)
		close(m->guests);
	if (m->checker.pid != 0)
		close(m->checker.socket);
	control_leave(m->control);
	close(m->handed_file);
	close(m->signals);
}

/* Like fork(2). In the child *fd is its end of the pair that it shares with the master. */
static pid_t fork_child(struct master *m, struct worker_process *w, const char *name, int *fd)
{
	int pair[2];
	uint64_t now = master_now_ms();
	w->start_at_ms = now + RESTART_DELAY_MS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		log_error("%s: socketpair: %s", name, strerror(errno));
		return -1;
	}
	pid_t pid = fork();
	if (pid < 0) {
		log_error("%s: fork: %s", name, strerror(errno));
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (pid == 0) {
		close(pair[0]);
		leave_master(m);
		*fd = pair[1];
		return 0;
	}
	close(pair[1]);
	w->pid = pid;
	w->socket = pair[0];
	w->generation = m->generation; /* forked with it */
	w->started_ms = now;
	return pid;
}

static void start_worker(struct master *m, unsigned i)
{
	int fd;
	const pid_t pid = fork_child(m, &m->workers[i], "worker", &fd);
	if (pid == 0)
		worker_run(i, m->conf, m->generation, m->sockets, fd);
	if (pid > 0)
		event_worker_started(m, i);
}

static void start_checker(struct master *m)
{
	int fd;
	if (fork_child(m, &m->checker, "checker", &fd) != 0)
		return;
	for (size_t i = 0; i < m->conf->listeners_n; i++)
		close(m->sockets[i]);
	checker_run(m->conf, fd);
}

static void start_missing(struct master *m)
{
	uint64_t now = master_now_ms();
	for (unsigned i = 0; i < m->workers_n && !m->draining; i++)
		if (m->workers[i].pid == 0 && m->workers[i].start_at_ms <= now)
			start_worker(m, i);
	if (m->checks && !m->draining && m->checker.pid == 0 && m->checker.start_at_ms <= now)
		start_checker(m);
}

static void bury(struct worker_process *w, const char *name, int status, bool expected)
{
	uint64_t now = master_now_ms();
	close(w->socket);
	if (!expected) {
		log_error("%s (pid %d) ended: %s %d", name, (int)w->pid, WIFSIGNALED(status) ? "signal" : "status",
		          WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		w->restarts++;
	}
	w->start_at_ms = now - w->started_ms < STEADY_MS ? now + RESTART_DELAY_MS : now;
	w->pid = 0;
}

static void bury_worker(struct master *m, unsigned i, int status)
{
	char name[32];
	snprintf(name, sizeof name, "worker %u", i);
	event_worker_ended(m, i, status);
	bury(&m->workers[i], name, status, m->draining);
	slots_forget_worker(&m->slots, i);
	clients_forget_worker(i);
	wake_all(); /* what it held is free */
}

static void reap(struct master *m)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == m->checker.pid)
			bury(&m->checker, "checker", status, m->draining || !m->checks);
		for (unsigned i = 0; i < m->workers_n; i++)
			if (m->workers[i].pid == pid)
				bury_worker(m, i, status);
	}
}

static void kill_workers(struct master *m)
{
	for (unsigned i = 0; i < m->workers_n; i++)
		if (m->workers[i].pid != 0)
			kill(m->workers[i].pid, SIGKILL);
}

void master_drain(struct master *m)
{
	if (m->draining)
		return;
	struct message drain = {.type = MESSAGE_DRAIN, .size = m->conf->grace_ms};
	m->draining = true;
	m->kill_at_ms = master_now_ms() + m->conf->grace_ms + KILL_AFTER_MS;
	log_info("draining for up to %u ms", m->conf->grace_ms);
	event_plain(m->control, "draining");
	for (size_t i = 0; i < m->conf->listeners_n; i++) {
		close(m->sockets[i]);
		if (m->conf->listeners[i]->path != NULL)
			unlink(m->conf->listeners[i]->path);
	}
	guests_close(m);
	for (unsigned i = 0; i < m->all_n; i++)
		if (m->workers[i].pid != 0 && !message_send(m->workers[i].socket, &drain, -1)) {
			if (guests_has(m, i))
				shutdown(m->workers[i].socket, SHUT_RDWR); /* it takes that for our end, and drains */
			else
				kill(m->workers[i].pid, SIGKILL);
		}
}

static void take_signals(struct master *m)
{
	struct signalfd_siginfo info;
	while (read(m->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGHUP:
			master_reload(m);
			break;
		case SIGTERM:
		case SIGINT:
			if (m->draining)
				kill_workers(m);
			else
				master_drain(m);
			break;
		default:
			reap(m);
		}
	}
}

static bool any_worker(const struct master *m)
{
	for (unsigned i = 0; i < m->workers_n; i++)
		if (m->workers[i].pid != 0)
			return true;
	return false;
}

static int wait_ms(const struct master *m)
{
	uint64_t now = master_now_ms();
	uint64_t next = UINT64_MAX;
	const int look = control_wait_ms(m->control);
	if (look >= 0)
		next = now + (uint64_t)look;
	if (m->draining && m->kill_at_ms < next)
		next = m->kill_at_ms;
	for (unsigned i = 0; i < m->workers_n && !m->draining; i++)
		if (m->workers[i].pid == 0 && m->workers[i].start_at_ms < next)
			next = m->workers[i].start_at_ms;
	if (m->checks && !m->draining && m->checker.pid == 0 && m->checker.start_at_ms < next)
		next = m->checker.start_at_ms;
	if (next == UINT64_MAX)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}

static struct pollfd poll_child(const struct worker_process *w)
{
	return (struct pollfd){.fd = w->pid == 0 ? -1 : w->socket, .events = POLLIN};
}

static void turn(struct master *m)
{
	struct pollfd polls[3 + WORKERS_MAX + CONTROL_POLLS];
	struct pollfd *workers = polls + 3, *rest = workers + m->all_n;
	polls[0] = (struct pollfd){.fd = m->signals, .events = POLLIN};
	polls[1] = (struct pollfd){.fd = m->guests, .events = POLLIN};
	polls[2] = poll_child(&m->checker);
	for (unsigned i = 0; i < m->all_n; i++)
		workers[i] = poll_child(&m->workers[i]);
	size_t n = control_polls(m->control, rest);
	if (poll(polls, 3 + m->all_n + n, wait_ms(m)) > 0) {
		if (polls[2].revents & POLLIN)
			(void)news_receive(m, polls[2].fd);
		for (unsigned i = 0; i < m->all_n; i++)
			if (workers[i].revents != 0 && !news_receive(m, workers[i].fd) && guests_has(m, i))
				guests_bury(m, i);
		if (polls[1].revents & POLLIN)
			guests_accept(m);
		take_signals(m);
		control_handle(m->control, m, rest, n);
	}
	control_look(m->control, m, false);
	start_missing(m);
	if (m->draining && master_now_ms() >= m->kill_at_ms) {
		kill_workers(m);
		m->kill_at_ms = UINT64_MAX / 2;
	}
}

static bool catch_signals(struct master *m)
{
	/* Workers inherit the mask: a signal meant for the group, as Ctrl-C is, reaches them only through the master. */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return false;
	m->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return m->signals >= 0;
}

static void release(struct master *m)
{
	if (m->checker.pid != 0 && kill(m->checker.pid, SIGKILL) == 0)
		waitpid(m->checker.pid, NULL, 0);
	control_close(m->control);
	guests_close(m);
	close(m->handed_file);
	free(m->workers);
	free(m->text);
	free(m->sockets);
	conf_free(m->conf);
}

/* The parent's part is over when the listening sockets are open, so it is the parent who tells whether that went well. */
static bool go_to_background(const struct cli *c)
{
	pid_t pid = fork();
	if (pid < 0)
		return false;
	if (pid > 0)
		_exit(EX_OK);
	setsid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") < 0)
		return false;
	dup2(null, STDIN_FILENO);
	if (!c->dump)
		dup2(null, STDOUT_FILENO);
	if (!c->debug)
		dup2(null, STDERR_FILENO);
	close(null);
	return true;
}

bool master_render(struct master *m)
{
	size_t n;
	char *text = cli_render(m->cli, &n);
	if (text == NULL)
		return false;
	free(m->text);
	m->text = text;
	m->text_n = n;
	return true;
}

static int run(struct master *m)
{
	m->started_ms = master_now_ms();
	if (!reload_first(m)) {
		log_error("%s", m->last_error);
		return m->cli == NULL ? EX_CONFIG : EX_OSERR;
	}
	m->workers_n = m->conf->workers;
	m->all_n = m->workers_n + m->conf->guests;
	m->workers = calloc(m->all_n, sizeof *m->workers);
	if (m->workers == NULL || !catch_signals(m) || !guests_open(m))
		return EX_OSERR;
	if (m->conf->control != NULL && (m->control = control_open(m->conf->control)) == NULL)
		return EX_OSERR;
	if (m->cli != NULL && !m->cli->foreground && !go_to_background(m->cli)) {
		log_error("background: %s", strerror(errno));
		return EX_OSERR;
	}
	start_missing(m);
	log_info("generation %llu, %u workers, %zu listeners, %zu pools", (unsigned long long)m->generation, m->workers_n,
	         m->conf->listeners_n, m->conf->pools_n);
	while (!m->draining || any_worker(m))
		turn(m);
	release(m);
	return EX_OK;
}

int master_run(const char *file)
{
	static struct master master;
	master.file = file;
	return run(&master);
}

int master_run_cli(struct cli *c)
{
	static struct master master;
	master.file = "command line";
	master.cli = c;
	return master_render(&master) ? run(&master) : EX_OSERR;
}
