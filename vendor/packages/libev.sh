# SPDX-License-Identifier: Apache-2.0
# Hitch's event loop. Dual licensed (BSD-2-Clause or GPL-2.0-or-later); taken under BSD-2-Clause.
version=4.33
spdx=BSD-2-Clause
sha256="507eb7b8d1015fbec5b935f34ebed15bf346bed04a11ab82b8eee848c4205aea"
license_file=LICENSE
license_sha256=c4dd1a5bc38b041a320b93c5d6c08f5c41a63f2ce718ee16cfcb757fad448199
origins="http://dist.schmorp.de/libev/Attic/libev-$version.tar.gz debian:libev:bookworm"
needs="musl"

build() {
	./configure --host="$TARGET" --prefix=/usr --disable-shared --disable-dependency-tracking \
		CC=musl-gcc CFLAGS="$C_FLAGS -fno-strict-aliasing" LDFLAGS="$LD_FLAGS"
	make -j"$JOBS" libev.la
	install -D -m 644 -t "$DEST/lib" .libs/libev.a
	install -D -m 644 -t "$DEST/include" ev.h
}
