# SPDX-License-Identifier: Apache-2.0
# The allocator: takes malloc and friends over for the whole ELF. The newest 2.x that a Debian release carries.
version=2.0.9
spdx=MIT
# Upstream's tarball; Debian's repack without the prebuilt Windows parts.
sha256="4a29edae32a914a706715e2ac8e7e4109e25353212edeed0888f4e3e15db5850
	cbc9d207ff105ad1f0cb739c378076143a6452b8d0624309cea0abfb040e972b"
license_file=LICENSE
license_sha256=19c99805e7a44a34b297a75d1edea9985e300066dfc024d5c99d4236d4573b5d
origins="https://github.com/microsoft/mimalloc/archive/refs/tags/v$version.tar.gz debian:mimalloc:bookworm"
needs="musl"

build() {
	# One object, not an archive: it is always linked, so its malloc always wins over the one in libc.a.
	mkdir -p "$DEST/lib"
	musl-gcc -std=gnu11 $C_FLAGS -O3 -DNDEBUG -DMI_MALLOC_OVERRIDE -ftls-model=local-exec -fno-builtin-malloc \
		-fvisibility=hidden -Iinclude -c src/static.c -o "$DEST/lib/mimalloc.o"
}
