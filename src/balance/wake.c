// SPDX-License-Identifier: Apache-2.0
/* wake: one worker tells another that something in shared memory has changed for it. */
#include "wake.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* A row each, so that two workers being woken share no cache line. */
struct bell {
	_Alignas(64) _Atomic uint32_t rung; /* it is to wake up and has not yet */
};

static struct bell *bells; /* shared */
static int *fds;
static unsigned count;

int wake_init(unsigned workers)
{
	void *p = mmap(NULL, workers * sizeof *bells, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || (fds = malloc(workers * sizeof *fds)) == NULL)
		return -1;
	bells = p;
	for (count = 0; count < workers; count++)
		if ((fds[count] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0)
			return -1;
	return 0;
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
