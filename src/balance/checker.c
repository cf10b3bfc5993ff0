// SPDX-License-Identifier: Apache-2.0
/* checker: the process that makes the active checks. */
#include "checker.h"

#include "handover.h"
#include "health.h"
#include "message.h"
#include "news.h"
#include "targets.h"
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 256,
	AT_ONCE = 1024,        /* checks under way at most, and half of the descriptors there are */
	FIRST_WITHIN_MS = 1000, /* what is new is checked soon, yet not all in one moment */
};

struct checker {
	int epoll, master_fd;
	bool told; /* the master said something */
	struct conf *conf;
	struct targets targets;
	struct timer_wheel wheel;
	uint64_t now;
	size_t going, going_max;
	struct target *first_waiting, **last_waiting;
	uint64_t random;
};

static void read_clock(struct checker *c)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	c->now = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* xorshift64 (Marsaglia): only to spread the load. */
static uint64_t below(struct checker *c, uint64_t n)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return n == 0 ? 0 : c->random % n;
}

static void tell(struct checker *c, const struct target *t, enum check_result result, unsigned why)
{
	for (const struct watcher *w = t->watchers; w != NULL && result != CHECK_GOING; w = w->next)
		news_send(c->master_fd, w->slot, health_checked(&w->pool->check, w->slot, c->now, result == CHECK_GOOD), why);
}

/* A check that is over makes room for the next one in the queue. */
static void settle(struct checker *c, struct target *t)
{
	if (t->checking.fd >= 0) {
		timer_set(&c->wheel, &t->timer, t->until);
		return;
	}
	c->going--;
	timer_clear(&t->timer);
	timer_set(&c->wheel, &t->timer, t->due);
}

static void begin(struct checker *c, struct target *t)
{
	const uint32_t interval = t->plan.pool->check.interval_ms;
	unsigned why = 0;
	c->going++;
	/* A tenth more or less, so that checks do not fall into step. */
	t->due = c->now + interval - interval / 10 + below(c, interval / 5 + 1);
	t->until = c->now + t->plan.pool->check.timeout_ms;
	const enum check_result result = check_begin(&t->checking, &t->plan, c->epoll, t, &why);
	tell(c, t, result, why);
	settle(c, t);
}

static void begin_waiting(struct checker *c)
{
	while (c->first_waiting != NULL && c->going < c->going_max) {
		struct target *t = c->first_waiting;
		c->first_waiting = t->next;
		if (c->first_waiting == NULL)
			c->last_waiting = &c->first_waiting;
		t->waiting = false;
		begin(c, t);
	}
}

static void want(struct checker *c, struct target *t)
{
	t->waiting = true;
	t->next = NULL;
	*c->last_waiting = t;
	c->last_waiting = &t->next;
}

static void fire(struct checker *c, struct target *t)
{
	const bool going = t->checking.fd >= 0;
	unsigned why = 0;
	if (c->now < (going ? t->until : t->due)) {
		timer_set(&c->wheel, &t->timer, going ? t->until : t->due); /* further away than the wheel reaches */
	} else if (going) {
		const enum check_result result = check_expired(&t->checking, &why);
		tell(c, t, result, why);
		settle(c, t);
	} else if (!t->waiting) {
		want(c, t);
	}
}

/* A target goes on as the one before it: a reload neither brings all checks at once nor keeps one from its end. */
static void take_over(void *with, struct target *t, struct target *before)
{
	struct checker *c = with;
	const uint64_t soon = t->plan.pool->check.interval_ms;
	if (before == NULL) {
		t->due = c->now + below(c, soon < FIRST_WITHIN_MS ? soon : FIRST_WITHIN_MS);
	} else {
		t->due = before->due;
		t->until = before->until;
		t->checking = before->checking;
		before->checking.fd = -1;
	}
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = t};
	if (t->checking.fd >= 0 && epoll_ctl(c->epoll, EPOLL_CTL_MOD, t->checking.fd, &e) < 0)
		worker_die("epoll_ctl");
	timer_set(&c->wheel, &t->timer, t->checking.fd >= 0 ? t->until : t->due);
}

static void load(struct checker *c, struct conf *conf)
{
	struct targets coming = {0}, before = c->targets;
	if (!targets_build(&coming, conf))
		worker_die("checks");
	c->first_waiting = NULL;
	c->last_waiting = &c->first_waiting;
	timer_init(&c->wheel, c->now);
	targets_match(&coming, &before, take_over, c);
	for (size_t i = 0; i < before.n; i++) {
		if (before.at[i]->checking.fd < 0)
			continue;
		check_stop(&before.at[i]->checking);
	}
	c->going = 0;
	for (size_t i = 0; i < coming.n; i++)
		c->going += coming.at[i]->checking.fd >= 0;
	c->targets = coming;
	targets_free(&before);
	conf_free(c->conf == conf ? NULL : c->conf);
	c->conf = conf;
}

static void read_master(struct checker *c)
{
	struct message m, live = {.type = MESSAGE_LIVE};
	int fd;
	for (;;) {
		switch (message_receive(c->master_fd, &m, &fd)) {
		case MESSAGE_NONE:
			return;
		case MESSAGE_GONE:
			_exit(0);
		case MESSAGE_OK:
			if (m.type != MESSAGE_CONF) {
				if (fd >= 0)
					close(fd);
				break;
			}
			struct conf *conf = handover_read(&m, fd);
			if (conf == NULL)
				_exit(70); /* EX_SOFTWARE */
			load(c, conf);
			live.generation = m.generation;
			message_send(c->master_fd, &live, -1);
		}
	}
}

static void turn(struct checker *c)
{
	struct epoll_event events[EVENTS];
	struct timer *t;
	int n = epoll_wait(c->epoll, events, EVENTS, c->first_waiting != NULL && c->going < c->going_max ? 0 : timer_wait(&c->wheel, c->now));
	if (n < 0 && errno != EINTR)
		worker_die("epoll_wait");
	read_clock(c);
	for (int i = 0; i < n; i++) {
		struct target *target = events[i].data.ptr;
		unsigned why = 0;
		if (target == NULL) {
			c->told = true;
		} else if (target->checking.fd >= 0) {
			const enum check_result result = check_event(&target->checking, &target->plan, &why);
			tell(c, target, result, why);
			settle(c, target);
		}
	}
	while ((t = timer_due(&c->wheel, c->now)) != NULL)
		fire(c, (struct target *)(void *)((unsigned char *)t - offsetof(struct target, timer)));
	begin_waiting(c);
	/* Last, because it may replace the targets that events name. */
	if (c->told)
		read_master(c);
	c->told = false;
}

_Noreturn void checker_run(struct conf *conf, int master_fd)
{
	static struct checker checker;
	struct checker *c = &checker;
	struct rlimit r = {.rlim_cur = 256};
	c->master_fd = master_fd;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event e = {.events = EPOLLIN};
	if (c->epoll < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, master_fd, &e) < 0 ||
	    getrandom(&c->random, sizeof c->random, 0) != (ssize_t)sizeof c->random)
		worker_die("start");
	c->random |= 1;
	getrlimit(RLIMIT_NOFILE, &r);
	c->going_max = r.rlim_cur / 2 < AT_ONCE ? r.rlim_cur / 2 : AT_ONCE;
	read_clock(c);
	load(c, conf);
	for (;;)
		turn(c);
}
