#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# init.sh OUT [LIBDIR]: compile the image's init and launcher, static like the data plane. LIBDIR is where the image
# keeps Node and the bundle.
. "$(dirname "$0")/lib.sh"
out=${1:?usage: init.sh OUT [LIBDIR]} lib=${2:-/usr/lib/evener/lib}
musl=$(prefix_of musl)
test -d "$musl" || die "musl is not built yet (make dataplane)"
export REALGCC=$HOST_CC
mkdir -p "$(dirname "$out")"
# shellcheck disable=SC2086 # lists of flags
"$musl/bin/musl-gcc" -std=c11 -D_GNU_SOURCE -DEVENER_LIB="\"$lib\"" -Wall -Wextra -Werror $C_FLAGS $LD_FLAGS -s \
	-o "$out" "$vendor_dir/../src/dataplane/init.c"
step init "" "linked $out ($(stat -c %s "$out") bytes)"
