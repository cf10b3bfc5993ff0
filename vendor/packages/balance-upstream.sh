# SPDX-License-Identifier: Apache-2.0
# Inlab Balance itself: a program of its own, never linked with ours and no part of the data plane (make balance-upstream).
version=3.57
spdx=GPL-2.0-only
sha256="b355f98932a9f4c9786cb61012e8bdf913c79044434b7d9621e2fa08370afbe1"
license_file=COPYING
# There is one accepted tarball, so its hash pins the licence file too.
license_sha256=by-tarball
origins="https://www.inlab.net/wp-content/uploads/2018/05/balance-$version.tar.gz"
needs="musl"
shipped=no

build() {
	grep -q 'GNU GENERAL PUBLIC LICENSE' COPYING
	# Its own makefile asks for what a musl wrapper has no use for: libraries by platform, an install as root.
	musl-gcc -std=gnu17 -D_GNU_SOURCE -fcommon -w $C_FLAGS -I. $LD_FLAGS -o balance ./*.c
	install -D -m 755 -t "$DEST/bin" balance
	install -D -m 644 -t "$DEST/share" COPYING
}
