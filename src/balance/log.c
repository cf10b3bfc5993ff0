// SPDX-License-Identifier: Apache-2.0
/* log: one line per message on standard error, for a supervisor or a person. */
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *const names[] = {"error", "warning", "info", "debug"};

enum log_level log_most = LOG_INFO;

void log_line(enum log_level level, const char *format, ...)
{
	if (level > log_most)
		return;
	char line[1024];
	int saved = errno;
	int n = snprintf(line, sizeof line, "balance[%d]: %s: ", (int)getpid(), names[level]);
	va_list ap;
	va_start(ap, format);
	int m = vsnprintf(line + n, sizeof line - 1 - (size_t)n, format, ap);
	va_end(ap);
	if (m > 0)
		n += m;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	/* Standard error is usually a blocking pipe: ask first, so that a stuck reader never stops a worker. */
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0) {
		ssize_t ignored = write(STDERR_FILENO, line, (size_t)n);
		(void)ignored;
	}
	errno = saved;
}
