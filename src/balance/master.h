// SPDX-License-Identifier: Apache-2.0
/* master: holds the listening sockets and the counters, keeps the workers alive, reloads; it never touches traffic. */
#ifndef BALANCE_MASTER_H
#define BALANCE_MASTER_H

#include "cli.h"
#include "conf.h"
#include "message.h"
#include "slots.h"

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct worker_process {
	pid_t pid;           /* 0: not running */
	int socket;
	uint64_t generation; /* what it said it runs */
	uint64_t started_ms;
	uint64_t start_at_ms; /* when not running: not before */
	unsigned restarts;
};

struct master {
	const char *file;
	struct cli *cli; /* NULL: run from a file */
	char *text;      /* what to load instead of the file */
	size_t text_n;
	struct conf *conf;
	int *sockets; /* one per listener of conf */
	uint64_t generation;
	struct slots slots;
	struct worker_process *workers; /* the master's own, then guests */
	unsigned workers_n, all_n;
	int guests;             /* where they join; -1: nowhere */
	struct stat guests_own; /* what its path was when it was opened */
	bool guests_full;       /* and it was told */
	struct message handed;  /* what a guest that joins is told: the configuration that runs … */
	int handed_file;        /* … and its file */
	struct worker_process checker; /* there while checks is true */
	bool checks;                   /* a pool of conf wants its channels checked */
	uint64_t started_ms;
	uint64_t reloads_ok, reloads_failed;
	char last_error[512]; /* "" when the last load went well */
	bool draining;
	uint64_t kill_at_ms;
	struct control *control;
	int signals;
};

/* Runs until told to end. Returns the exit status. */
int master_run(const char *file);

/* … from a command line. In the background, the caller's process ends with the status once clients are accepted. */
int master_run_cli(struct cli *);

/* The command line's model as text, for the reload that follows. False when memory ran out. */
bool master_render(struct master *);

/* Stops accepting; open connections may go on for the configured grace. */
void master_drain(struct master *);

/* Loads the file again and waits until every worker runs it. On failure m->last_error says why and nothing has changed. */
bool master_reload(struct master *);

uint64_t master_now_ms(void);

#endif
