// SPDX-License-Identifier: Apache-2.0
/* control_answer: what each command of the control socket does. */
#include "control_answer.h"

#include "channel_state.h"
#include "control_line.h"
#include "count.h"
#include "event.h"
#include "log.h"
#include "master.h"
#include "report_parts.h"

#include <inttypes.h>

static const struct word NOTHING;

static void answer_reload(FILE *f, struct master *m)
{
	if (!master_reload(m)) {
		report_refusal(f, m->last_error, NOTHING);
		return;
	}
	fputs("{\"ok\":true", f);
	report_number(f, "generation", m->generation);
	report_text(f, "hash", m->conf->hash);
	fputs("}\n", f);
}

static void answer_reset(FILE *f, struct control *c, const struct master *m)
{
	if (!count_reset(&m->slots)) {
		report_refusal(f, "out of memory", NOTHING);
		return;
	}
	log_info("counters are reset");
	event_plain(c, "reset");
	fputs("{\"ok\":true}\n", f);
}

static void answer_follow(FILE *f, struct control *c, const struct master *m)
{
	if (!control_follow(c, m)) {
		report_refusal(f, "out of memory", NOTHING);
		return;
	}
	fputs("{\"ok\":true,\"following\":true", f);
	report_number(f, "generation", m->generation);
	fputs("}\n", f);
}

static void answer_channel(FILE *f, struct control *c, const struct master *m, const struct control_line *line)
{
	char address[ADDR_TEXT];
	const struct pool *p = map_get(&m->conf->pool_by_name, line->pool.at, line->pool.len);
	if (p == NULL) {
		report_refusal(f, "there is no pool", line->pool);
		return;
	}
	addr_format(&line->channel, address);
	const size_t n = channel_change(p, line, master_now_ms());
	if (n == 0) {
		char why[ADDR_TEXT + 64];
		snprintf(why, sizeof why, "there is no channel %s in pool", address);
		report_refusal(f, why, line->pool);
		return;
	}
	log_info("pool %s, channel %s: %s by command", p->name, address, control_change_name(line->change));
	if (line->change == CHANGE_WEIGHT)
		event_weight(c, p, address, line->number);
	fputs("{\"ok\":true", f);
	report_text(f, "pool", p->name);
	report_text(f, "channel", address);
	report_number(f, "channels", n);
	fputs("}\n", f);
}

void control_answer(FILE *f, struct control *c, struct master *m, char *text, size_t n)
{
	struct control_line line;
	char reason[CONTROL_REASON];
	if (!control_line_parse(&line, text, n, reason)) {
		report_refusal(f, reason, NOTHING);
		return;
	}
	switch (line.verb) {
	case CONTROL_STATUS:
		report_status(f, m);
		return;
	case CONTROL_POOLS:
		report_pools(f, m, line.pool);
		return;
	case CONTROL_HTTP:
		report_http(f, m);
		return;
	case CONTROL_TOP:
		report_top(f, m, line.number);
		return;
	case CONTROL_RELOAD:
		answer_reload(f, m);
		return;
	case CONTROL_RESET:
		answer_reset(f, c, m);
		return;
	case CONTROL_FOLLOW:
		answer_follow(f, c, m);
		return;
	case CONTROL_CHANNEL:
		answer_channel(f, c, m, &line);
		return;
	case CONTROL_CLI:
		if (m->cli == NULL)
			report_refusal(f, "unknown command", NOTHING);
		else
			cli_answer(m->cli, m, text + (line.rest - text), f);
		return;
	}
}
