# SPDX-License-Identifier: Apache-2.0
# The C library, built from source so that the libc inside the ELF is pinned and reported like everything else.
version=1.2.5
spdx=MIT
sha256="a9a118bbe84d8764da0ea0d28b3ab3fae8477fc7e4085d90102b8596fc7c75e4"
license_file=COPYRIGHT
license_sha256=f9bc4423732350eb0b3f7ed7e91d530298476f8fec0c6c427a1c04ade22655af
origins="https://musl.libc.org/releases/musl-$version.tar.gz debian:musl:trixie"
needs=""

# Where the host compiler finds a header: works for a cross compiler too.
header_dir() {
	printf '#include <%s>\n' "$1" | $HOST_CC -E -xc - | sed -n "s:^# 1 \"\\(.*\\)/$1\".*:\\1:p" | sed 1q
}

build() {
	./configure --prefix="$PREFIX" --syslibdir="$PREFIX/lib" --disable-shared --enable-wrapper=gcc \
		CC="$HOST_CC" CFLAGS="$C_FLAGS"
	make -j"$JOBS"
	make install DESTDIR="$PWD/stage"
	cp -a "stage$PREFIX/." "$DEST/"
	# musl ships no kernel headers; Balance needs <linux/...>. Copied, so that a system upgrade can't mix versions.
	for part in linux asm asm-generic; do
		case $part in
		linux) from=$(header_dir linux/types.h) ;;
		asm) from=$(header_dir asm/types.h) ;;
		asm-generic) from=$(header_dir asm-generic/types.h) ;;
		esac
		test -n "$from" || { echo "no kernel headers: <$part/types.h> not found by $HOST_CC"; return 1; }
		cp -RL "$from/$part" "$DEST/include/"
	done
}
