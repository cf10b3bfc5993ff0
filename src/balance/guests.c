// SPDX-License-Identifier: Apache-2.0
/* guests: the master's side of workers in other programs' processes. */
#include "guests.h"

#include "clients.h"
#include "event.h"
#include "log.h"
#include "message.h"
#include "shm.h"
#include "socket.h"
#include "wake.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool guests_open(struct master *m)
{
	const char *what;
	m->guests = m->conf->guests == 0 ? -1 : socket_listen_unix(m->conf->guests_path, SOCK_SEQPACKET, WORKERS_MAX, &what);
	if (m->guests >= 0)
		(void)stat(m->conf->guests_path, &m->guests_own);
	if (m->conf->guests == 0 || m->guests >= 0)
		return true;
	log_error("guests %s: %s: %s", m->conf->guests_path, what, strerror(errno));
	return false;
}

static unsigned free_number(const struct master *m)
{
	unsigned i = m->workers_n;
	while (i < m->all_n && m->workers[i].pid != 0)
		i++;
	return i;
}

static bool hand_over(const struct master *m, unsigned i, int fd)
{
	int fds[MESSAGE_FDS];
	const struct message joined = {.type = MESSAGE_JOINED, .slot = i, .slots = m->all_n, .size = GUESTS_LAYOUT};
	fds[0] = shm.fd;
	fds[1] = clients_fd();
	fds[2] = STDOUT_FILENO;
	return message_send_fds(fd, &joined, fds, 3 + wake_fds(fds + 3)) && message_send(fd, &m->handed, m->handed_file);
}

void guests_accept(struct master *m)
{
	struct ucred who = {0};
	socklen_t len = sizeof who;
	int fd = accept4(m->guests, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	const unsigned i = free_number(m);
	if (i == m->all_n && !m->guests_full)
		log_warn("all %u numbers for guests are taken: others use the sockets", m->conf->guests);
	m->guests_full = i == m->all_n;
	/* Without a process number there is nobody to end when it no longer answers. */
	if (i == m->all_n || m->draining || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || who.pid <= 0) {
		close(fd);
		return;
	}
	shm_use(i);
	if (!hand_over(m, i, fd)) {
		log_error("guest (pid %d): %s", (int)who.pid, strerror(errno));
		close(fd);
		return;
	}
	m->workers[i] = (struct worker_process){
	    .pid = who.pid, .socket = fd, .generation = m->generation, .started_ms = master_now_ms()};
	event_worker_started(m, i);
}

void guests_bury(struct master *m, unsigned i)
{
	event_worker_ended(m, i, 0);
	close(m->workers[i].socket);
	m->workers[i].pid = 0;
	slots_forget_worker(&m->slots, i);
	clients_forget_worker(i);
	wake_all(); /* what it held is free */
}

void guests_close(struct master *m)
{
	if (m->guests < 0)
		return;
	close(m->guests);
	m->guests = -1;
	socket_unlink(m->conf->guests_path, &m->guests_own);
}
