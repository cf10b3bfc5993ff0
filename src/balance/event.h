// SPDX-License-Identifier: Apache-2.0
/* event: what those who `follow` at the control socket are told; nothing is done when nobody does. */
#ifndef BALANCE_EVENT_H
#define BALANCE_EVENT_H

#include "control.h"
#include "master.h"
#include "watch.h"

/* An event that has nothing to say but its name. */
void event_plain(struct control *, const char *event);

/* A reload, good or refused. */
void event_reload(const struct master *, bool ok);

void event_worker_started(const struct master *, unsigned worker);
/* status as from waitpid(2) */
void event_worker_ended(const struct master *, unsigned worker, int status);

/* Somebody gave a channel another weight. */
void event_weight(struct control *, const struct pool *, const char *address, uint32_t weight);

/* One event for each channel whose state is not what it was at the last look. */
void event_look(struct control *, struct watch *, const struct conf *);

#endif
