// SPDX-License-Identifier: Apache-2.0
/* log: one line per message on standard error, for a supervisor or a person. */
#ifndef BALANCE_LOG_H
#define BALANCE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* What is less urgent than this is left out; LOG_INFO unless set before the first fork. */
extern enum log_level log_most;

/* `balance[PID]: LEVEL: MESSAGE`, cut at 1 KB; a full pipe loses the line rather than stopping the caller. */
__attribute__((format(printf, 2, 3))) void log_line(enum log_level, const char *format, ...);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
/* Costs a comparison when it is off, so connections may use it. */
#define log_debug(...) (log_most >= LOG_DEBUG ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)

#endif
