// SPDX-License-Identifier: Apache-2.0
/* What a pool line may say about health, and what is refused. */
#include "test.h"

#include "conf.h"

static struct conf *parse(const char *options, struct conf_error *e)
{
	char text[4096];
	int n = snprintf(text, sizeof text, "listen l tcp:127.0.0.1:1\npool p %s 1.1.1.1:1\n", options);
	return conf_parse(text, (size_t)n, e);
}

static struct conf *load(const char *options)
{
	struct conf_error e;
	struct conf *c = parse(options, &e);
	if (c == NULL)
		fail_msg("%s: %s", options, e.reason);
	return c;
}

static void off_unless_asked_for(void **state)
{
	(void)state;
	struct conf *c = load("");
	const struct pool *p = c->pools[0];
	assert_int_equal(p->eject.fails, 0);
	assert_int_equal(p->check.kind, CHECK_NONE);
	assert_int_equal(p->check.interval_ms, 5000);
	assert_int_equal(p->check.timeout_ms, 2000);
	assert_int_equal(p->check.rise, 2);
	assert_int_equal(p->check.fall, 3);
	conf_free(c);
}

static void ejection(void **state)
{
	static const struct {
		const char *option;
		uint32_t fails, base_ms, max_ms;
	} rows[] = {
	    {"eject=3", 3, 2000, 60000},       {"eject=3,5", 3, 5000, 60000}, {"eject=1,0.25,0.5", 1, 250, 500},
	    {"eject=2,90", 2, 90000, 90000},   {"eject=0", 0, 2000, 60000},   {"eject=1000,1,1", 1000, 1000, 1000},
	    {"eject=3,2,60", 3, 2000, 60000},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf *c = load(rows[i].option);
		assert_int_equal(c->pools[0]->eject.fails, rows[i].fails);
		assert_int_equal(c->pools[0]->eject.base_ms, rows[i].base_ms);
		assert_int_equal(c->pools[0]->eject.max_ms, rows[i].max_ms);
		conf_free(c);
	}
}

static void checks(void **state)
{
	(void)state;
	struct conf *c = load("check=tcp check-interval=0.5 check-timeout=1.5 rise=1 fall=7");
	const struct check *k = &c->pools[0]->check;
	assert_int_equal(k->kind, CHECK_TCP);
	assert_int_equal(k->interval_ms, 500);
	assert_int_equal(k->timeout_ms, 1500);
	assert_int_equal(k->rise, 1);
	assert_int_equal(k->fall, 7);
	conf_free(c);
	/* In any order. */
	c = load("fall=9 check-interval=7 check=http,/a%20b?c=d&e");
	k = &c->pools[0]->check;
	assert_int_equal(k->kind, CHECK_HTTP);
	assert_string_equal(k->path, "/a%20b?c=d&e");
	assert_null(k->host);
	assert_int_equal(k->interval_ms, 7000);
	assert_int_equal(k->fall, 9);
	conf_free(c);
	c = load("check=http,/,[fd00::1]:8080");
	assert_string_equal(c->pools[0]->check.path, "/");
	assert_string_equal(c->pools[0]->check.host, "[fd00::1]:8080");
	conf_free(c);
}

static void refusals(void **state)
{
	static const struct {
		const char *options, *reason;
	} rows[] = {
	    {"eject=", "eject wants FAILURES"},
	    {"eject=x", "eject wants FAILURES"},
	    {"eject=1001", "eject wants FAILURES"},
	    {"eject=3,", "eject wants FAILURES"},
	    {"eject=3,0", "eject wants FAILURES"},
	    {"eject=3,2,", "eject wants FAILURES"},
	    {"eject=3,2,60,9", "eject wants FAILURES"},
	    {"eject=3,2,60,", "eject wants FAILURES"},
	    {"eject=3,2,1", "shorter than the first"},
	    {"eject=3 eject=3", "eject is given twice"},
	    {"check=", "check is tcp or http,PATH[,HOST]"},
	    {"check=udp", "check is tcp or http"},
	    {"check=tcp,/", "check is tcp or http"},
	    {"check=http", "check is tcp or http"},
	    {"check=http,", "check is tcp or http"},
	    {"check=http,x", "check is tcp or http"},
	    {"check=http,/a#b", "check is tcp or http"},
	    {"check=http,/a\\b", "check is tcp or http"},
	    {"check=http,/,", "check is tcp or http"},
	    {"check=http,/,a/b", "check is tcp or http"},
	    {"check=http,/,a,b", "check is tcp or http"},
	    {"check-interval=0", "at least 0.1 seconds"},
	    {"check-interval=0.09", "at least 0.1 seconds"},
	    {"check-timeout=1s", "at least 0.1 seconds"},
	    {"rise=0", "rise wants a number from 1 to 1000"},
	    {"fall=1001", "fall wants a number from 1 to 1000"},
	    {"fall=2 fall=2", "fall is given twice"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct conf_error e = {0};
		struct conf *c = parse(rows[i].options, &e);
		if (c != NULL)
			fail_msg("accepted: %s", rows[i].options);
		if (e.line != 2 || strstr(e.reason, "pool p: ") == NULL || strstr(e.reason, rows[i].reason) == NULL)
			fail_msg("%s: line %u: %s", rows[i].options, e.line, e.reason);
	}
}

/* The bounds that the checker's buffers have. */
static void longest(void **state)
{
	(void)state;
	char text[2048] = "check=http,/";
	struct conf_error e;
	const size_t before = strlen("check=http,");
	memset(text + before + 1, 'x', CHECK_PATH_MAX - 1);
	text[before + CHECK_PATH_MAX] = ',';
	memset(text + before + CHECK_PATH_MAX + 1, 'h', HOST_PORT_MAX);
	conf_free(load(text));
	text[before + CHECK_PATH_MAX + 1 + HOST_PORT_MAX] = 'h';
	assert_null(parse(text, &e));
	text[before + CHECK_PATH_MAX] = 'x';
	text[before + CHECK_PATH_MAX + 1] = '\0';
	assert_null(parse(text, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(off_unless_asked_for), cmocka_unit_test(ejection), cmocka_unit_test(checks),
	    cmocka_unit_test(refusals),             cmocka_unit_test(longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
