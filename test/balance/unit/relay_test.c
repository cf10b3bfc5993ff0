// SPDX-License-Identifier: Apache-2.0
/* The relay core, driven by an owner that has no sockets: two byte queues and a pod that may or may not be reached. */
#include "test.h"

#include "core.h"
#include "relay_owner.h"

static void one_byte_at_a_time(void **state)
{
	(void)state;
	for (int proxy = 0; proxy < 2; proxy++) {
		struct owner o;
		owner_start(&o, proxy);
		if (proxy)
			owner_feed(&o, CLIENT, owner_header, sizeof owner_header, 1);
		assert_int_equal(owner_wants(&o), CORE_CONNECT);
		core_connected(&o.core, false);
		for (unsigned i = 0; i < 3000; i++) {
			const unsigned char up = (unsigned char)i, down = (unsigned char)(i * 7);
			owner_feed(&o, CLIENT, &up, 1, 1);
			owner_feed(&o, POD, &down, 1, 1);
			assert_int_equal(owner_drain(&o, POD, 1), 1);
			assert_int_equal(owner_drain(&o, CLIENT, 1), 1);
			assert_int_equal(o.held, 0); /* nothing on its way, no buffer */
		}
		assert_int_equal(o.got[POD].n, 3000);
		assert_int_equal(o.got[CLIENT].n, 3000);
		for (unsigned i = 0; i < 3000; i++) {
			assert_int_equal(o.got[POD].at[i], (unsigned char)i);
			assert_int_equal(o.got[CLIENT].at[i], (unsigned char)(i * 7));
		}
		owner_end(&o);
	}
}

/* What came with the header goes to the pod, whichever way the whole is cut. */
static void header_and_first_bytes_in_any_cut(void **state)
{
	unsigned char bytes[sizeof owner_header + 11];
	(void)state;
	memcpy(bytes, owner_header, sizeof owner_header);
	memcpy(bytes + sizeof owner_header, "first bytes", 11);
	for (size_t cut = 1; cut <= sizeof bytes; cut++) {
		struct owner o;
		owner_start(&o, true);
		owner_feed(&o, CLIENT, bytes, cut, cut);
		if (cut < sizeof owner_header) {
			assert_int_equal(owner_wants(&o), 0);
			owner_feed(&o, CLIENT, bytes + cut, sizeof bytes - cut, sizeof bytes);
		}
		assert_int_equal(owner_wants(&o), CORE_CONNECT);
		assert_int_equal(core_space(&o.core, CLIENT).iov_len, 0); /* until connected the kernel keeps the rest */
		assert_int_equal(core_pending(&o.core, POD).iov_len, 0);
		core_connected(&o.core, false);
		if (cut >= sizeof owner_header && cut < sizeof bytes)
			owner_feed(&o, CLIENT, bytes + cut, sizeof bytes - cut, sizeof bytes);
		while (owner_drain(&o, POD, 4) > 0)
			;
		assert_int_equal(o.got[POD].n, 11);
		assert_memory_equal(o.got[POD].at, "first bytes", 11);
		assert_int_equal(o.held, 0);
		owner_end(&o);
	}
}

static void closes_for_a_reason(void **state)
{
	struct owner o;
	(void)state;
	owner_start(&o, true);
	owner_feed(&o, CLIENT, (const unsigned char *)"GET / HTTP/1.1\r\n", 16, 16);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_PROXY);
	assert_int_equal(owner_wants(&o), CORE_CLOSE); /* again and again */
	owner_end(&o);

	owner_start(&o, true); /* left before it said anything: no error of the header */
	owner_eof(&o, CLIENT);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_RESET);
	owner_end(&o);

	owner_start(&o, true);
	owner_feed(&o, CLIENT, owner_header, 20, 20);
	owner_eof(&o, CLIENT);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_PROXY);
	owner_end(&o);

	owner_start(&o, true);
	unsigned char stranger[sizeof owner_header];
	memcpy(stranger, owner_header, sizeof stranger);
	stranger[sizeof stranger - 1] = 'x';
	owner_feed(&o, CLIENT, stranger, sizeof stranger, sizeof stranger);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_NO_ROUTE);
	owner_end(&o);

	owner_start(&o, false);
	assert_int_equal(owner_wants(&o), CORE_CONNECT);
	core_unreachable(&o.core, FAILED_CONNECT);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_NO_CHANNEL);
	owner_end(&o);
}

static void deadlines(void **state)
{
	struct owner o;
	(void)state;
	owner_start(&o, true);
	const uint64_t start = o.env.now;
	assert_int_equal(core_deadline(&o.core), start + CORE_PROXY_MS);
	for (size_t i = 0; i + 1 < sizeof owner_header; i++) { /* a trickled header buys no time */
		o.env.now += 100;
		owner_feed(&o, CLIENT, owner_header + i, 1, 1);
		assert_int_equal(core_deadline(&o.core), start + CORE_PROXY_MS);
	}
	owner_feed(&o, CLIENT, owner_header + sizeof owner_header - 1, 1, 1);
	assert_int_equal(owner_wants(&o), CORE_CONNECT);
	assert_true(core_deadline(&o.core) == UINT64_MAX);
	o.env.now += 1000;
	core_connected(&o.core, false);
	assert_int_equal(core_deadline(&o.core), o.env.now + 60000);
	o.env.now += 1000;
	owner_feed(&o, POD, (const unsigned char *)"x", 1, 1);
	assert_int_equal(core_deadline(&o.core), o.env.now + 60000);
	o.env.now += 1000;
	owner_drain(&o, CLIENT, 1);
	assert_int_equal(core_deadline(&o.core), o.env.now + 60000);
	o.env.now += 1000;
	core_passed(&o.core, POD, 1);
	assert_int_equal(core_deadline(&o.core), o.env.now + 60000);
	core_expired(&o.core);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_TIMEOUT);
	assert_true(core_deadline(&o.core) == UINT64_MAX);
	owner_end(&o);
}

static void half_close_both_ways(void **state)
{
	(void)state;
	for (int first = CLIENT; first <= POD; first++) {
		const enum side a = (enum side)first, b = other(a);
		const unsigned shut[] = {CORE_SHUT_CLIENT, CORE_SHUT_POD};
		struct owner o;
		owner_start(&o, false);
		owner_wants(&o);
		core_connected(&o.core, false);
		owner_feed(&o, a, (const unsigned char *)"last", 4, 4);
		owner_eof(&o, a);
		assert_int_equal(owner_wants(&o), 0); /* its bytes first */
		owner_drain(&o, b, 3);
		assert_int_equal(owner_wants(&o), 0);
		owner_drain(&o, b, 1);
		assert_int_equal(owner_wants(&o), shut[b]);
		assert_int_equal(core_pass_limit(&o.core, a), 0);
		assert_int_equal(core_space(&o.core, a).iov_len, 0);
		for (int i = 0; i < 100; i++) { /* the other way goes on */
			owner_feed(&o, b, (const unsigned char *)"still", 5, 5);
			assert_int_equal(owner_drain(&o, a, 5), 5);
			assert_int_equal(owner_wants(&o), 0);
		}
		owner_eof(&o, b);
		assert_int_equal(owner_wants(&o), CORE_CLOSE);
		assert_int_equal(o.core.why, WHY_DONE);
		assert_int_equal(o.held, 0);
		owner_end(&o);
	}
}

static void back_pressure(void **state)
{
	unsigned char block[4096];
	struct owner o;
	(void)state;
	memset(block, 'b', sizeof block);
	owner_start(&o, false);
	owner_wants(&o);
	core_connected(&o.core, false);
	size_t in = 0;
	for (struct iovec v; (v = core_space(&o.core, CLIENT)).iov_len > 0;) {
		size_t n = v.iov_len < sizeof block ? v.iov_len : sizeof block;
		memcpy(v.iov_base, block, n);
		core_input(&o.core, CLIENT, n);
		in += n;
		assert_true(in <= BUF_SIZE);
	}
	assert_int_equal(in, BUF_SIZE);
	owner_count(&o);
	assert_int_equal(o.held, 1);
	assert_true(core_space(&o.core, POD).iov_len > 0); /* the other direction is not held up */
	core_input(&o.core, POD, 0);
	assert_int_equal(o.held, 1);
	while (owner_drain(&o, POD, 1000) > 0)
		;
	assert_int_equal(o.got[POD].n, in);
	assert_int_equal(o.held, 0);
	o.got[POD].n = o.verified[POD] = 0; /* what was put in past owner_feed is not in its books */
	owner_end(&o);
}

static void a_broken_pod_is_still_heard(void **state)
{
	struct owner o;
	(void)state;
	owner_start(&o, false);
	owner_wants(&o);
	core_connected(&o.core, false);
	owner_feed(&o, CLIENT, (const unsigned char *)"upload", 6, 6);
	owner_feed(&o, POD, (const unsigned char *)"refused", 7, 7);
	core_broken(&o.core, POD);
	assert_int_equal(owner_wants(&o), 0);
	assert_int_equal(core_pending(&o.core, POD).iov_len, 0); /* the upload is dropped */
	assert_int_equal(core_space(&o.core, CLIENT).iov_len, 0);
	owner_eof(&o, POD);
	assert_int_equal(owner_wants(&o), 0);
	assert_int_equal(owner_drain(&o, CLIENT, 100), 7);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_DONE);
	owner_end(&o);
}

/* A client that has closed altogether: what it sent is delivered, its pod's answer is not waited for. */
static void client_gone(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct owner o;
		owner_start(&o, false);
		owner_wants(&o);
		core_connected(&o.core, false);
		if (!late)
			core_client_gone(&o.core, true);
		owner_feed(&o, CLIENT, (const unsigned char *)"last", 4, 4);
		owner_eof(&o, CLIENT);
		assert_int_equal(owner_wants(&o), 0); /* its bytes first */
		owner_drain(&o, POD, 4);
		if (late) {
			assert_int_equal(owner_wants(&o), CORE_SHUT_POD);
			core_client_gone(&o.core, false);
		}
		assert_int_equal(owner_wants(&o), CORE_CLOSE);
		assert_int_equal(o.core.why, WHY_DONE);
		owner_end(&o);
	}
}

/* A reload while a connect is on its way: the attempt goes on, what follows it goes by the new pool, or ends when there is none. */
static void repool(void **state)
{
	struct owner o;
	(void)state;
	owner_start(&o, true);
	owner_feed(&o, CLIENT, owner_header, sizeof owner_header, 7);
	assert_int_equal(owner_wants(&o), CORE_CONNECT);
	assert_string_equal(o.core.pool->name, "p");
	struct conf *changed = owner_conf("route l a.example q\n");
	o.env.conf = changed;
	core_repool(&o.core, map_get(&changed->pool_by_name, "q", 1));
	assert_int_equal(owner_wants(&o), 0);
	assert_string_equal(o.core.pool->name, "q");
	struct conf *none = owner_conf("");
	o.env.conf = none;
	core_repool(&o.core, NULL);
	assert_int_equal(owner_wants(&o), 0);
	core_unreachable(&o.core, FAILED_CONNECT);
	assert_int_equal(owner_wants(&o), CORE_CLOSE);
	assert_int_equal(o.core.why, WHY_NO_CHANNEL);
	owner_end(&o);
	conf_free(changed);
	conf_free(none);
}

/* Every order of a few happenings, in each state: no crash, no leak, nothing sent after an end, closed for good when closed. */
static void every_interleaving(void **state)
{
	enum { DEPTH = 6 };
	unsigned long steps[DEPTH], count = 1;
	(void)state;
	for (int i = 0; i < DEPTH; i++)
		count *= OWNER_ACTIONS;
	for (unsigned long script = 0; script < count; script++) {
		unsigned long rest = script;
		for (int i = 0; i < DEPTH; i++, rest /= OWNER_ACTIONS)
			steps[i] = rest % OWNER_ACTIONS;
		static struct owner o;
		owner_start(&o, script % 2);
		for (int i = 0; i < DEPTH; i++)
			owner_act(&o, (enum owner_action)steps[i], 3 + i);
		owner_end(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_byte_at_a_time), cmocka_unit_test(header_and_first_bytes_in_any_cut),
	    cmocka_unit_test(deadlines),          cmocka_unit_test(closes_for_a_reason),
	    cmocka_unit_test(back_pressure),      cmocka_unit_test(half_close_both_ways),
	    cmocka_unit_test(client_gone), cmocka_unit_test(repool),            cmocka_unit_test(a_broken_pod_is_still_heard),
	    cmocka_unit_test(every_interleaving),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	conf_free(owner_first);
	buf_drop_all(&owner_bufs); /* what is not in there now has leaked, and the sanitizer says so */
	return failed;
}
