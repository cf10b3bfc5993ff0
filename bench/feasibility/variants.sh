#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# variants.sh DIR: the data plane built in other ways than the product, each in a directory of its own below DIR, with the same
# compiler, flags and sources. A build that is there already is not made again; the first one with glibc compiles OpenSSL, too.
#
#   musl-malloc     static musl, musl's own allocator
#   glibc-mimalloc  static glibc, mimalloc
#   glibc-dynamic   glibc and its allocator as a shared library, as a distribution would build it
. "$(dirname "$0")/../../vendor/lib.sh"
dir=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The same packages, except that the compiler that stands for musl's is the machine's own.
cp "$packages_dir"/* "$work/"
cat >>"$work/musl.sh" <<'END'
build() {
	mkdir -p "$DEST/bin"
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$HOST_CC" >"$DEST/bin/musl-gcc"
	chmod +x "$DEST/bin/musl-gcc"
}
END

EVENER_BIN=$dir/musl-malloc EVENER_ALLOCATOR=libc "$vendor_dir/link.sh"
export EVENER_PACKAGES=$work
"$vendor_dir/build.sh" musl mimalloc libev openssl hitch llhttp
# musl's memcpy is replaced in the product; glibc's is as good, and is what is to be measured.
export EVENER_OMIT=memory.c
EVENER_BIN=$dir/glibc-mimalloc "$vendor_dir/link.sh"
EVENER_BIN=$dir/glibc-dynamic EVENER_ALLOCATOR=libc EVENER_LINK=-Wl,-Bdynamic "$vendor_dir/link.sh"
