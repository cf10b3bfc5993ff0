// SPDX-License-Identifier: Apache-2.0
/* The control socket's parts without the socket: lines, streams of events, counters from zero, live settings. */
#include "test.h"

#include "channel_state.h"
#include "count.h"
#include "pool.h"
#include "shm.h"
#include "stream.h"
#include "watch.h"

enum { WORKERS = 2 };

static struct slots slots;
static uint64_t generation;

static bool parse(struct control_line *out, const char *text)
{
	char reason[CONTROL_REASON];
	struct guarded g = guard(text, strlen(text));
	bool ok = control_line_parse(out, (const char *)g.at, strlen(text), reason);
	assert_int_equal(ok, reason[0] == '\0');
	unguard(g);
	return ok;
}

static void lines_are_cut_up(void **state)
{
	(void)state;
	struct control_line l;
	static const char text[] = " channel  shop/web:80\t[fd00::1]:443 weight=256 ";
	char reason[CONTROL_REASON], address[ADDR_TEXT];
	assert_true(control_line_parse(&l, text, sizeof text - 1, reason));
	assert_int_equal(l.verb, CONTROL_CHANNEL);
	assert_int_equal(l.pool.len, strlen("shop/web:80"));
	assert_memory_equal(l.pool.at, "shop/web:80", l.pool.len);
	addr_format(&l.channel, address);
	assert_string_equal(address, "[fd00::1]:443");
	assert_int_equal(l.change, CHANGE_WEIGHT);
	assert_int_equal(l.number, 256);
	assert_true(parse(&l, "top"));
	assert_int_equal(l.number, CONTROL_TOP_USUAL);
	assert_true(parse(&l, "top 4294967295"));
	assert_int_equal(l.number, UINT32_MAX);
	assert_true(parse(&l, "pools"));
	assert_int_equal(l.pool.len, 0);
}

static void what_is_no_command_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "", " ", "stat", "status now", "pools a b", "top 0", "top -1", "top 4294967296", "top x", "follow p", "reset all",
	    "channel", "channel p", "channel p 1.1.1.1:1", "channel p 1.1.1.1 drain", "channel p 1.1.1.1:1 stop",
	    "channel p 1.1.1.1:1 weight=", "channel p 1.1.1.1:1 weight=257", "channel p 1.1.1.1:1 weight=-1", "channel p 1.1.1.1:1 weight 3",
	    "channel p 1.1.1.1:1 drain now", "status\001", "st\xc3\xa4tus", "cli", "Status",
	};
	struct control_line l;
	char reason[CONTROL_REASON];
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(&l, bad[i]))
			fail_msg("accepted: %s", bad[i]);
	assert_false(control_line_parse(&l, "status\0", 7, reason));
	assert_non_null(strstr(reason, "0x00"));
	assert_false(control_line_parse(&l, "cli 0 show\0x", 12, reason));
}

/* Takes n bytes as a reader would, and puts them behind what was read before. */
static void take(struct stream *s, char *got, size_t *got_n, size_t most)
{
	size_t n;
	const char *at = stream_next(s, &n);
	if (n > most)
		n = most;
	memcpy(got + *got_n, at, n);
	*got_n += n;
	stream_wrote(s, n);
}

/* Whatever the reader's pace: lines are whole and in order, and each is either there or in the number of a loss. */
static void a_slow_reader_is_told_what_it_lost(void **state)
{
	(void)state;
	uint64_t seed = 88172645463325252u;
	enum { LINES = 20000 };
	static char got[LINES * 40];
	for (unsigned pace = 0; pace < 4; pace++) {
		struct stream s;
		size_t got_n = 0;
		assert_true(stream_open(&s));
		for (unsigned i = 0; i < LINES; i++) {
			char line[200];
			int n = snprintf(line, sizeof line, "%u %.*s\n", i, (int)(random_next(&seed) % 24), "xxxxxxxxxxxxxxxxxxxxxxxx");
			stream_put(&s, line, (size_t)n);
			if (pace > 0 && random_next(&seed) % 4 < pace)
				take(&s, got, &got_n, random_next(&seed) % (pace * 16));
			assert_true(s.n <= STREAM_MAX && s.sent <= s.n);
		}
		const uint64_t at_the_end = s.lost;
		for (size_t n; stream_next(&s, &n), n > 0;)
			take(&s, got, &got_n, 4096);
		got[got_n] = '\0';
		unsigned next = 0, lost = 0;
		for (char *line = got; *line != '\0'; line = strchr(line, '\n') + 1) {
			unsigned number;
			if (sscanf(line, "{\"event\":\"lost\",\"n\":%u}\n", &number) == 1) {
				lost += number;
				next += number;
			} else {
				assert_int_equal(sscanf(line, "%u ", &number), 1);
				assert_int_equal(number, next++);
			}
		}
		assert_int_equal(next + at_the_end, LINES);
		assert_true(pace != 0 || at_the_end > 0);
		stream_close(&s);
	}
}

static struct conf *load(const char *pools)
{
	char text[2048];
	struct conf_error e;
	int n = snprintf(text, sizeof text, "listen l tcp:127.0.0.1:1\n%s\n", pools);
	struct conf *c = conf_parse(text, (size_t)n, &e);
	if (c == NULL)
		fail_msg("%u: %s", e.line, e.reason);
	assert_true(slots_assign(&slots, c, ++generation));
	return c;
}

/* The next configuration takes the place of the last one, as a reload does it. */
static struct conf *reload(struct conf *old, const char *pools)
{
	struct conf *c = load(pools);
	assert_true(channel_reconcile(old, c));
	conf_free(old);
	slots_collect(&slots, generation);
	return c;
}

static struct channel *channel(const struct conf *c, size_t pool, size_t i)
{
	return &c->pools[pool]->groups[0].channels[i];
}

static size_t command(const struct conf *c, const char *text)
{
	struct control_line l;
	char reason[CONTROL_REASON];
	assert_true(control_line_parse(&l, text, strlen(text), reason));
	const struct pool *p = map_get(&c->pool_by_name, l.pool.at, l.pool.len);
	return channel_change(p, &l, 1);
}

#define STATE(c, pool, i) channel_state_name(channel_state((c)->pools[pool], channel(c, pool, i), 1))

static void channels_are_changed_by_address(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 ! 1.1.1.1:1\npool q 1.1.1.1:1 [::1]:1");
	assert_int_equal(command(c, "channel p 1.1.1.1:1 disable"), 2);
	assert_string_equal(STATE(c, 0, 0), "disabled");
	assert_string_equal(STATE(c, 0, 1), "up");
	assert_string_equal(STATE(c, 1, 0), "up");
	assert_int_equal(command(c, "channel p 1.1.1.1:2 disable"), 0);
	assert_int_equal(command(c, "channel q [::1]:1 drain"), 1);
	assert_string_equal(STATE(c, 1, 1), "draining");
	assert_int_equal(pool_weight(channel(c, 1, 1)), 0);
	assert_int_equal(command(c, "channel q [::1]:1 enable"), 1);
	assert_string_equal(STATE(c, 1, 1), "up");
	/* A weight is not what keeps a channel from serving, so enabling leaves it. */
	command(c, "channel q [::1]:1 weight=7");
	command(c, "channel q [::1]:1 disable");
	command(c, "channel q [::1]:1 enable");
	assert_int_equal(pool_weight(channel(c, 1, 1)), 7);
	conf_free(reload(c, "pool unused"));
}

static void settings_stay_over_reloads_until_the_channel_leaves(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1 1.1.1.3:1 1.1.1.4:1*3");
	command(c, "channel p 1.1.1.1:1 drain");
	command(c, "channel p 1.1.1.2:1 disable");
	command(c, "channel p 1.1.1.3:1 weight=5");
	command(c, "channel p 1.1.1.4:1 weight=9");
	c = reload(c, "pool p 1.1.1.9:1 1.1.1.4:1*3 1.1.1.3:1*2 1.1.1.2:1*8 1.1.1.1:1*8");
	assert_string_equal(STATE(c, 0, 4), "draining");
	assert_string_equal(STATE(c, 0, 3), "disabled");
	/* Somebody configured another weight since. */
	assert_int_equal(pool_weight(channel(c, 0, 2)), 2);
	assert_int_equal(pool_weight(channel(c, 0, 1)), 9);
	/* One connection is still open on it when it leaves, so its counters wait for it; its settings, and what was found out about it, do not. */
	const uint32_t slot = channel(c, 0, 4)->slot;
	shm_add(shm_cell(slot, 1), V_ACTIVE, 1);
	shm_add(shm_cell(slot, 1), V_TOTAL, 3);
	shm_shared(slot)->breaker = UINT64_MAX;
	shm_shared(slot)->check = UINT32_MAX;
	shm_shared(slot)->since_ms = 1;
	c = reload(c, "pool p 1.1.1.9:1");
	c = reload(c, "pool p 1.1.1.9:1 1.1.1.1:1*8");
	assert_int_equal(channel(c, 0, 1)->slot, slot);
	assert_string_equal(STATE(c, 0, 1), "up");
	assert_int_equal(shm_sum(slot, V_TOTAL), 3);
	assert_int_equal(shm_shared(slot)->breaker, 0);
	assert_int_equal(shm_shared(slot)->check, 0);
	/* It starts slowly among those that stayed … */
	assert_true(shm_shared(slot)->since_ms > 1);
	const uint64_t since = shm_shared(slot)->since_ms;
	c = reload(c, "pool p 1.1.1.1:1*8 1.1.1.9:1");
	assert_int_equal(shm_shared(slot)->since_ms, since);
	/* … and at once when all of its pool come back together. */
	c = reload(c, "pool unused");
	c = reload(c, "pool p 1.1.1.1:1");
	assert_int_equal(channel(c, 0, 0)->slot, slot);
	assert_int_equal(shm_shared(slot)->since_ms, 0);
	shm_cell(slot, 1)->v[V_ACTIVE] = 0;
	conf_free(reload(c, "pool unused"));
}

static void a_reset_counts_from_zero_again(void **state)
{
	(void)state;
	struct conf *c = load("pool p maxconn=1 queue=1 1.1.1.1:1");
	const uint32_t slot = channel(c, 0, 0)->slot, codes = c->code_slot[(404 - 100) / V_COUNT], limit = c->pools[0]->limit_slot;
	const unsigned v404 = (404 - 100) % V_COUNT;
	for (unsigned w = 0; w < WORKERS; w++) {
		shm_add(shm_cell(slot, w), V_ACTIVE, 3);
		shm_add(shm_cell(slot, w), V_TOTAL, 10);
		shm_add(shm_cell(codes, w), v404, 5);
	}
	static const unsigned limits[] = {V_ACTIVE, L_QUEUED, L_LIMITED, L_TIMEOUTS};
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		shm_add(shm_cell(limit, 1), limits[i], 4);
	shm_shared(slot)->ejections = 2;
	assert_true(count_reset(&slots));
	assert_int_equal(count_of(limit, V_ACTIVE), 4);
	assert_int_equal(count_of(limit, L_QUEUED), 4);
	assert_int_equal(count_of(limit, L_LIMITED), 0);
	assert_int_equal(count_of(limit, L_TIMEOUTS), 0);
	assert_int_equal(shm_shared(slot)->ejections, 0);
	assert_int_equal(count_of(slot, V_ACTIVE), 6);
	assert_int_equal(count_of(slot, V_TOTAL), 0);
	assert_int_equal(count_of(codes, v404), 0);
	shm_add(shm_cell(slot, 0), V_TOTAL, 2);
	assert_int_equal(count_of(slot, V_TOTAL), 2);
	/* A worker's death takes what was under way with it, and none of what was counted. */
	slots_forget_worker(&slots, 0);
	slots_forget_worker(&slots, 1);
	assert_int_equal(count_of(slot, V_ACTIVE), 0);
	assert_int_equal(count_of(slot, V_TOTAL), 2);
	assert_int_equal(shm_sum(codes, v404), 5 * WORKERS);
	/* Whoever gets the slot next begins at zero. */
	c = reload(c, "pool unused");
	conf_free(c);
	c = load("pool q 2.2.2.2:2");
	assert_int_equal(count_of(channel(c, 0, 0)->slot, V_TOTAL), 0);
	conf_free(reload(c, "pool unused"));
}

struct seen {
	char text[512];
};

static void note(void *with, const struct watch_change *c)
{
	struct seen *s = with;
	char address[ADDR_TEXT];
	const size_t n = strlen(s->text);
	addr_format(&c->channel->addr, address);
	snprintf(s->text + n, sizeof s->text - n, "%s %s %s>%s;", c->pool->name, address, channel_state_name(c->was),
	         channel_state_name(c->is));
}

static void changes_are_seen_once(void **state)
{
	(void)state;
	struct conf *c = load("pool p 1.1.1.1:1 1.1.1.2:1");
	struct watch w = {0};
	struct seen seen = {""};
	command(c, "channel p 1.1.1.2:1 disable");
	assert_true(watch_begin(&w, c, 1));
	watch_look(&w, c, 1, note, &seen);
	assert_string_equal(seen.text, "");
	command(c, "channel p 1.1.1.1:1 drain");
	command(c, "channel p 1.1.1.2:1 enable");
	watch_look(&w, c, 1, note, &seen);
	watch_look(&w, c, 1, note, &seen);
	assert_string_equal(seen.text, "p 1.1.1.1:1 up>draining;p 1.1.1.2:1 disabled>up;");
	watch_end(&w);
	conf_free(reload(c, "pool unused"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_cut_up),
	    cmocka_unit_test(what_is_no_command_is_refused),
	    cmocka_unit_test(a_slow_reader_is_told_what_it_lost),
	    cmocka_unit_test(channels_are_changed_by_address),
	    cmocka_unit_test(settings_stay_over_reloads_until_the_channel_leaves),
	    cmocka_unit_test(a_reset_counts_from_zero_again),
	    cmocka_unit_test(changes_are_seen_once),
	};
	map_seed();
	assert_int_equal(shm_init(WORKERS, WORKERS), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
