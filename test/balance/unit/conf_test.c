// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "conf.h"
#include "refuse.h"

static struct conf *parse(const char *text, size_t n, struct conf_error *e)
{
	struct guarded g = guard(text, n);
	struct conf *c = conf_parse((char *)g.at, n, e);
	unguard(g); /* a configuration keeps nothing of its text */
	return c;
}

static struct conf *good(const char *text)
{
	struct conf_error e;
	struct conf *c = parse(text, strlen(text), &e);
	if (c == NULL)
		fail_msg("line %u: %s", e.line, e.reason);
	return c;
}

static const char whole[] = "# rendered\n"
                            "hash cafe\n"
                            "workers 4\n"
                            "guests 6 unix:/run/j.sock\n"
                            "control unix:/run/c.sock\n"
                            "grace 2.5\n"
                            "\n"
                            "listen tls unix:/run/b.sock proxy=v2 backlog=7\n"
                            "listen plain tcp:127.0.0.1:8080 # the plain one\n"
                            "listen six tcp:[::]:8081 v6only proxy=any\n"
                            "pool ns/a:80 -t 0.5 -T 60 10.0.0.1:80:5 10.0.0.2:80 ! [fd00::1]:81:0 % 10.0.0.9:1\n"
                            "pool empty\n"
                            "pool one 10.0.0.1:80\n"
                            "route tls A.Example ns/a:80\n"
                            "route tls *.b.example one\n"
                            "route tls * empty\n"
                            "route plain *.b.example one\n";

static void reads_everything(void **state)
{
	(void)state;
	struct conf *c = good(whole);
	assert_string_equal(c->hash, "cafe");
	assert_string_equal(c->control, "/run/c.sock");
	assert_int_equal(c->workers, 4);
	assert_int_equal(c->guests, 6);
	assert_string_equal(c->guests_path, "/run/j.sock");
	assert_int_equal(c->grace_ms, 2500);
	assert_int_equal(c->listeners_n, 3);
	assert_int_equal(c->pools_n, 3);
	assert_string_equal(c->listeners[0]->path, "/run/b.sock");
	assert_int_equal(c->listeners[0]->proxy, PROXY_V2);
	assert_int_equal(c->listeners[0]->backlog, 7);
	assert_string_equal(c->listeners[1]->address, "tcp:127.0.0.1:8080");
	assert_int_equal(c->listeners[1]->proxy, PROXY_NONE);
	assert_true(c->listeners[2]->v6only);
	const struct pool *p = c->pools[0];
	assert_string_equal(p->name, "ns/a:80");
	assert_int_equal(p->connect_ms, 500);
	assert_int_equal(p->idle_ms, 60000);
	assert_int_equal(p->n, 3);
	assert_int_equal(p->groups[0].n, 2);
	assert_int_equal(p->groups[0].channels[0].max, 5);
	assert_int_equal(p->groups[0].channels[1].max, 0);
	assert_false(p->groups[0].hash);
	assert_true(p->groups[1].hash); /* what "%" ends */
	assert_false(p->groups[2].hash);
	assert_int_equal(c->pools[1]->n, 0);
	assert_int_equal(c->pools[1]->connect_ms, 5000);
	conf_free(c);
}

static const char *routed(const struct listener *l, const char *host)
{
	struct guarded g = guard(host, strlen(host));
	const struct pool *p = conf_route(l, (char *)g.at, strlen(host));
	unguard(g);
	return p == NULL ? "none" : p->name;
}

static void routes(void **state)
{
	(void)state;
	struct conf *c = good(whole);
	const struct listener *l = c->listeners[0];
	assert_string_equal(routed(l, "a.example"), "ns/a:80");
	assert_string_equal(routed(l, "A.EXAMPLE"), "ns/a:80");
	assert_string_equal(routed(l, "a.example."), "ns/a:80");
	assert_string_equal(routed(l, "a.example.."), "empty");
	assert_string_equal(routed(l, "x.b.example"), "one");
	assert_string_equal(routed(l, "X.B.example."), "one");
	assert_string_equal(routed(l, "y.x.b.example"), "empty");
	assert_string_equal(routed(l, "b.example"), "empty");
	assert_string_equal(routed(l, ".b.example"), "empty");
	assert_string_equal(routed(l, "*.b.example"), "one");
	assert_string_equal(routed(l, ""), "empty");
	assert_string_equal(routed(l, "."), "empty");
	assert_string_equal(routed(c->listeners[1], "a.example"), "none");
	assert_string_equal(routed(c->listeners[1], "x.b.example"), "one");
	assert_string_equal(routed(c->listeners[2], "x.b.example"), "none");
	char longest[300];
	for (size_t n = 240; n < sizeof longest; n++) {
		memset(longest, 'x', n);
		longest[n] = '\0';
		assert_string_equal(routed(l, longest), "empty");
	}
	conf_free(c);
}

#define HEAD "listen l tcp:127.0.0.1:1\npool p 1.2.3.4:1\n"

static const struct bad {
	const char *text;
	unsigned line;
	const char *reason;
} bad[] = {
    {"", 0, "no listen"},
    {"\n\n# x\n", 0, "no listen"},
    {"pool p\n", 0, "no listen"},
    {"bogus\n", 1, "unknown directive \"bogus\""},
    {"\n\nListen l tcp:127.0.0.1:1", 3, "unknown directive"},
    {"listenl tcp:127.0.0.1:1", 1, "unknown directive"},
    {"hash\n", 1, "hash: a value is missing"},
    {"hash a b\n", 1, "unexpected \"b\""},
    {"hash a\nhash a\n", 2, "hash is given twice"},
    {"workers\n", 1, "missing"},
    {"workers 0\n", 1, "1 to 64"},
    {"workers 65\n", 1, "1 to 64"},
    {"workers -1\n", 1, "1 to 64"},
    {"workers 1 2\n", 1, "unexpected"},
    {"workers 1\nworkers 1\n", 2, "twice"},
    {"guests 1\n", 1, "expected"},
    {"guests 0 unix:/g\n", 1, "1 to 63"},
    {"guests 64 unix:/g\n", 1, "1 to 63"},
    {"guests 1 unix:g\n", 1, "absolute"},
    {"guests 1 tcp:127.0.0.1:1\n", 1, "unix:"},
    {"guests 1 unix:/g x\n", 1, "expected"},
    {"guests 1 unix:/g\nguests 1 unix:/g\n", 2, "twice"},
    {"workers 2\nguests 63 unix:/g\nlisten a tcp:127.0.0.1:1\n", 0, "together"},
    {"control /x\n", 1, "unix:"},
    {"control unix:\n", 1, "absolute path"},
    {"control unix:x\n", 1, "absolute path"},
    {"control unix:/" "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456\n", 1, "absolute path"},
    {"control unix:/a\ncontrol unix:/a\n", 2, "twice"},
    {"grace x\n", 1, "seconds"},
    {"grace 1.0001\n", 1, "seconds"},
    {"grace 1\ngrace 1\n", 2, "twice"},
    {"listen\n", 1, "a name is missing"},
    {"listen l\n", 1, "an address is missing"},
    {"listen -l tcp:127.0.0.1:1\n", 1, "is not a name"},
    {"listen l! tcp:127.0.0.1:1\n", 1, "is not a name"},
    {"listen l udp:127.0.0.1:1\n", 1, "unix:"},
    {"listen l 127.0.0.1:1\n", 1, "unix:"},
    {"listen l tcp:127.0.0.1\n", 1, "tcp:ADDRESS:PORT"},
    {"listen l tcp:localhost:80\n", 1, "tcp:ADDRESS:PORT"},
    {"listen l tcp:127.0.0.1:0\n", 1, "tcp:ADDRESS:PORT"},
    {"listen l tcp:127.0.0.1:65536\n", 1, "tcp:ADDRESS:PORT"},
    {"listen l tcp:::1:80\n", 1, "tcp:ADDRESS:PORT"},
    {"listen l unix:relative\n", 1, "absolute path"},
    {"listen l tcp:127.0.0.1:1 proxy=v3\n", 1, "unknown or misplaced option"},
    {"listen l tcp:127.0.0.1:1 v6only\n", 1, "misplaced option \"v6only\""},
    {"listen l unix:/x v6only\n", 1, "misplaced option \"v6only\""},
    {"listen l tcp:127.0.0.1:1 backlog=0\n", 1, "backlog"},
    {"listen l tcp:127.0.0.1:1 backlog=\n", 1, "backlog"},
    {"listen l tcp:127.0.0.1:1\nlisten l tcp:127.0.0.1:2\n", 2, "listen l: defined twice"},
    {"listen l tcp:127.0.0.1:1\n\nlisten m tcp:127.0.0.1:1\n", 3, "127.0.0.1:1"},
    {"listen l unix:/x\nlisten m unix:/x\n", 2, "unix:/x"},
    {HEAD "pool\n", 3, "a name is missing"},
    {HEAD "pool p\n", 3, "pool p: defined twice"},
    {HEAD "pool \"q\"\n", 3, "is not a name"},
    {HEAD "pool q a.example:80\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80:\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80:x\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80:4294967296\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80:1:1\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80:1#\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80#0\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80#x\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80#1#2\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80*\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80*257\n", 3, "ADDRESS:PORT[:MAXC][*WEIGHT][#ID]"},
    {HEAD "pool q 1.2.3.4:80*-1\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80*1*1\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q 1.2.3.4:80#1*1\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q *1\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q lb=\n", 3, "pool q: lb is one of rr leastconn p2c hash first, not \"\""},
    {HEAD "pool q lb=RR\n", 3, "lb is one of"},
    {HEAD "pool q lb=leastcon\n", 3, "lb is one of"},
    {HEAD "pool q lb=rr lb=rr\n", 3, "pool q: lb is given twice"},
    {HEAD "pool q slow-start=\n", 3, "slow-start wants a number of seconds, not \"\""},
    {HEAD "pool q slow-start=1m\n", 3, "slow-start wants a number of seconds"},
    {HEAD "pool q slow-start=1000001\n", 3, "slow-start wants a number of seconds"},
    {HEAD "pool q speed=1\n", 3, "pool q: unknown option \"speed\""},
    {HEAD "pool q =1\n", 3, "pool q: unknown option \"\""},
    {HEAD "pool q -B\n", 3, "-B wants an address"},
    {HEAD "pool q -B a.example\n", 3, "-B wants an address"},
    {HEAD "pool q -B 1.2.3.4:80\n", 3, "-B wants an address"},
    {HEAD "pool q -B 1111:2222:3333:4444:5555:6666:7777:8888:1111:2222:3333:4444:5555\n", 3, "-B wants an address"},
    {HEAD "pool q ::1:80\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q [::1\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q [::1]\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q !\n", 3, "ends a group without channels"},
    {HEAD "pool q %\n", 3, "ends a group without channels"},
    {HEAD "pool q 1.2.3.4:1 ! !\n", 3, "ends a group without channels"},
    {HEAD "pool q 1.2.3.4:1!\n", 3, "ADDRESS:PORT"},
    {HEAD "pool q -x\n", 3, "unknown option \"-x\""},
    {HEAD "pool q -t\n", 3, "-t wants a number"},
    {HEAD "pool q -t 0\n", 3, "-t 0"},
    {HEAD "pool q -t -1\n", 3, "-t wants a number"},
    {HEAD "pool q -T 1s\n", 3, "-T wants a number"},
    {HEAD "pool q -T 1000001\n", 3, "-T wants a number"},
    {HEAD "route\n", 3, "LISTENER HOST POOL"},
    {HEAD "route l\n", 3, "LISTENER HOST POOL"},
    {HEAD "route l a\n", 3, "LISTENER HOST POOL"},
    {HEAD "route l a p q\n", 3, "unexpected \"q\""},
    {HEAD "route m a p\n", 3, "no listener \"m\""},
    {HEAD "route l a q\n", 3, "no pool \"q\""},
    {"pool p\nroute l a p\nlisten l tcp:127.0.0.1:1\n", 2, "no listener"},
    {HEAD "route l a p\n#\nroute l A p\n", 5, "routed twice"},
    {HEAD "route l *.a p\nroute l *.A p\n", 4, "routed twice"},
    {HEAD "route l * p\nroute l * p\n", 4, "routed twice"},
    {HEAD "route l *. p\n", 3, "not a host name"},
    {HEAD "route l .a p\n", 3, "not a host name"},
    {HEAD "route l *.*.a p\n", 3, "not a host name"},
    {HEAD "route l a*.b p\n", 3, "not a host name"},
    {HEAD "route l a/b p\n", 3, "not a host name"},
    {HEAD "route l a: p\n", 3, "not HOST:PORT"},
    {HEAD "route l a:0 p\n", 3, "not HOST:PORT"},
    {HEAD "route l a:65536 p\n", 3, "not HOST:PORT"},
    {HEAD "route l a:80:80 p\n", 3, "not HOST:PORT"},
    {HEAD "route l :80 p\n", 3, "not a host name"},
    {HEAD "route l a:80 p\nroute l a:81 p\nroute l A:80 p\n", 5, "routed twice"},
    {HEAD "route l *:80 p\nroute l *:80 p\n", 4, "routed twice"},
    {"listen l tcp:127.0.0.1:1 sni table=t\n", 1, "follows no table"},
    {HEAD "pool q retry=x\n", 3, "retry wants a number of seconds"},
    {HEAD "hash x\r\n", 3, "byte 0x0d in column 7"},
    {HEAD "# \x7f\n", 3, "byte 0x7f in column 3"},
    {HEAD "\xc3\xa9\n", 3, "byte 0xc3 in column 1"},
    {"\xef\xbb\xbflisten l tcp:127.0.0.1:1\n", 1, "byte 0xef in column 1"},
};

static void reads_strategies_and_weights(void **state)
{
	static const enum lb strategies[] = {LB_RR, LB_RR, LB_LEASTCONN, LB_P2C, LB_HASH, LB_FIRST};
	(void)state;
	struct conf *c = good("listen l tcp:127.0.0.1:1\npool a 1.2.3.4:1\npool b lb=rr slow-start=1.5 1.2.3.4:1*0\npool c lb=leastconn "
	                      "1.2.3.4:1:9*256#7 [::1]:1:0*2 ! 1.2.3.4:1\npool d lb=p2c\npool e slow-start=0 lb=hash 1.2.3.4:1 %\n"
	                      "pool f lb=first\n");
	for (size_t i = 0; i < COUNT(strategies); i++)
		assert_int_equal(c->pools[i]->lb, strategies[i]);
	assert_int_equal(c->pools[0]->slow_start_ms, 0);
	assert_int_equal(c->pools[1]->slow_start_ms, 1500);
	assert_int_equal(c->pools[0]->groups[0].channels[0].weight, 1);
	assert_int_equal(c->pools[1]->groups[0].channels[0].weight, 0);
	const struct channel *ch = c->pools[2]->groups[0].channels;
	assert_true(ch[0].weight == 256 && ch[0].max == 9 && ch[0].id == 7);
	assert_true(ch[1].weight == 2 && ch[1].max == 0 && ch[1].id == 0);
	assert_true(c->pools[4]->groups[0].hash);
	conf_free(c);
}

static void refuses_with_line_and_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct conf_error e = {0};
		struct conf *c = parse(bad[i].text, strlen(bad[i].text), &e);
		if (c != NULL)
			fail_msg("accepted: %s", bad[i].text);
		if (e.line != bad[i].line || strstr(e.reason, bad[i].reason) == NULL)
			fail_msg("%s\n%u: %s\nbut wanted %u: %s", bad[i].text, e.line, e.reason, bad[i].line, bad[i].reason);
	}
}

/* Every byte that is not text is refused wherever it stands, comments included, and named. */
static void refuses_hostile_bytes(void **state)
{
	char text[] = HEAD "route l a p # comment\n";
	const size_t head = sizeof HEAD - 1;
	(void)state;
	for (size_t at = head; at < sizeof text - 2; at++) {
		const char kept = text[at];
		for (unsigned byte = 0; byte < 256; byte++) {
			struct conf_error e;
			char wanted[64];
			if ((byte >= 0x20 && byte < 0x7f) || byte == '\t' || byte == '\n')
				continue;
			text[at] = (char)byte;
			assert_null(parse(text, sizeof text - 1, &e));
			snprintf(wanted, sizeof wanted, "byte 0x%02x in column %zu is not allowed", byte, at - head + 1);
			assert_string_equal(e.reason, wanted);
			assert_int_equal(e.line, 3);
		}
		text[at] = kept;
	}
}

static void huge_lines(void **state)
{
	const size_t size = 4 << 20;
	char *text = malloc(size);
	struct conf_error e;
	(void)state;
	assert_non_null(text);
	/* A word of 4 MB: refused, and the reason shows a bit of it only. */
	memset(text, 'a', size);
	assert_null(parse(text, size, &e));
	assert_int_equal(e.line, 1);
	assert_true(strlen(e.reason) < 150);
	const char name[] = "listen ";
	memcpy(text, name, strlen(name));
	assert_null(parse(text, size, &e));
	assert_non_null(strstr(e.reason, "is not a name"));
	/* 200,000 channels on one line are a pool like any other. */
	size_t n = (size_t)snprintf(text, size, "listen l tcp:127.0.0.1:1\npool p");
	unsigned channels = 0;
	while (n < size - 64 && channels < 200000)
		n += (size_t)snprintf(text + n, size - n, " 10.%u.%u.%u:1", channels >> 16, channels >> 8 & 255, channels & 255),
		    channels++;
	struct conf *c = parse(text, n, &e);
	assert_non_null(c);
	assert_int_equal(c->pools[0]->groups[0].n, channels);
	assert_true(c->slots >= channels + 2);
	conf_free(c);
	/* As are two million comment lines, and the number of the bad one is right. */
	memset(text, '\n', size);
	text[size - 1] = '!';
	assert_null(parse(text, size, &e));
	assert_int_equal(e.line, size);
	free(text);
}

struct keys {
	uint64_t sum;
	uint32_t next;
	char text[1 << 15];
};

static bool note(void *with, uint32_t *slot, const char *key, size_t len)
{
	struct keys *k = with;
	assert_int_equal(*slot, k->next++);
	assert_int_equal(strlen(key), len);
	strncat(k->text, key, sizeof k->text - strlen(k->text) - 2);
	strcat(k->text, "\n");
	return true;
}

static bool stop(void *with, uint32_t *slot, const char *key, size_t len)
{
	(void)slot, (void)key, (void)len;
	return ++*(unsigned *)with < 5;
}

static void slots_are_the_same_for_the_same_text(void **state)
{
	struct keys a = {0}, b = {0};
	unsigned visits = 0;
	(void)state;
	struct conf *c = good(whole), *d = good(whole);
	assert_true(conf_slots(c, note, &a));
	assert_true(conf_slots(d, note, &b));
	assert_true(strlen(a.text) < sizeof a.text / 2);
	assert_string_equal(a.text, b.text);
	assert_int_equal(a.next, c->slots);
	assert_non_null(strstr(a.text, "listener tls\n"));
	assert_non_null(strstr(a.text, "channel ns/a:80 1 [fd00::1]:81\n"));
	assert_false(conf_slots(c, stop, &visits));
	assert_int_equal(visits, 5);
	for (size_t i = 0; i < c->listeners_n; i++)
		assert_ptr_equal(conf_listener(c, c->listeners[i]->slot), c->listeners[i]);
	assert_null(conf_listener(c, c->pools[0]->groups[0].slot));
	conf_free(c);
	conf_free(d);
}

/* The longest names and addresses fit the keys, and different things have different ones. */
static void longest_keys(void **state)
{
	char name[256], text[2048];
	struct keys k = {0};
	(void)state;
	memset(name, 'n', 255);
	name[255] = '\0';
	snprintf(text, sizeof text, "listen %s tcp:127.0.0.1:1\npool %s [1111:2222:3333:4444:5555:6666:7777:8888]:65535\n", name, name);
	struct conf *c = good(text);
	assert_true(conf_slots(c, note, &k));
	assert_non_null(strstr(k.text, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535\n"));
	conf_free(c);
	snprintf(text, sizeof text, "listen %sn tcp:127.0.0.1:1\n", name);
	struct conf_error e;
	assert_null(parse(text, strlen(text), &e));
}

static void each_cut_of_a_file_is_harmless(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		struct conf_error e;
		conf_free(parse(whole, n, &e));
	}
}

/* Refuses each allocation in turn, with the arena's blocks ending at every other place of the file. */
static void survives_want_of_memory(void **state)
{
	enum { SIZE = 1 << 18 };
	char *text = malloc(SIZE);
	(void)state;
	assert_non_null(text);
	for (int shift = 1; shift < 1000; shift += 16) {
		size_t n = (size_t)sprintf(text, "hash %0*d\n", shift, 0);
		for (int i = 0; i < 90; i++)
			n += (size_t)sprintf(text + n,
			                     "listen l%0200d tcp:127.0.0.1:%d\npool p%0200d 1.2.3.4:1\nroute l%0200d a p%0200d\n"
			                     "listen h%0200d tcp:127.0.0.2:%d table=t%0200d\nrule t%0200d a.example prefix /x p%0200d\n",
			                     i, i + 1, i, i, i, i, i + 1, i, i, i);
		struct conf *c = NULL;
		for (long k = 0; c == NULL; k++) {
			struct conf_error e;
			refuse_after = k;
			c = conf_parse(text, n, &e);
			const bool was_refused = refuse_after < 0;
			refuse_after = -1;
			if (c == NULL)
				assert_string_equal(e.reason, "out of memory");
			assert_int_equal(c == NULL, was_refused);
		}
		conf_free(c);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_everything),       cmocka_unit_test(routes),
	    cmocka_unit_test(refuses_hostile_bytes),  cmocka_unit_test(refuses_with_line_and_reason),
	    cmocka_unit_test(huge_lines),             cmocka_unit_test(slots_are_the_same_for_the_same_text),
	    cmocka_unit_test(longest_keys),           cmocka_unit_test(each_cut_of_a_file_is_harmless),
	    cmocka_unit_test(survives_want_of_memory), cmocka_unit_test(reads_strategies_and_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
