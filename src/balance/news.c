// SPDX-License-Identifier: Apache-2.0
/* news: changes of channels' health, from the workers and the checker to the master's log. */
#include "news.h"

#include "check.h"
#include "control.h"
#include "handover.h"
#include "log.h"
#include "master.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	QUEUED_MAX = 128 * 1024, /* of the 200 KB that such a socket queues; the rest is left to messages that must not be lost */
	LINES = 20,              /* logged in a second */
	SECOND_MS = 1000,
};

void news_send(int master_fd, uint32_t slot, enum health_change change, unsigned why)
{
	int queued;
	if (change == HEALTH_SAME || master_fd < 0 || ioctl(master_fd, TIOCOUTQ, &queued) < 0 || queued > QUEUED_MAX)
		return;
	const struct message m = {.type = MESSAGE_HEALTH, .slot = slot, .size = change, .generation = why};
	message_send(master_fd, &m, -1);
}

bool news_receive(struct master *m, int socket)
{
	struct message message;
	enum message_result result;
	int fd;
	while ((result = message_receive(socket, &message, &fd)) == MESSAGE_OK) {
		if (fd >= 0)
			close(fd);
		news_take(m, &message);
	}
	return result != MESSAGE_GONE;
}

/* Whose slot is whose, in the configuration of m->generation. */
struct place {
	const struct pool *pool;
	const struct channel *channel;
};

static struct {
	struct place *at;
	uint32_t n;
	uint64_t generation;
} places;

static void fill_places(const struct master *m)
{
	free(places.at);
	places.n = handover_slots(m->conf);
	places.at = calloc(places.n, sizeof *places.at);
	places.generation = m->generation;
	for (size_t i = 0; places.at != NULL && i < m->conf->pools_n; i++) {
		const struct pool *p = m->conf->pools[i];
		for (size_t g = 0; g < p->n; g++)
			for (size_t k = 0; k < p->groups[g].n; k++)
				places.at[p->groups[g].channels[k].slot] = (struct place){p, &p->groups[g].channels[k]};
	}
}

void news_take(struct master *m, const struct message *message)
{
	if (message->type != MESSAGE_HEALTH)
		return;
	if (places.generation != m->generation || places.at == NULL)
		fill_places(m);
	/* A channel that left the configuration while the news was on its way is nobody's concern. */
	if (places.at == NULL || message->slot >= places.n || places.at[message->slot].pool == NULL)
		return;
	const struct place *place = &places.at[message->slot];
	news_changed(m, place->pool, place->channel, (enum health_change)message->size, (unsigned)message->generation);
}

const char *news_word(enum health_change change)
{
	static const char *const words[] = {
	    [HEALTH_EJECTED] = "ejected", [HEALTH_RETURNED] = "returned", [HEALTH_DOWN] = "down", [HEALTH_UP] = "up"};
	return change <= HEALTH_UP && words[change] != NULL ? words[change] : "";
}

void news_reason(unsigned why, char text[64])
{
	if (why == 0)
		text[0] = '\0';
	else if (why == CHECK_GARBLED)
		snprintf(text, 64, "no HTTP answer");
	else if (why > CHECK_STATUS)
		snprintf(text, 64, "HTTP status %u", why - CHECK_STATUS);
	else
		snprintf(text, 64, "%s", strerror((int)why));
}

/* Whether one more line may be logged; tells, when it may again, how many were not. */
static bool may_log(uint64_t now)
{
	static uint64_t second;
	static unsigned lines, dropped;
	if (now / SECOND_MS != second) {
		if (dropped > 0)
			log_warn("%u more changes of channels' health are not listed here", dropped);
		second = now / SECOND_MS;
		lines = dropped = 0;
	}
	const bool may = lines < LINES;
	lines += may;
	dropped += !may;
	return may;
}

void news_changed(struct master *m, const struct pool *p, const struct channel *ch, enum health_change change, unsigned why)
{
	char address[ADDR_TEXT], reason[64];
	const uint64_t now = master_now_ms();
	control_look_soon(m->control);
	if (!may_log(now))
		return;
	addr_format(&ch->addr, address);
	news_reason(change == HEALTH_DOWN ? why : 0, reason);
	if (change == HEALTH_EJECTED)
		log_warn("pool %s: %s: ejected for %.1f s", p->name, address, (double)health_ejected_for(ch->slot, now) / SECOND_MS);
	else if (change == HEALTH_DOWN)
		log_warn("pool %s: %s: down%s%s", p->name, address, reason[0] == '\0' ? "" : ": ", reason);
	else
		log_info("pool %s: %s: %s", p->name, address, news_word(change));
}
