// SPDX-License-Identifier: Apache-2.0
/* watch: which channels have changed their state since the last look. */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

typedef void visit(struct watch *, const struct pool *, const struct channel *, void *with);

static void each(struct watch *w, const struct conf *c, visit *visit, void *with)
{
	for (size_t p = 0; p < c->pools_n; p++)
		for (size_t g = 0; g < c->pools[p]->n; g++)
			for (size_t i = 0; i < c->pools[p]->groups[g].n; i++)
				visit(w, c->pools[p], &c->pools[p]->groups[g].channels[i], with);
}

static void raise_slots(struct watch *w, const struct pool *p, const struct channel *ch, void *with)
{
	size_t *most = with;
	(void)w;
	(void)p;
	if (ch->slot >= *most)
		*most = (size_t)ch->slot + 1;
}

static void note(struct watch *w, const struct pool *p, const struct channel *ch, void *with)
{
	const uint64_t *now_ms = with;
	if (ch->slot < w->n)
		w->state[ch->slot] = (unsigned char)(1 + channel_state(p, ch, *now_ms));
}

bool watch_begin(struct watch *w, const struct conf *c, uint64_t now_ms)
{
	size_t most = 0;
	each(w, c, raise_slots, &most);
	if (most > w->n) {
		unsigned char *more = realloc(w->state, most);
		if (more != NULL) {
			w->state = more;
			w->n = most;
		}
	}
	if (w->n > 0)
		memset(w->state, 0, w->n);
	each(w, c, note, &now_ms);
	return most <= w->n;
}

struct looking {
	void (*changed)(void *, const struct watch_change *);
	void *with;
	uint64_t now_ms;
};

static void compare(struct watch *w, const struct pool *p, const struct channel *ch, void *with)
{
	const struct looking *l = with;
	const unsigned was = ch->slot < w->n ? w->state[ch->slot] : 0;
	const enum channel_state is = channel_state(p, ch, l->now_ms);
	if (was == 0 || was == 1u + is)
		return;
	w->state[ch->slot] = (unsigned char)(1 + is);
	l->changed(l->with, &(struct watch_change){p, ch, (enum channel_state)(was - 1), is, l->now_ms});
}

void watch_look(struct watch *w, const struct conf *c, uint64_t now_ms, void (*changed)(void *, const struct watch_change *), void *with)
{
	struct looking l = {changed, with, now_ms};
	each(w, c, compare, &l);
}

void watch_end(struct watch *w)
{
	free(w->state);
	*w = (struct watch){0};
}
