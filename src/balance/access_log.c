// SPDX-License-Identifier: Apache-2.0
/* access_log: one JSON line per request, buffered, never waited for. */
#include "access_log.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 * 1024, LINE_MAX_BYTES = 8192 };

struct access_log {
	int fd;
	bool pipe;
	size_t n;
	uint64_t dropped;
	char data[ROOM];
};

int access_log_stdout = STDOUT_FILENO;

struct access_log *access_log_open(const char *path)
{
	struct stat st;
	struct access_log *a = calloc(1, sizeof *a);
	if (a == NULL)
		return NULL;
	a->fd = strcmp(path, "stdout") == 0 ? fcntl(access_log_stdout, F_DUPFD_CLOEXEC, 0)
	                                    : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
	if (a->fd < 0) {
		log_error("access log %s: %s", path, strerror(errno));
		free(a);
		return NULL;
	}
	a->pipe = fstat(a->fd, &st) == 0 && !S_ISREG(st.st_mode);
	return a;
}

void access_log_close(struct access_log *a)
{
	if (a == NULL)
		return;
	access_log_flush(a);
	close(a->fd);
	free(a);
}

static double seconds(uint64_t from, uint64_t to)
{
	return from == 0 || to < from ? 0 : (double)(to - from) / 1e6;
}

void access_log_add(struct access_log *a, const struct core_request *r, uint64_t now_us, const char *pool,
                    const char *endpoint)
{
	struct timespec wall;
	struct tm tm;
	char when[32];
	if (ROOM - a->n < LINE_MAX_BYTES) {
		a->dropped++;
		return;
	}
	clock_gettime(CLOCK_REALTIME, &wall);
	gmtime_r(&wall.tv_sec, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &tm);
	int n = snprintf(a->data + a->n, LINE_MAX_BYTES,
	                 "{\"time\":\"%s.%03ldZ\",%s%s\"status\":%u,\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64
	                 ",\"duration\":%.6f,\"pool\":\"%s\",\"endpoint\":\"%s\",\"upstream_time\":%.6f}\n",
	                 when, wall.tv_nsec / 1000000, r->log == NULL ? "" : r->log, r->log == NULL ? "" : ",", r->status,
	                 r->bytes_in, r->bytes_out, seconds(r->started_us, now_us), pool == NULL ? "" : pool,
	                 endpoint == NULL ? "" : endpoint, seconds(r->connected_us, r->answered_us));
	if (n > 0 && n < LINE_MAX_BYTES)
		a->n += (size_t)n;
	else
		a->dropped++;
}

/* Whole lines; into a pipe at most PIPE_BUF bytes at a time, which the kernel keeps together although several workers write. */
static size_t piece(const struct access_log *a, size_t from)
{
	size_t n = a->n - from;
	if (!a->pipe || n <= PIPE_BUF)
		return n;
	const char *lf = memrchr(a->data + from, '\n', PIPE_BUF);
	return lf == NULL ? PIPE_BUF : (size_t)(lf + 1 - (a->data + from));
}

void access_log_flush(struct access_log *a)
{
	size_t done = 0;
	while (done < a->n) {
		struct pollfd p = {.fd = a->fd, .events = POLLOUT};
		if (a->pipe && (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0))
			break;
		ssize_t n = write(a->fd, a->data + done, piece(a, done));
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	a->n -= done;
	memmove(a->data, a->data + done, a->n);
	if (a->dropped > 0 && a->n == 0) {
		log_warn("access log: %" PRIu64 " lines dropped", a->dropped);
		a->dropped = 0;
	}
}
