// SPDX-License-Identifier: Apache-2.0
/* choose: what choosing a channel and giving its place back costs, by strategy, group size and workers; `make bench-choose`. */
#include "pool.h"
#include "shm.h"
#include "slots.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
	const char *options, *end, *what;
	bool weighted, loaded;
} cases[] = {
    {"", "", "rr", false, false},
    {"", "", "rr, weights", true, false},
    {"lb=p2c", "", "p2c", false, true},
    {"lb=leastconn", "", "leastconn, idle", false, false},
    {"lb=leastconn", "", "leastconn, all busy", false, true},
    {"lb=hash", "", "hash", false, false},
    {"lb=hash", "", "hash, weights", true, false},
    {"", "%", "% (modulo)", false, false},
};

static struct conf *configure(size_t which, unsigned n)
{
	struct conf_error e;
	char *text = malloc(n * 32u + 200);
	if (text == NULL)
		exit(1);
	size_t at = (size_t)sprintf(text, "listen l tcp:127.0.0.1:1\npool p %s", cases[which].options);
	for (unsigned i = 0; i < n; i++)
		at += (size_t)sprintf(text + at, " 10.1.%u.%u:80*%u", i / 250, i % 250, cases[which].weighted ? 3 + 4 * (i % 3 > 0) : 1);
	at += (size_t)sprintf(text + at, " %s\n", cases[which].end);
	struct conf *c = conf_parse(text, at, &e);
	free(text);
	if (c == NULL)
		exit(1);
	return c;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double measure(const struct pool *p, long rounds)
{
	struct addr who;
	addr_parse(&who, "10.9.8.7:1", 10);
	const double start = seconds();
	for (long i = 0; i < rounds; i++) {
		struct attempt a = {0};
		who.in.sin_addr.s_addr += 77777;
		pool_release(pool_take(p, &a, &who, 0, 1000)->slot, 0);
	}
	return (seconds() - start) / (double)rounds * 1e9;
}

static void run(size_t which, unsigned n, unsigned workers)
{
	static struct slots slots;
	static uint64_t generation;
	struct conf *c = configure(which, n);
	const struct pool *p = c->pools[0];
	if (!slots_assign(&slots, c, ++generation))
		exit(1);
	for (unsigned i = 0; i < n; i++)
		for (unsigned w = 0; w < workers; w++)
			shm_cell(p->groups[0].channels[i].slot, w)->v[V_ACTIVE] = cases[which].loaded ? 3 : 0;
	measure(p, 1000);
	double best = 1e9;
	for (int turn = 0; turn < 5; turn++) {
		const double ns = measure(p, 20000);
		best = ns < best ? ns : best;
	}
	printf("%-22s %5u channels  %2u workers  %8.1f ns\n", cases[which].what, n, workers, best);
	conf_free(c);
}

/* One run for one number of workers: it is fixed for the life of shared memory. */
int main(int argc, char **argv)
{
	const unsigned workers = argc > 1 ? (unsigned)atoi(argv[1]) : 4;
	if (workers == 0 || shm_init(workers, workers) < 0)
		return 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (unsigned n = 10; n <= 1000; n *= 10)
			run(i, n, workers);
	return 0;
}
