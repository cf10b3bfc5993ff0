// SPDX-License-Identifier: Apache-2.0
/* Limits of pools: what a pool line may say, the slot that counts them over reloads and deaths, and waking workers. */
#include "test.h"

#include "pool_case.h"

#include "clients.h"
#include "place.h"
#include "wake.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static const struct pool *pool_of(const struct conf *c, const char *name)
{
	const struct pool *p = map_get(&c->pool_by_name, name, strlen(name));
	assert_non_null(p);
	return p;
}

static void options(void **state)
{
	(void)state;
	struct conf *c = load("pool p maxconn=7 client-limit=2 queue=9 queue-timeout=1.5 send-proxy=v2-ssl 1.1.1.1:1\n"
	                      "pool q\npool r send-proxy=none\npool s send-proxy=v1");
	const struct pool *p = pool_of(c, "p"), *q = pool_of(c, "q");
	assert_int_equal(p->maxconn, 7);
	assert_int_equal(p->client_limit, 2);
	assert_int_equal(p->queue, 9);
	assert_int_equal(p->queue_ms, 1500);
	assert_int_equal(p->send_proxy, SEND_PROXY_V2_SSL);
	assert_int_equal(c->send_proxy, SEND_PROXY_V2_SSL);
	assert_int_equal(q->maxconn + q->client_limit + q->queue, 0);
	assert_int_equal(q->queue_ms, 5000);
	assert_int_equal(q->send_proxy, SEND_PROXY_NONE);
	assert_int_equal(pool_of(c, "s")->send_proxy, SEND_PROXY_V1);
	unload(c);
}

static void wrong_options(void **state)
{
	static const char *const table[][2] = {
	    {"maxconn=", "maxconn wants a number"},
	    {"maxconn=-1", "maxconn wants a number"},
	    {"maxconn=4294967296", "maxconn wants a number"},
	    {"client-limit=x", "client-limit wants a number"},
	    {"queue=1.5", "queue wants a number"},
	    {"queue-timeout=1000001", "queue-timeout wants a number of seconds"},
	    {"queue-timeout=soon", "queue-timeout wants a number of seconds"},
	    {"send-proxy=v3", "send-proxy is one of none v1 v2 v2-ssl"},
	    {"send-proxy=", "send-proxy is one of"},
	    {"maxconn=1 maxconn=1", "maxconn is given twice"},
	    {"max-conn=1", "unknown option \"max-conn\""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char text[128];
		struct conf_error e;
		int n = snprintf(text, sizeof text, "listen l tcp:127.0.0.1:1\npool p %s 1.1.1.1:1\n", table[i][0]);
		assert_null(conf_parse(text, (size_t)n, &e));
		assert_int_equal(e.line, 2);
		if (strstr(e.reason, table[i][1]) == NULL)
			fail_msg("%s: %s", table[i][0], e.reason);
	}
}

/* Only pools with limits have a slot for them; it stays with the name, and a dead worker holds nothing of it. */
static void the_slot(void **state)
{
	(void)state;
	struct conf *c = load("pool p maxconn=3 1.1.1.1:1\npool q 1.1.1.1:1");
	const uint32_t slot = pool_of(c, "p")->limit_slot, channel = pool_of(c, "q")->groups[0].channels[0].slot;
	assert_int_not_equal(slot, NO_SLOT);
	assert_int_equal(pool_of(c, "q")->limit_slot, NO_SLOT);
	assert_true(place_take(slot, V_ACTIVE, 0, 3) && place_take(slot, V_ACTIVE, 1, 3) && place_take(slot, V_ACTIVE, 1, 3));
	assert_false(place_take(slot, V_ACTIVE, 2, 3));
	assert_true(place_take(slot, L_QUEUED, 1, 1));
	assert_false(place_take(slot, L_QUEUED, 0, 1));
	shm_add(shm_cell(slot, 1), L_LIMITED, 5);
	shm_add(shm_cell(channel, 1), V_TOTAL, 4); /* the same place in the cell as L_QUEUED */
	conf_free(c);
	c = load("pool q 1.1.1.1:1\npool p queue=8 1.1.1.1:1");
	assert_int_equal(pool_of(c, "p")->limit_slot, slot);
	slots_forget_worker(&slots, 1);
	assert_int_equal(shm_sum(slot, V_ACTIVE), 1);
	assert_int_equal(shm_sum(slot, L_QUEUED), 0);
	assert_int_equal(shm_sum(slot, L_LIMITED), 5);
	assert_int_equal(shm_sum(channel, V_TOTAL), 4);
	assert_true(place_take(slot, V_ACTIVE, 2, 3) && place_take(slot, V_ACTIVE, 2, 3));
	assert_false(place_take(slot, V_ACTIVE, 0, 3));
	place_give(slot, V_ACTIVE, 2);
	place_add(slot, V_ACTIVE, 2);
	assert_int_equal(shm_sum(slot, V_ACTIVE), 3);
	for (int i = 0; i < 2; i++)
		place_give(slot, V_ACTIVE, 2);
	place_give(slot, V_ACTIVE, 0);
	conf_free(c);
	c = load("pool p 1.1.1.1:1");
	assert_int_equal(pool_of(c, "p")->limit_slot, NO_SLOT);
	unload(c);
}

static bool is_rung(unsigned worker)
{
	struct pollfd p = {.fd = wake_fd(worker), .events = POLLIN};
	return poll(&p, 1, 0) == 1;
}

static void bells(void **state)
{
	(void)state;
	assert_false(is_rung(0) || is_rung(1));
	wake(1);
	wake(1);
	assert_true(is_rung(1) && !is_rung(0));
	wake_taken(1);
	assert_false(is_rung(1));
	wake(1);
	assert_true(is_rung(1));
	wake_taken(1);
	wake_all();
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_true(is_rung(i));
		wake_taken(i);
		assert_false(is_rung(i));
	}
	wake_taken(0); /* nothing to take: nothing happens */
}

/* Three who say that a number has grown, one who sleeps until told: it sees the last one. */
static void no_wake_is_lost(void **state)
{
	enum { TIMES = 20000 };
	_Atomic unsigned *n = mmap(NULL, sizeof *n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[3];
	int status;
	(void)state;
	assert_true(n != MAP_FAILED);
	for (size_t i = 0; i < COUNT(pids); i++) {
		if ((pids[i] = fork()) == 0) {
			for (int k = 0; k < TIMES; k++) {
				atomic_fetch_add(n, 1);
				wake(2);
			}
			_exit(0);
		}
	}
	while (atomic_load(n) < COUNT(pids) * TIMES) {
		struct pollfd p = {.fd = wake_fd(2), .events = POLLIN};
		assert_int_equal(poll(&p, 1, 20000), 1);
		wake_taken(2);
	}
	for (size_t i = 0; i < COUNT(pids); i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	munmap((void *)(uintptr_t)n, sizeof *n);
}

/* Killed at any moment, with the lock of its row or without, a worker leaves all places to the others. */
static void a_worker_killed_anywhere(void **state)
{
	enum { LIMIT = 5 };
	int status;
	(void)state;
	for (int round = 0; round < 60; round++) {
		pid_t pid = fork();
		if (pid == 0)
			for (;;) {
				uint32_t a = clients_take(1, 4711, LIMIT), b = clients_take(1, 4711, LIMIT);
				clients_release(1, b);
				clients_release(1, a);
			}
		usleep((useconds_t)(200 + round * 37));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		clients_forget_worker(1);
		uint32_t t[LIMIT];
		for (int i = 0; i < LIMIT; i++)
			assert_true((t[i] = clients_take((unsigned)i % WORKERS, 4711, LIMIT)) > 0);
		assert_int_equal(clients_take(3, 4711, LIMIT), 0);
		for (int i = 0; i < LIMIT; i++)
			clients_release((unsigned)i % WORKERS, t[i]);
	}
}

static int setup(void **state)
{
	(void)state;
	map_seed();
	return shm_init(WORKERS, WORKERS) < 0 || clients_init(WORKERS) < 0 ? -1 : wake_init(WORKERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options),         cmocka_unit_test(wrong_options), cmocka_unit_test(the_slot),
	    cmocka_unit_test(bells),           cmocka_unit_test(no_wake_is_lost), cmocka_unit_test(a_worker_killed_anywhere),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
