// SPDX-License-Identifier: Apache-2.0
#ifndef BALANCE_MAIN_H
#define BALANCE_MAIN_H

/* The program `balance`; returns a status of sysexits.h. */
int balance_main(int argc, char **argv);

#endif
