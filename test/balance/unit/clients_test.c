// SPDX-License-Identifier: Apache-2.0
/* Limits per client, with the processes that share them. */
#include "test.h"

#include "clients.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { WORKERS = 4, LIMIT = 3 };

static int setup(void **state)
{
	(void)state;
	return clients_init(WORKERS);
}

static void takes_and_gives_back(void **state)
{
	uint32_t t[LIMIT];
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < LIMIT; i++)
			assert_true((t[i] = clients_take((unsigned)i % WORKERS, 77, LIMIT)) > 0);
		for (unsigned w = 0; w < WORKERS; w++)
			assert_int_equal(clients_take(w, 77, LIMIT), 0);
		uint32_t other = clients_take(0, 78, LIMIT); /* the neighbour in the table */
		assert_true(other > 0);
		clients_release(0, other);
		for (int i = 0; i < LIMIT; i++)
			clients_release((unsigned)i % WORKERS, t[i]);
	}
	uint32_t zero = clients_take(0, 0, 1);
	assert_true(zero > 0);
	assert_int_equal(clients_take(1, 0, 1), 0);
	clients_release(0, zero);
	clients_release(0, NO_TICKET); /* nothing to give back */
}

/* Where too many share a stretch of the table, they are let through uncounted; the places are free again afterwards. */
static void a_full_stretch(void **state)
{
	uint32_t t[64];
	unsigned uncounted = 0;
	(void)state;
	for (uint64_t i = 0; i < COUNT(t); i++) {
		t[i] = clients_take(0, 1000 + (i << 20), 1); /* all begin at one place */
		assert_true(t[i] > 0);
		uncounted += t[i] == NO_TICKET;
	}
	assert_in_range(uncounted, 1, 63);
	for (uint64_t i = 0; i < COUNT(t); i++)
		if (t[i] != NO_TICKET)
			assert_int_equal(clients_take(1, 1000 + (i << 20), 1), 0);
	for (size_t i = 0; i < COUNT(t); i++)
		clients_release(0, t[i]);
	for (uint64_t i = 100; i < 132; i++) {
		t[i - 100] = clients_take(0, 1000 + (i << 20), 1);
		assert_true(t[i - 100] > 0 && t[i - 100] != NO_TICKET);
	}
	for (size_t i = 0; i < 32; i++)
		clients_release(0, t[i]);
}

struct shared {
	_Atomic int now, most, taken;
};

/* Each process takes and gives back; a second count, raised after taking and lowered before giving back, may not pass the limit. */
static void never_more_than_the_limit(void **state)
{
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WORKERS];
	int status;
	(void)state;
	assert_true(s != MAP_FAILED);
	for (unsigned w = 0; w < WORKERS; w++) {
		if ((pids[w] = fork()) == 0) {
			for (int i = 0; i < 40000; i++) {
				uint32_t t = clients_take(w, 4242, LIMIT);
				if (t == 0)
					continue;
				int now = atomic_fetch_add(&s->now, 1) + 1, most = atomic_load(&s->most);
				while (now > most && !atomic_compare_exchange_weak(&s->most, &most, now))
					;
				atomic_fetch_add(&s->taken, 1);
				atomic_fetch_sub(&s->now, 1);
				clients_release(w, t);
			}
			_exit(0);
		}
	}
	for (unsigned w = 0; w < WORKERS; w++) {
		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	assert_in_range(s->most, 1, LIMIT);
	assert_true(s->taken > 1000);
	munmap(s, sizeof *s);
}

static void a_dead_worker_holds_nothing(void **state)
{
	int status;
	(void)state;
	uint32_t mine = clients_take(0, 99, LIMIT);
	pid_t pid = fork();
	if (pid == 0) {
		clients_take(1, 99, LIMIT);
		clients_take(1, 99, LIMIT);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(clients_take(2, 99, LIMIT), 0);
	clients_forget_worker(1);
	uint32_t a = clients_take(2, 99, LIMIT), b = clients_take(1, 99, LIMIT);
	assert_true(a > 0 && b > 0);
	assert_int_equal(clients_take(3, 99, LIMIT), 0); /* mine is still held */
	clients_release(0, mine);
	clients_release(2, a);
	clients_release(1, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(takes_and_gives_back), cmocka_unit_test(a_full_stretch), cmocka_unit_test(never_more_than_the_limit),
	    cmocka_unit_test(a_dead_worker_holds_nothing),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
