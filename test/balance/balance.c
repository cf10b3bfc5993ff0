// SPDX-License-Identifier: Apache-2.0
/* The whole of Balance as a program of its own, built under sanitizers for the black-box tests. */
#include "main.h"

int main(int argc, char **argv)
{
	return balance_main(argc, argv);
}
