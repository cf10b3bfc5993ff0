// SPDX-License-Identifier: Apache-2.0
/* cidr: sets of address ranges. */
#ifndef BALANCE_CIDR_H
#define BALANCE_CIDR_H

#include "addr.h"
#include "arena.h"

#include <stdint.h>

struct cidr {
	uint8_t v6;
	uint8_t bits;
	uint8_t bytes[16];
};

struct cidr_set {
	struct cidr *at;
	size_t n, cap;
};

/* Reads `ADDRESS` or `ADDRESS/BITS` from n bytes; bits beyond the prefix must be zero. */
bool cidr_parse(struct cidr *, const char *, size_t n);

/* Adds to a set in an arena; false when memory ran out. */
bool cidr_add(struct arena *, struct cidr_set *, const struct cidr *);

/* An unknown address (len 0) is in no set. */
bool cidr_contains(const struct cidr_set *, const struct addr *);

#endif
