// SPDX-License-Identifier: Apache-2.0
/* event: what those who follow are told. */
#include "event.h"

#include "health.h"
#include "report_parts.h"

#include <sys/wait.h>

void event_plain(struct control *c, const char *event)
{
	if (control_event(c, event) != NULL)
		control_tell(c);
}

void event_reload(const struct master *m, bool ok)
{
	FILE *f = control_event(m->control, ok ? "reload" : "reload-refused");
	if (f == NULL)
		return;
	report_number(f, "generation", m->generation);
	if (ok) {
		report_text(f, "hash", m->conf->hash);
		report_number(f, "pools", m->conf->pools_n);
	} else {
		report_text(f, "error", m->last_error);
	}
	control_tell(m->control);
}

void event_worker_started(const struct master *m, unsigned worker)
{
	FILE *f = control_event(m->control, "worker-started");
	if (f == NULL)
		return;
	report_number(f, "worker", worker);
	report_number(f, "pid", (uint64_t)m->workers[worker].pid);
	control_tell(m->control);
}

void event_worker_ended(const struct master *m, unsigned worker, int status)
{
	FILE *f = control_event(m->control, "worker-ended");
	if (f == NULL)
		return;
	report_number(f, "worker", worker);
	report_number(f, "pid", (uint64_t)m->workers[worker].pid);
	if (WIFSIGNALED(status))
		report_number(f, "signal", (uint64_t)WTERMSIG(status));
	else
		report_number(f, "status", (uint64_t)WEXITSTATUS(status));
	control_tell(m->control);
}

static void name_channel(FILE *f, const struct pool *p, const char *address)
{
	report_text(f, "pool", p->name);
	report_text(f, "channel", address);
}

void event_weight(struct control *c, const struct pool *p, const char *address, uint32_t weight)
{
	FILE *f = control_event(c, "weight");
	if (f == NULL)
		return;
	name_channel(f, p, address);
	report_number(f, "weight", weight);
	control_tell(c);
}

static void tell_change(void *with, const struct watch_change *change)
{
	struct control *c = with;
	char address[ADDR_TEXT];
	FILE *f = control_event(c, "channel");
	if (f == NULL)
		return;
	addr_format(&change->channel->addr, address);
	name_channel(f, change->pool, address);
	report_text(f, "state", channel_state_name(change->is));
	report_text(f, "was", channel_state_name(change->was));
	if (change->is == CHANNEL_EJECTED)
		report_number(f, "milliseconds", health_ejected_for(change->channel->slot, change->now_ms));
	control_tell(c);
}

void event_look(struct control *c, struct watch *w, const struct conf *conf)
{
	watch_look(w, conf, master_now_ms(), tell_change, c);
}
