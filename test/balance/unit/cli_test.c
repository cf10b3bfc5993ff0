// SPDX-License-Identifier: Apache-2.0
/* The command line: what it means as a model, as a configuration, and what is refused. */
#include "test.h"

#include "cli.h"
#include "conf.h"
#include "dump.h"

#include <sysexits.h>

enum { WORDS = 32 };

/* Names without a name server. */
static bool resolve(const char *host, int family, struct addr *a)
{
	if (strcmp(host, "two.example") == 0)
		host = "192.0.2.2";
	if (strcmp(host, "six.example") == 0)
		host = "2001:db8::6";
	return strspn(host, "0123456789abcdef.:") == strlen(host) && cli_resolve_host(host, family, a);
}

static struct cli cli;
static char reason[CLI_REASON], line_copy[4096];

static int parse(const char *line)
{
	char *argv[WORDS] = {"balance"}, *rest;
	int argc = 1;
	snprintf(line_copy, sizeof line_copy, "%s", line);
	for (char *w = strtok_r(line_copy, " ", &rest); w != NULL && argc < WORDS - 1; w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	cli_free(&cli);
	return cli_parse(&cli, argc, argv, resolve, reason);
}

static const struct good {
	const char *line, *text; /* of the configuration, from `listen` on */
} good[] = {
    {"8888 192.0.2.1", "listen cli tcp:0.0.0.0:8888\npool cli -t 5 -T 0 -S 192.0.2.1:8888:0#1 !\n"},
    {"-f 8888 two.example 10.1.1.1:8000", "listen cli tcp:0.0.0.0:8888\npool cli -t 5 -T 0 -S 192.0.2.2:8888:0#1 10.1.1.1:8000:0#2 !\n"},
    {"143 1.1.1.1::16 ! 1.1.1.2", "listen cli tcp:0.0.0.0:143\npool cli -t 5 -T 0 -S 1.1.1.1:143:16#1 ! 1.1.1.2:143:0#2 !\n"},
    {"80 1.1.1.1 1.1.1.2 % 1.1.1.3:81:5 %", "listen cli tcp:0.0.0.0:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 1.1.1.2:80:0#2 % 1.1.1.3:81:5#3 %\n"},
    {"-aH -t 2 -T 30 80 1.1.1.1", "listen cli tcp:0.0.0.0:80\npool cli -t 2 -T 30 -H -a 1.1.1.1:80:0#1 !\n"},
    {"-t2 -B10.0.0.9 80 1.1.1.1", "listen cli tcp:0.0.0.0:80\npool cli -t 2 -T 0 -S -B 10.0.0.9 1.1.1.1:80:0#1 !\n"},
    {"-B 2001:db8::9 80 [2001:db8::1]:8:3 six.example", "listen cli tcp:0.0.0.0:80\n"
     "pool cli -t 5 -T 0 -S -B 2001:db8::9 [2001:db8::1]:8:3#1 [2001:db8::6]:80:0#2 !\n"},
    {"-b 127.0.0.1 80 1.1.1.1", "listen cli tcp:127.0.0.1:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 !\n"},
    {"-b 2001:db8::1 80 1.1.1.1", "listen cli tcp:[2001:db8::1]:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 !\n"},
    {"-b ::ffff:10.1.1.3 80 1.1.1.1", "listen cli tcp:[::ffff:10.1.1.3]:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 !\n"},
    {"-6 80 1.1.1.1", "listen cli tcp:[::]:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 !\n"},
    {"-6 -b 10.1.1.3 80 1.1.1.1", "listen cli tcp:[::ffff:10.1.1.3]:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 !\n"},
    {"-M -p -d -F 80 1.1.1.1:: [1.1.1.2]", "listen cli tcp:0.0.0.0:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 1.1.1.2:80:0#2 !\n"},
    {"-- 80 1.1.1.1 !", "listen cli tcp:0.0.0.0:80\npool cli -t 5 -T 0 -S 1.1.1.1:80:0#1 !\n"},
};

static void means_a_configuration(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		size_t n;
		struct conf_error e;
		if (parse(good[i].line) != EX_OK)
			fail_msg("%s: %s", good[i].line, reason);
		char *text = cli_render(&cli, &n), *from = strstr(text, "listen");
		assert_int_equal(strlen(text), n);
		assert_non_null(from);
		char *end = strstr(from, "route cli * cli\n");
		assert_non_null(end);
		*end = '\0';
		assert_string_equal(from, good[i].text);
		*end = 'r';
		struct conf *c = conf_parse(text, n, &e);
		if (c == NULL)
			fail_msg("%s: %u: %s", text, e.line, e.reason);
		assert_int_equal(c->listeners_n, 1);
		assert_ptr_equal(conf_route(c->listeners[0], "a.example", 9), c->pools[0]);
		conf_free(c);
		free(text);
	}
	cli_free(&cli);
}

static const struct bad {
	const char *line, *reason;
	int status;
} bad[] = {
    {"", "a port is needed", EX_USAGE},
    {"-f", "a port is needed", EX_USAGE},
    {"80", "at least one channel", EX_USAGE},
    {"-x 80 1.1.1.1", "unknown option", EX_USAGE},
    {"80 1.1.1.1 -t", "without its value", EX_USAGE},
    {"-t 0 80 1.1.1.1", "-t 0: not a number of seconds", EX_USAGE},
    {"-t x 80 1.1.1.1", "-t x", EX_USAGE},
    {"-T -1 80 1.1.1.1", "-T -1", EX_USAGE},
    {"-t 99999999999999999999 80 1.1.1.1", "not a number", EX_USAGE},
    {"0 1.1.1.1", "neither a port", EX_USAGE},
    {"65536 1.1.1.1", "neither a port", EX_USAGE},
    {"no-such-service 1.1.1.1", "neither a port", EX_USAGE},
    {"80 !", "without channels", EX_USAGE},
    {"80 1.1.1.1 ! ! 1.1.1.2", "without channels", EX_USAGE},
    {"80 1.1.1.1 % %", "without channels", EX_USAGE},
    {"80 nobody.invalid", "nobody.invalid: no such host", EX_NOHOST},
    {"-b nobody.invalid 80 1.1.1.1", "-b nobody.invalid", EX_NOHOST},
    {"-B nobody.invalid 80 1.1.1.1", "-B nobody.invalid", EX_NOHOST},
    {"80 :25", "not HOST", EX_USAGE},
    {"80 ::1", "not HOST", EX_USAGE},
    {"80 [::1", "not HOST", EX_USAGE},
    {"80 [::1]x", "not HOST", EX_USAGE},
    {"80 []:1", "not HOST", EX_USAGE},
    {"80 1.1.1.1:0", "neither a port", EX_USAGE},
    {"80 1.1.1.1:99999", "neither a port", EX_USAGE},
    {"80 1.1.1.1:80:x", "not a number of connections", EX_USAGE},
    {"80 1.1.1.1:80:1:1", "not a number of connections", EX_USAGE},
    {"80 1.1.1.1:80:4294967296", "not a number of connections", EX_USAGE},
    {"-i 80 1.1.1.1", "a port and nothing else", EX_USAGE},
    {"-c show", "a port is needed", EX_USAGE},
};

static void refuses_with_status_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		int status = parse(bad[i].line);
		if (status != bad[i].status || strstr(reason, bad[i].reason) == NULL)
			fail_msg("%s: %d %s", bad[i].line, status, reason);
	}
	char *huge = malloc(3000);
	assert_non_null(huge);
	memset(huge, '1', 2999);
	memcpy(huge, "80 ", 3);
	huge[2999] = '\0';
	assert_int_equal(parse(huge), EX_USAGE);
	free(huge);
	cli_free(&cli);
}

static void modes(void **state)
{
	(void)state;
	assert_int_equal(parse("-i 80"), EX_OK);
	assert_int_equal(cli.mode, CLI_INTERACTIVE);
	assert_false(cli.bound);
	assert_int_equal(parse("-b 127.0.0.1 -c show -d 80"), EX_OK);
	assert_int_equal(cli.mode, CLI_COMMAND);
	assert_string_equal(cli.command, "show");
	assert_true(cli.bound && cli.debug);
	assert_int_equal(parse("-adfpHM6 80 1.1.1.1"), EX_OK);
	assert_true(cli.autodisable && cli.debug && cli.foreground && cli.dump && cli.hash_failover);
	assert_string_equal(cli.port_text, "80");
	cli_free(&cli);
}

/* More than upstream's 16 groups of 16 channels, and groups that stay empty. */
static void no_small_limits(void **state)
{
	size_t n;
	struct conf_error e;
	struct addr a;
	(void)state;
	assert_int_equal(parse("80 1.1.1.1"), EX_OK);
	assert_true(addr_parse(&a, "10.0.0.1:9", 10));
	for (size_t i = 0; i < 20000; i++)
		assert_non_null(cli_add(&cli, i % 40 * 3, &a, 0));
	assert_null(cli_add(&cli, CLI_GROUPS, &a, 0));
	assert_non_null(cli_group(&cli, CLI_GROUPS - 1));
	char *text = cli_render(&cli, &n);
	struct conf *c = conf_parse(text, n, &e);
	assert_non_null(c);
	assert_int_equal(c->pools[0]->n, 40);
	assert_int_equal(c->pools[0]->groups[0].n, 501);
	/* 20,001 channels, one address: as many counters. */
	assert_true(c->slots > 20001);
	conf_free(c);
	free(text);
	cli_free(&cli);
}

static void dump_shows_bytes_and_text(void **state)
{
	char line[DUMP_LINE];
	(void)state;
	size_t n = dump_line(line, 7, true, 32, (const uint8_t *)"GET /\r\n\xff", 8);
	line[n] = '\0';
	assert_string_equal(line, "7 > 000020  47 45 54 20 2f 0d 0a ff                          GET /...\n");
	n = dump_line(line, UINT32_MAX, false, SIZE_MAX, (const uint8_t *)"0123456789abcdef", 16);
	line[n] = '\0';
	assert_non_null(strstr(line, "4294967295 < ffffff  30 31"));
	assert_non_null(strstr(line, " 66  0123456789abcdef\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(means_a_configuration), cmocka_unit_test(refuses_with_status_and_reason), cmocka_unit_test(modes),
	    cmocka_unit_test(no_small_limits),       cmocka_unit_test(dump_shows_bytes_and_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
