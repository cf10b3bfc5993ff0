// SPDX-License-Identifier: Apache-2.0
/* control_answer: what each command of the control socket does. */
#ifndef BALANCE_CONTROL_ANSWER_H
#define BALANCE_CONTROL_ANSWER_H

#include "control.h"

/* Does one command and writes the answer. The line is NUL-terminated behind its n bytes, and may be written to. */
void control_answer(FILE *, struct control *, struct master *, char *line, size_t n);

#endif
