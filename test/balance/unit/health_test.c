// SPDX-License-Identifier: Apache-2.0
/* The circuit breaker and the checker's verdicts, with a clock that is told. */
#include "test.h"

#include "health.h"
#include "pool.h"
#include "shm.h"
#include "slots.h"

#include <signal.h>
#include <sys/wait.h>

enum { WORKERS = 4, CONNECT_MS = 5000 };

static struct slots slots;
static uint64_t generation, now;
static struct conf *conf;
static struct pool *pool;

static void load(const char *line)
{
	char text[2048];
	struct conf_error e;
	int n = snprintf(text, sizeof text, "listen l tcp:127.0.0.1:1\npool p %s\n", line);
	struct conf *c = conf_parse(text, (size_t)n, &e);
	if (c == NULL)
		fail_msg("%u: %s", e.line, e.reason);
	assert_true(slots_assign(&slots, c, ++generation));
	slots_collect(&slots, generation);
	health_settle(c);
	conf_free(conf);
	conf = c;
	pool = c->pools[0];
}

/* Every test begins with channels that nobody knew before. */
static int begin(void **state)
{
	(void)state;
	load("9.9.9.9:9");
	now = 1000000;
	return 0;
}

static uint32_t slot(size_t group, size_t i)
{
	return pool->groups[group].channels[i].slot;
}

static bool usable(size_t i)
{
	return health_usable(pool, &pool->groups[0].channels[i], now);
}

static enum health_change refuse(size_t i)
{
	return health_failed(pool, slot(0, i), now, 0, HEALTH_UNREACHABLE);
}

static enum health_change eject(size_t i)
{
	enum health_change change;
	for (uint32_t n = 1; n < pool->eject.fails; n++)
		assert_int_equal(refuse(i), HEALTH_SAME);
	change = refuse(i);
	return change;
}

/* Until it is half-open; returns how long that took. */
static uint64_t wait_for(size_t i)
{
	const uint64_t ms = health_ejected_for(slot(0, i), now);
	now += ms;
	return ms;
}

static bool claims(size_t i, uint64_t *claim)
{
	return health_begin(pool, slot(0, i), now, claim) && *claim != 0;
}

static const char *state_of(size_t i)
{
	return health_state(pool, slot(0, i), now);
}

static void failures_in_a_row_eject(void **state)
{
	(void)state;
	load("eject=3,2,60 1.1.1.1:1 1.1.1.2:1");
	refuse(0);
	refuse(0);
	assert_int_equal(health_passed(slot(0, 0), now, 0), HEALTH_SAME); /* one that works: the row is broken */
	assert_int_equal(refuse(0), HEALTH_SAME);
	assert_int_equal(refuse(0), HEALTH_SAME);
	assert_true(usable(0));
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	assert_false(usable(0));
	assert_string_equal(state_of(0), "ejected");
	assert_true(usable(1));
	assert_string_equal(state_of(1), "up");
	assert_int_equal(shm_shared(slot(0, 0))->ejections, 1);
	/* What others find out meanwhile is old news. */
	assert_int_equal(refuse(0), HEALTH_SAME);
	assert_int_equal(health_passed(slot(0, 0), now, 0), HEALTH_SAME);
	assert_false(usable(0));
}

static void nothing_happens_when_it_is_off(void **state)
{
	(void)state;
	load("1.1.1.1:1 1.1.1.2:1");
	for (int i = 0; i < 10; i++)
		assert_int_equal(refuse(0), HEALTH_SAME);
	assert_true(usable(0));
	assert_int_equal(shm_shared(slot(0, 0))->breaker, 0);
}

static void the_time_grows_and_spreads(void **state)
{
	(void)state;
	load("eject=1,2,9 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1");
	uint64_t claim, least = UINT64_MAX, most = 0;
	for (uint64_t row = 1; row <= 300; row++) {
		assert_int_equal(row == 1 ? refuse(0) : health_failed(pool, slot(0, 0), now, claim, HEALTH_UNREACHABLE), HEALTH_EJECTED);
		const uint64_t ms = wait_for(0), aim = row * 2000 > 9000 ? 9000 : row * 2000;
		assert_in_range(ms, aim * 8 / 10, aim * 12 / 10 > 9000 ? 9000 : aim * 12 / 10);
		if (row > 5) {
			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		assert_true(claims(0, &claim));
	}
	/* Even at the most they differ: what failed together does not come back together. */
	assert_in_range(least, 7200, 7400);
	assert_in_range(most, 8800, 9000);
	/* A success forgets how often it was. */
	assert_int_equal(health_passed(slot(0, 0), now, claim), HEALTH_RETURNED);
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	assert_in_range(wait_for(0), 1600, 2400);
}

static void the_last_usable_channel_stays(void **state)
{
	(void)state;
	load("eject=2 1.1.1.1:1 1.1.1.2:1 ! 1.1.1.3:1 1.1.1.4:1*0 1.1.1.5:1");
	shm_shared(slot(1, 2))->disabled = 1;
	assert_int_equal(eject(0), HEALTH_EJECTED);
	assert_int_equal(eject(1), HEALTH_EJECTED); /* the backup is left, though not what is disabled or has no weight */
	for (int i = 0; i < 5; i++)
		assert_int_equal(health_failed(pool, slot(1, 0), now, 0, HEALTH_UNREACHABLE), HEALTH_SAME);
	assert_true(health_usable(pool, &pool->groups[1].channels[0], now));
	/* As soon as another is back for good, the next failure counts. */
	uint64_t claim;
	wait_for(0);
	assert_true(claims(0, &claim));
	assert_int_equal(health_failed(pool, slot(1, 0), now, 0, HEALTH_UNREACHABLE), HEALTH_SAME); /* half-open is not yet back */
	assert_int_equal(health_passed(slot(0, 0), now, claim), HEALTH_RETURNED);
	assert_int_equal(health_failed(pool, slot(1, 0), now, 0, HEALTH_UNREACHABLE), HEALTH_EJECTED);
	/* A single channel is never ejected, and comes back into use when it becomes the last. */
	shm_shared(slot(1, 2))->disabled = 0;
	load("eject=1 1.1.1.1:1");
	for (int i = 0; i < 5; i++)
		assert_int_equal(refuse(0), HEALTH_SAME);
	assert_true(usable(0));
}

static void a_probe_fails_when_it_is_the_last_hope(void **state)
{
	(void)state;
	load("eject=1,2 1.1.1.1:1 1.1.1.2:1");
	uint64_t claim;
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	shm_shared(slot(0, 1))->disabled = 1;
	wait_for(0);
	assert_true(claims(0, &claim));
	assert_int_equal(health_failed(pool, slot(0, 0), now, claim, HEALTH_UNREACHABLE), HEALTH_RETURNED);
	assert_true(usable(0));
	shm_shared(slot(0, 1))->disabled = 0;
	assert_int_equal(refuse(0), HEALTH_EJECTED); /* no longer needed */
	assert_in_range(wait_for(0), 3200, 4800);    /* and this was the second time */
}

static void resets_eject_half_at_most(void **state)
{
	(void)state;
	load("eject=1 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 1.1.1.4:1 1.1.1.5:1 1.1.1.6:1");
	unsigned ejected = 0;
	for (size_t i = 0; i < 6; i++)
		ejected += health_failed(pool, slot(0, i), now, 0, HEALTH_RESET) == HEALTH_EJECTED;
	assert_int_equal(ejected, 3);
	assert_int_equal(refuse(3), HEALTH_EJECTED); /* one that refuses is not there, whatever the others do */
	load("eject=1 2.1.1.1:1 2.1.1.2:1");
	assert_int_equal(health_failed(pool, slot(0, 0), now, 0, HEALTH_RESET), HEALTH_EJECTED);
	assert_int_equal(health_failed(pool, slot(0, 1), now, 0, HEALTH_RESET), HEALTH_SAME);
}

static void one_probe_decides(void **state)
{
	(void)state;
	load("-t 5 eject=1,2 1.1.1.1:1 1.1.1.2:1");
	uint64_t claim, other;
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	assert_false(health_begin(pool, slot(0, 0), now, &claim));
	wait_for(0);
	assert_true(usable(0));
	assert_string_equal(state_of(0), "probing");
	assert_true(claims(0, &claim));
	assert_false(usable(0));
	assert_false(health_begin(pool, slot(0, 0), now, &other));
	/* Others may say what they like, good or bad. */
	assert_int_equal(health_passed(slot(0, 0), now, 0), HEALTH_SAME);
	assert_int_equal(refuse(0), HEALTH_SAME);
	assert_false(usable(0));
	health_connected(slot(0, 0), now, &claim);
	assert_int_not_equal(claim, 0);
	assert_false(usable(0)); /* accepted is not yet served */
	assert_string_equal(state_of(0), "probing");
	assert_int_equal(health_passed(slot(0, 0), now, claim), HEALTH_RETURNED);
	assert_true(usable(0));
	assert_string_equal(state_of(0), "up");
	assert_int_equal(shm_shared(slot(0, 0))->breaker, 0);
}

static void a_probe_that_is_reset_after_it_was_accepted(void **state)
{
	(void)state;
	load("eject=1,2 1.1.1.1:1 1.1.1.2:1");
	uint64_t claim;
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	wait_for(0);
	assert_true(claims(0, &claim));
	health_connected(slot(0, 0), now, &claim);
	assert_int_equal(health_failed(pool, slot(0, 0), now, claim, HEALTH_RESET), HEALTH_EJECTED);
	assert_in_range(wait_for(0), 3200, 4800);
}

/* Some services only listen: that nothing went wrong for a while has to do. */
static void a_quiet_probe_settles(void **state)
{
	(void)state;
	load("eject=2,2 1.1.1.1:1 1.1.1.2:1");
	uint64_t claim, other;
	assert_int_equal(eject(0), HEALTH_EJECTED);
	wait_for(0);
	assert_true(claims(0, &claim));
	health_connected(slot(0, 0), now, &claim);
	now += HEALTH_SETTLE_MS;
	assert_true(usable(0));
	assert_string_equal(state_of(0), "up");
	assert_true(health_begin(pool, slot(0, 0), now, &other));
	assert_int_equal(other, 0); /* everybody may use it again */
	assert_int_equal(refuse(0), HEALTH_SAME); /* and it has the usual number of failures free */
	assert_int_equal(refuse(0), HEALTH_EJECTED);
}

static void a_probe_may_be_given_back(void **state)
{
	(void)state;
	load("eject=1,2 1.1.1.1:1 1.1.1.2:1");
	uint64_t claim, next;
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	wait_for(0);
	assert_true(claims(0, &claim));
	health_yield(slot(0, 0), now, claim);
	now++;
	assert_true(claims(0, &next));
	health_yield(slot(0, 0), now, claim); /* the first has nothing to say any more */
	assert_false(usable(0));
}

/* A worker claims and is killed: the claim ends by itself, and nothing is left of it. */
static void a_killed_worker_blocks_no_probe(void **state)
{
	(void)state;
	load("-t 5 eject=1,2 1.1.1.1:1 1.1.1.2:1");
	uint64_t claim;
	int status, pipe_fd[2];
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	wait_for(0);
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t child = fork();
	if (child == 0) {
		uint64_t own = 0;
		if (!claims(0, &own) || write(pipe_fd[1], &own, sizeof own) != sizeof own)
			_exit(1);
		for (;;)
			pause();
	}
	uint64_t dead;
	assert_int_equal(read(pipe_fd[0], &dead, sizeof dead), sizeof dead);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	assert_true(WIFSIGNALED(status));
	assert_false(usable(0));
	now += CONNECT_MS + HEALTH_CLAIM_MS - 1;
	assert_false(claims(0, &claim));
	now++;
	assert_true(claims(0, &claim));
	/* Should the first have been slow rather than dead, it comes too late. */
	assert_int_equal(health_passed(slot(0, 0), now, dead), HEALTH_SAME);
	assert_int_equal(health_failed(pool, slot(0, 0), now, dead, HEALTH_UNREACHABLE), HEALTH_SAME);
	assert_int_equal(health_passed(slot(0, 0), now, claim), HEALTH_RETURNED);
	assert_int_equal(shm_shared(slot(0, 0))->ejections, 1);
}

/* Many processes find a channel half-open at once. */
static void one_claim_of_all(void **state)
{
	enum { ROUNDS = 200 };
	(void)state;
	load("eject=1,2 1.1.1.1:1 1.1.1.2:1");
	struct shm_shared *scratch = shm_shared(pool->http_slot); /* shared memory that nobody else needs now */
	for (int round = 0; round < ROUNDS; round++) {
		shm_shared(slot(0, 0))->breaker = 0;
		assert_int_equal(refuse(0), HEALTH_EJECTED);
		wait_for(0);
		scratch->cursor = 0;
		scratch->since_ms = 0;
		for (int w = 0; w < WORKERS; w++) {
			if (fork() != 0)
				continue;
			uint64_t claim;
			atomic_fetch_add(&scratch->since_ms, 1);
			while (atomic_load(&scratch->since_ms) < WORKERS)
				;
			if (claims(0, &claim))
				atomic_fetch_add(&scratch->cursor, 1);
			_exit(0);
		}
		while (wait(NULL) > 0)
			;
		assert_int_equal(scratch->cursor, 1);
	}
	scratch->cursor = scratch->since_ms = 0;
}

/* Two workers each see the other's channel fail: one of the two stays, or both do. */
static void never_both_of_two(void **state)
{
	enum { ROUNDS = 300 };
	(void)state;
	load("eject=1,2 1.1.1.1:1 1.1.1.2:1");
	struct shm_shared *scratch = shm_shared(pool->http_slot);
	for (int round = 0; round < ROUNDS; round++) {
		shm_shared(slot(0, 0))->breaker = shm_shared(slot(0, 1))->breaker = 0;
		scratch->cursor = 0;
		for (size_t i = 0; i < 2; i++) {
			if (fork() != 0)
				continue;
			atomic_fetch_add(&scratch->cursor, 1);
			while (atomic_load(&scratch->cursor) < 2)
				;
			refuse(i);
			_exit(0);
		}
		while (wait(NULL) > 0)
			;
		assert_true(usable(0) || usable(1));
	}
	scratch->cursor = 0;
}

static void checks_rise_and_fall(void **state)
{
	(void)state;
	load("check=tcp rise=2 fall=3 1.1.1.1:1 1.1.1.2:1");
	const uint32_t s = slot(0, 0);
	const struct check *c = &pool->check;
	assert_true(usable(0)); /* unknown is up */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(health_checked(c, s, now, false), HEALTH_SAME);
		assert_int_equal(health_checked(c, s, now, false), HEALTH_SAME);
		assert_int_equal(health_checked(c, s, now, true), HEALTH_SAME); /* not in a row */
	}
	health_checked(c, s, now, false);
	health_checked(c, s, now, false);
	assert_true(usable(0));
	assert_int_equal(health_checked(c, s, now, false), HEALTH_DOWN);
	assert_false(usable(0));
	assert_string_equal(state_of(0), "down");
	assert_int_equal(health_checked(c, s, now, false), HEALTH_SAME);
	assert_int_equal(health_checked(c, s, now, true), HEALTH_SAME);
	assert_int_equal(health_checked(c, s, now, false), HEALTH_SAME);
	assert_int_equal(health_checked(c, s, now, true), HEALTH_SAME);
	assert_int_equal(health_checked(c, s, now, true), HEALTH_UP);
	assert_true(usable(0));
	/* One result may be enough. */
	load("check=tcp rise=1 fall=1 1.1.1.1:1 1.1.1.2:1");
	assert_int_equal(health_checked(&pool->check, slot(0, 0), now, false), HEALTH_DOWN);
	assert_int_equal(health_checked(&pool->check, slot(0, 0), now, true), HEALTH_UP);
}

static void a_reload_keeps_what_is_asked_for(void **state)
{
	(void)state;
	load("check=tcp fall=1 eject=1 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1");
	health_checked(&pool->check, slot(0, 0), now, false);
	assert_int_equal(refuse(1), HEALTH_EJECTED);
	load("check=tcp fall=1 eject=1 1.1.1.4:1 1.1.1.2:1 1.1.1.1:1");
	assert_string_equal(state_of(2), "down");
	assert_string_equal(state_of(1), "ejected");
	assert_string_equal(state_of(0), "up");
	load("check=tcp fall=1 1.1.1.4:1 1.1.1.2:1 1.1.1.1:1");
	assert_string_equal(state_of(1), "up");
	load("1.1.1.4:1 1.1.1.2:1 1.1.1.1:1");
	assert_string_equal(state_of(2), "up");
	load("check=tcp fall=1 eject=1 1.1.1.4:1 1.1.1.2:1 1.1.1.1:1");
	assert_string_equal(state_of(1), "up"); /* forgotten for good */
	assert_string_equal(state_of(2), "up");
}

/* Takes all that an attempt is offered. */
static size_t offers(uint32_t list[16], uint64_t *claim)
{
	struct attempt a = {0};
	struct addr who = {0};
	const struct channel *ch;
	size_t n = 0;
	while ((ch = pool_take(pool, &a, &who, 0, now)) != NULL) {
		assert_in_range(n, 0, 15);
		list[n++] = ch->slot;
		if (a.claim != 0)
			*claim = a.claim;
		pool_release(ch->slot, 0);
	}
	return n;
}

static bool offered(const uint32_t *list, size_t n, uint32_t s)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == s)
			return true;
	return false;
}

static void selection_passes_over_the_ill(void **state)
{
	(void)state;
	uint32_t list[16];
	uint64_t claim = 0;
	load("eject=1,2 check=tcp fall=1 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 ! 1.1.1.4:1");
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	health_checked(&pool->check, slot(0, 1), now, false);
	for (int i = 0; i < 20; i++) {
		struct attempt a = {0};
		struct addr who = {0};
		const struct channel *ch = pool_take(pool, &a, &who, 0, now);
		assert_int_equal(ch->slot, slot(0, 2));
		pool_release(ch->slot, 0);
	}
	/* When nothing healthy is left to try, they are better than nothing: last, and without a say. */
	size_t n = offers(list, &claim);
	assert_int_equal(n, 4);
	assert_int_equal(list[0], slot(0, 2));
	assert_int_equal(list[1], slot(1, 0));
	assert_true(offered(list + 2, 2, slot(0, 0)) && offered(list + 2, 2, slot(0, 1)));
	assert_int_equal(claim, 0);
	/* What is disabled stays out. */
	shm_shared(slot(0, 1))->disabled = 1;
	assert_int_equal(offers(list, &claim), 3);
	shm_shared(slot(0, 1))->disabled = 0;
	/* Half-open: one of many gets it. */
	wait_for(0);
	offers(list, &claim);
	assert_int_not_equal(claim, 0);
	assert_false(usable(0));
}

static void all_down_means_all_are_tried(void **state)
{
	(void)state;
	unsigned seen[3] = {0};
	load("check=tcp fall=1 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1*0");
	for (size_t i = 0; i < 3; i++)
		health_checked(&pool->check, slot(0, i), now, false);
	for (int i = 0; i < 20; i++) {
		struct attempt a = {0};
		struct addr who = {0};
		const struct channel *ch = pool_take(pool, &a, &who, 0, now);
		assert_non_null(ch);
		seen[ch - pool->groups[0].channels]++;
		pool_release(ch->slot, 0);
	}
	assert_true(seen[0] > 0 && seen[1] > 0);
	assert_int_equal(seen[2], 0);
}

/* A limit is a limit: being full is no reason to burden the ill. */
static void full_is_not_ill(void **state)
{
	(void)state;
	load("eject=1 1.1.1.1:1 1.1.1.2:1:1");
	struct attempt a = {0}, b = {0};
	struct addr who = {0};
	assert_int_equal(refuse(0), HEALTH_EJECTED);
	assert_int_equal(pool_take(pool, &a, &who, 0, now)->slot, slot(0, 1));
	assert_null(pool_take(pool, &b, &who, 1, now));
	pool_release(slot(0, 1), 0);
}

static int set_up(void **state)
{
	(void)state;
	return shm_init(WORKERS, WORKERS);
}

static int tear_down(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(failures_in_a_row_eject), TEST(nothing_happens_when_it_is_off), TEST(the_time_grows_and_spreads),
	    TEST(the_last_usable_channel_stays), TEST(a_probe_fails_when_it_is_the_last_hope), TEST(resets_eject_half_at_most),
	    TEST(one_probe_decides), TEST(a_probe_that_is_reset_after_it_was_accepted), TEST(a_quiet_probe_settles),
	    TEST(a_probe_may_be_given_back), TEST(a_killed_worker_blocks_no_probe), TEST(one_claim_of_all), TEST(never_both_of_two),
	    TEST(checks_rise_and_fall), TEST(a_reload_keeps_what_is_asked_for), TEST(selection_passes_over_the_ill),
	    TEST(all_down_means_all_are_tried), TEST(full_is_not_ill),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
