// SPDX-License-Identifier: Apache-2.0
/* What is checked: the same check of one address once, however many pools want it, and over reloads. */
#include "test.h"

#include "targets.h"

static struct conf *load(const char *pools)
{
	char text[4096];
	struct conf_error e;
	snprintf(text, sizeof text, "listen l tcp:127.0.0.1:1\n%s\n", pools);
	struct conf *c = conf_parse(text, strlen(text), &e);
	if (c == NULL)
		fail_msg("%u: %s", e.line, e.reason);
	return c;
}

static size_t watchers(const struct target *t)
{
	size_t n = 0;
	for (const struct watcher *w = t->watchers; w != NULL; w = w->next)
		n++;
	return n;
}

static void one_check_for_many(void **state)
{
	(void)state;
	struct conf *c = load("pool a check=tcp 1.1.1.1:1 1.1.1.2:1\n"
	                      "pool b check=tcp rise=9 1.1.1.2:1 ! 1.1.1.2:1 1.1.1.3:1\n"
	                      "pool unchecked 1.1.1.1:1 1.1.1.9:1\n");
	struct targets t = {0};
	assert_true(targets_build(&t, c));
	assert_int_equal(t.n, 3);
	assert_int_equal(watchers(t.at[0]), 1);
	assert_int_equal(watchers(t.at[1]), 3); /* each with the limits of its pool */
	assert_int_equal(watchers(t.at[2]), 1);
	targets_free(&t);
	conf_free(c);
}

static void what_differs_is_checked_apart(void **state)
{
	(void)state;
	struct conf *c = load("pool a check=tcp 1.1.1.1:1\npool b check=http,/ 1.1.1.1:1\npool c check=http,/x 1.1.1.1:1\n"
	                      "pool d check=http,/,h 1.1.1.1:1\npool e check=tcp check-interval=9 1.1.1.1:1\n"
	                      "pool f check=tcp check-timeout=9 1.1.1.1:1\npool g -B 127.0.0.1 check=tcp 1.1.1.1:1\n"
	                      "pool h check=tcp 1.1.1.1:2\npool i send-proxy=v1 check=tcp 1.1.1.1:1\n");
	struct targets t = {0};
	assert_true(targets_build(&t, c));
	assert_int_equal(t.n, 9);
	targets_free(&t);
	conf_free(c);
}

static unsigned kept, fresh;

static void count(void *with, struct target *t, struct target *before)
{
	(void)with;
	kept += before != NULL;
	fresh += before == NULL;
	if (before != NULL)
		assert_memory_equal(&t->plan.addr, &before->plan.addr, sizeof t->plan.addr);
}

static void a_reload_finds_what_was_there(void **state)
{
	(void)state;
	struct conf *a = load("pool p check=tcp 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1");
	struct conf *b = load("pool q check=tcp fall=9 1.1.1.3:1 1.1.1.4:1\npool p check=tcp 1.1.1.1:1");
	struct targets before = {0}, coming = {0};
	assert_true(targets_build(&before, a));
	assert_true(targets_build(&coming, b));
	targets_match(&coming, &before, count, NULL);
	assert_int_equal(kept, 2);
	assert_int_equal(fresh, 1);
	targets_free(&before);
	targets_free(&coming);
	assert_true(targets_wanted(a));
	conf_free(a);
	conf_free(b);
	a = load("pool p 1.1.1.1:1");
	assert_false(targets_wanted(a));
	conf_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_check_for_many),
	    cmocka_unit_test(what_differs_is_checked_apart),
	    cmocka_unit_test(a_reload_finds_what_was_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
