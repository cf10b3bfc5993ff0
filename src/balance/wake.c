// SPDX-License-Identifier: Apache-2.0
/* wake: one worker tells another that something in shared memory has changed for it. */
#include "wake.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* A row each, so that two workers being woken share no cache line. */
struct bell {
	_Alignas(64) _Atomic uint32_t rung; /* it is to wake up and has not yet */
};

static struct bell *bells; /* shared */
static int bells_fd = -1;
static int *fds;
static unsigned count;

static int map_bells(int fd, unsigned workers)
{
	bells_fd = fd;
	void *p = fd < 0 ? MAP_FAILED : mmap(NULL, workers * sizeof *bells, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	bells = p;
	return (fds = malloc(workers * sizeof *fds)) == NULL ? -1 : 0;
}

int wake_init(unsigned workers)
{
	int fd = memfd_create("balance-bells", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)(workers * sizeof *bells)) < 0 || map_bells(fd, workers) < 0)
		return -1;
	for (count = 0; count < workers; count++)
		if ((fds[count] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
			return -1;
	return 0;
}

unsigned wake_fds(int *to)
{
	to[0] = bells_fd;
	memcpy(to + 1, fds, count * sizeof *fds);
	return 1 + count;
}

int wake_join(const int *from, unsigned workers)
{
	count = workers;
	if (map_bells(from[0], workers) < 0) {
		for (unsigned i = 0; i < workers; i++)
			close(from[1 + i]);
		return -1;
	}
	memcpy(fds, from + 1, workers * sizeof *fds);
	return 0;
}

void wake_leave(void)
{
	for (unsigned i = 0; fds != NULL && i < count; i++)
		close(fds[i]);
	free(fds);
	fds = NULL;
	if (bells != NULL)
		munmap(bells, count * sizeof *bells);
	bells = NULL;
	if (bells_fd >= 0)
		close(bells_fd);
	bells_fd = -1;
	count = 0;
}

static void ring(unsigned worker)
{
	const uint64_t one = 1;
	/* It fails only when the number is at its end: then there is something to read already. */
	if (write(fds[worker], &one, sizeof one) < 0)
		return;
}

void wake(unsigned worker)
{
	if (atomic_exchange(&bells[worker].rung, 1) == 0)
		ring(worker);
}

void wake_all(void)
{
	for (unsigned i = 0; i < count; i++) {
		atomic_store(&bells[i].rung, 1);
		ring(i);
	}
}

int wake_fd(unsigned worker)
{
	return fds[worker];
}

void wake_taken(unsigned worker)
{
	uint64_t n;
	/* Emptied before the bell is at rest: a call between the two rings again, one after them is new. */
	if (read(fds[worker], &n, sizeof n) < 0)
		n = 0;
	atomic_store(&bells[worker].rung, 0);
}
