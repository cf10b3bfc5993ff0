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
	(void)with;
	if (ch->slot < w->n)
		w->state[ch->slot] = (unsigned char)(1 + channel_state(p, ch));
}

bool watch_begin(struct watch *w, const struct conf *c)
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
	each(w, c, note, NULL);
	return most <= w->n;
}

struct looking {
	void (*changed)(void *, const struct pool *, const struct channel *, enum channel_state);
	void *with;
};

static void compare(struct watch *w, const struct pool *p, const struct channel *ch, void *with)
{
	const struct looking *l = with;
	const enum channel_state now = channel_state(p, ch);
	const unsigned was = ch->slot < w->n ? w->state[ch->slot] : 0;
	if (was == 0 || was == 1u + now)
		return;
	w->state[ch->slot] = (unsigned char)(1 + now);
	l->changed(l->with, p, ch, (enum channel_state)(was - 1));
}

void watch_look(struct watch *w, const struct conf *c,
                void (*changed)(void *, const struct pool *, const struct channel *, enum channel_state), void *with)
{
	struct looking l = {changed, with};
	each(w, c, compare, &l);
}

void watch_end(struct watch *w)
{
	free(w->state);
	*w = (struct watch){0};
}
