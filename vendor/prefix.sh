#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# prefix.sh NAME: where a package's finished build lies, for builds outside link.sh (tests, fuzzers, sanitizers).
. "$(dirname "$0")/lib.sh"
test $# = 1 || die "usage: prefix.sh NAME"
prefix=$(prefix_of "$1")
test -d "$prefix" || die "$1 is not built yet (make dataplane)"
echo "$prefix"
