// SPDX-License-Identifier: Apache-2.0
/* news: changes of channels' health, from the workers and the checker to the master's log. Best effort: a master that is behind hears of some
 * changes only by their result, which `pools` shows. */
#ifndef BALANCE_NEWS_H
#define BALANCE_NEWS_H

#include "health.h"
#include "message.h"

struct master;

/* In a child. why: of check.h, 0 for none. */
void news_send(int master_fd, uint32_t slot, enum health_change, unsigned why);

/* In the master: takes what a child or guest says outside of a reload. False when it has gone. */
bool news_receive(struct master *, int socket);

/* … and one such message. */
void news_take(struct master *, const struct message *);

/* Every change that the master hears of comes here, once: for the log, and for whoever follows along. */
void news_changed(struct master *, const struct pool *, const struct channel *, enum health_change, unsigned why);

/* `ejected`, `returned`, `down`, `up` */
const char *news_word(enum health_change);

/* Why a check failed, for people. */
void news_reason(unsigned why, char text[64]);

#endif
