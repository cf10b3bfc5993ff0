// SPDX-License-Identifier: Apache-2.0
/* cli_show: channels and what they have counted, for people and for MRTG. */
#include "cli.h"

#include "master.h"
#include "shm.h"

#include <inttypes.h>
#include <string.h>

static const struct channel *running(const struct cli *c, const struct master *m, const struct cli_channel *wanted)
{
	const struct pool *p = m->conf->pools[0];
	size_t at = 0;
	for (size_t g = 0; g < c->groups_n; g++) {
		const struct cli_group *group = &c->groups[g];
		if (group->n == 0)
			continue;
		if (wanted >= group->channels && wanted < group->channels + group->n)
			return &p->groups[at].channels[wanted - group->channels];
		at++;
	}
	return NULL;
}

uint32_t cli_slot(const struct cli *c, const struct master *m, const struct cli_channel *ch)
{
	return running(c, m, ch)->slot;
}

struct counts {
	uint64_t active, total, in, out;
};

static struct counts count(const struct cli_channel *ch, uint32_t slot)
{
	return (struct counts){
	    .active = shm_sum(slot, V_ACTIVE),
	    .total = shm_sum(slot, V_TOTAL) - ch->zero.total,
	    .in = shm_sum(slot, V_IN) - ch->zero.in,
	    .out = shm_sum(slot, V_OUT) - ch->zero.out,
	};
}

void cli_reset(struct cli_channel *ch, const struct master *m)
{
	const uint32_t slot = cli_slot(m->cli, m, ch);
	ch->zero = (struct cli_zero){shm_sum(slot, V_TOTAL), shm_sum(slot, V_IN), shm_sum(slot, V_OUT)};
}

/* IPv6 addresses need a wider column than the usual one. */
static int address_width(const struct cli *c)
{
	char text[ADDR_TEXT];
	size_t width = strlen("255.255.255.255");
	for (size_t g = 0; g < c->groups_n; g++)
		for (size_t i = 0; i < c->groups[g].n; i++) {
			addr_format_host(&c->groups[g].channels[i].addr, text);
			if (strlen(text) > width)
				width = strlen(text);
		}
	return (int)width;
}

void cli_show(const struct cli *c, const struct master *m, FILE *f)
{
	char host[ADDR_TEXT];
	const int width = address_width(c);
	fprintf(f, "%3s %4s %3s %3s %*s %5s %5s %8s %8s %12s %12s\n", "GRP", "Type", "#", "S", width, "ip-address", "port", "c", "totalc",
	        "maxc", "sent", "rcvd");
	for (size_t g = 0; g < c->groups_n; g++) {
		for (size_t i = 0; i < c->groups[g].n; i++) {
			const struct cli_channel *ch = &c->groups[g].channels[i];
			const uint32_t slot = cli_slot(c, m, ch);
			const struct counts n = count(ch, slot);
			addr_format_host(&ch->addr, host);
			/* sin_port and sin6_port lie at the same place. */
			fprintf(f, "%3zu %4s %3zu %3s %*s %5u %5" PRIu64 " %8" PRIu64 " %8" PRIu32 " %12" PRIu64 " %12" PRIu64 "\n", g,
			        c->groups[g].hash ? "Hash" : "RR", i, atomic_load(&shm_shared(slot)->disabled) ? "dis" : "ENA", width, host,
			        (unsigned)ntohs(ch->addr.in.sin_port), n.active, n.total, ch->max, n.in, n.out);
		}
	}
}

/* What MRTG reads from a program: two numbers, how long it has been up, what it is. */
bool cli_mrtg(const struct cli *c, const struct master *m, bool bytes, size_t group, size_t channel, FILE *f)
{
	char text[ADDR_TEXT];
	if (group >= c->groups_n || channel >= c->groups[group].n)
		return false;
	const struct cli_channel *ch = &c->groups[group].channels[channel];
	const struct counts n = count(ch, cli_slot(c, m, ch));
	const uint64_t up = (master_now_ms() - m->started_ms) / 1000;
	addr_format(&ch->addr, text);
	fprintf(f, "%" PRIu64 "\n%" PRIu64 "\n", bytes ? n.out : n.total, bytes ? n.in : n.total);
	fprintf(f, "%" PRIu64 " days, %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "\n", up / 86400, up / 3600 % 24, up / 60 % 60, up % 60);
	fprintf(f, "balance %u, group %zu, channel %zu (%s)\n", c->port, group, channel, text);
	return true;
}
