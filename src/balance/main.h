// SPDX-License-Identifier: Apache-2.0
#ifndef BALANCE_MAIN_H
#define BALANCE_MAIN_H

/* How it is called; ends in a line feed. */
extern const char balance_usage[];

/* The program `balance`; returns a status of sysexits.h. */
int balance_main(int argc, char **argv);

#endif
