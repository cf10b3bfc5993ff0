# SPDX-License-Identifier: Apache-2.0
# TLS for Hitch: static, without what a TLS 1.2/1.3 server process never reaches.
version=3.5.7
spdx=Apache-2.0
sha256="a8c0d28a529ca480f9f36cf5792e2cd21984552a3c8e4aa11a24aa31aeac98e8"
license_file=LICENSE.txt
license_sha256=7d5450cb2d142651b8afa315b5f238efc805dad827d91ba367d8516bc9d49e7a
origins="https://github.com/openssl/openssl/releases/download/openssl-$version/openssl-$version.tar.gz
	debian:openssl:trixie"
needs="musl"

build() {
	case $TARGET in
	x86_64-*) os=linux-x86_64 extra=enable-ec_nistp_64_gcc_128 ;;
	aarch64-*) os=linux-aarch64 extra=enable-ec_nistp_64_gcc_128 ;;
	*) echo "openssl: no build target known for $TARGET"; return 1 ;;
	esac
	# The build line is compiled into the library: a fixed date and a bare compiler name keep the ELF reproducible.
	export SOURCE_DATE_EPOCH=1
	# no-threads: Hitch runs one process per core and starts no thread, so locks and atomic counters would only cost.
	# Without our -O2, which would come after OpenSSL's own -O3: its C for X25519 keys takes a fifth less time so.
	# no-autoload-config: the controller renders the whole configuration; a stray openssl.cnf must not change it.
	# no-dso, no-module: a static ELF loads nothing. The ENGINE API stays because Hitch is compiled against it.
	CC=musl-gcc ./Configure "$os" $extra --prefix=/usr --openssldir=/etc/ssl --libdir=lib \
		no-shared no-pic no-tests no-apps no-docs no-threads no-autoload-config no-dso no-module no-legacy \
		no-comp no-dtls no-quic no-srp no-psk no-ct no-cmp no-cms no-ts no-ui-console \
		no-aria no-bf no-camellia no-cast no-gost no-idea no-md4 no-mdc2 no-rc2 no-rc4 no-rmd160 no-seed \
		no-siphash no-sm2 no-sm3 no-sm4 no-whirlpool \
		${C_FLAGS/#-O2/}
	make -j"$JOBS" build_libs
	make install_dev DESTDIR="$PWD/stage"
	cp -a stage/usr/. "$DEST/"
}
