#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# rootfs.sh ARCH OUT: put the image's layers together under OUT, from what the other stages left: /node, /debian,
# /licences, dist. Everything has one date, so that equal content gives equal layers, from one commit to the next too.
set -euo pipefail
export LC_ALL=C
arch=$1 out=$2
runtime=$out/runtime dataplane=$out/dataplane controller=$out/controller
lib=usr/lib/evener licenses=usr/share/licenses
rm -rf "$out"
umask 022
strip=${BINUTILS:-}strip readelf=${BINUTILS:-}readelf

# --- the runtime: Node, the libraries it asks for, CA certificates, what the C library reads
install -D -m 755 /node/bin/node "$runtime/$lib/lib/node"
"$strip" "$runtime/$lib/lib/node"

# found SONAME: where Debian has it, below /debian/root
found() {
	for dir in lib64 lib usr/lib lib/*-linux-gnu usr/lib/*-linux-gnu; do
		for path in /debian/root/$dir/"$1"; do
			# The loader's link points into the future root.
			if [ -e "$path" ] || [ -L "$path" ]; then echo "${path#/debian/root/}"; return; fi
		done
	done
	echo "rootfs.sh: no package in debian.lock has $1" >&2
	return 1
}
needed() { "$readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
take() {
	local path real so
	path=$(found "$1")
	[ ! -e "$runtime/$path" ] || return 0
	real=/debian/root/$path
	# An absolute link is meant from the root of the package.
	case $(readlink "$real" || :) in
	/*) real=/debian/root$(readlink "$real") ;;
	esac
	install -D -m 755 "$real" "$runtime/$path"
	for so in $(needed "$real"); do take "$so"; done
}
interpreter=$("$readelf" -l "$runtime/$lib/lib/node" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
take "${interpreter##*/}"
for so in $(needed "$runtime/$lib/lib/node"); do take "$so"; done

# Mozilla's list as Debian has it, not the building machine's own.
mkdir -p "$runtime/etc/ssl/certs"
for crt in /debian/root/usr/share/ca-certificates/mozilla/*.crt; do
	cat "$crt"
done >"$runtime/etc/ssl/certs/ca-certificates.crt"
echo 'hosts: files dns' >"$runtime/etc/nsswitch.conf"
echo 'evener:x:65532:65532::/:/sbin/nologin' >"$runtime/etc/passwd"
echo 'evener:x:65532:' >"$runtime/etc/group"
install -d -m 1777 "$runtime/tmp" "$runtime/run" "$runtime/run/evener"

install -D -m 644 /node/LICENSE "$runtime/$licenses/node/LICENSE"
while read -r name _; do
	copyright=/debian/root/usr/share/doc/$name/copyright
	install -D -m 644 "$copyright" "$runtime/$licenses/debian/$name/copyright"
	# Debian's copyright files refer to these.
	grep -o '/usr/share/common-licenses/[A-Za-z0-9.-]*[0-9A-Za-z]' "$copyright" | sort -u | while read -r text; do
		install -D -m 644 "$text" "$runtime$text"
	done
done </debian/taken.lock

# --- the data plane
install -D -m 755 dist/bin/hitch "$dataplane/$lib/bin/hitch"
ln -s hitch "$dataplane/$lib/bin/balance"
install -D -m 755 dist/init "$dataplane/usr/bin/evener"
mkdir -p "$dataplane/$licenses"
cp -R /licences/. "$dataplane/$licenses/"

# --- the controller
mkdir -p "$controller/$lib/lib" "$controller/usr/share/doc/evener"
cp -R dist/lib/. "$controller/$lib/lib/"
install -D -m 644 LICENSE "$controller/$licenses/evener/LICENSE"
node=node_modules/.bin/node
$node docker/notice.ts install "$arch" /debian/taken.lock "$controller"
$node docker/sbom.ts "$arch" /debian/taken.lock >"$controller/usr/share/doc/evener/sbom.spdx.json"
cp docker/SOURCES "$controller/usr/share/doc/evener/"
awk '{ print $4, $5 }' /debian/taken.lock | sort -u >>"$controller/usr/share/doc/evener/SOURCES"

merged=$(mktemp -d)
cp -R "$runtime/usr" "$dataplane/usr" "$controller/usr" "$merged/"
$node docker/notice.ts verify "$arch" /debian/taken.lock "$merged"
rm -rf "$merged"

# Debian's npm, run by root, keeps the owners that it finds in packages.
chown -R 0:0 "$out"
find "$out" -type d ! -perm -1000 -exec chmod 755 {} +
find "$out" -type f -perm -100 -exec chmod 755 {} +
# Some npm packages have executable licences; the bundle is started by name.
find "$out" -type f \( ! -perm -100 -o -path '*/usr/share/*' -o -name '*.mjs' \) -exec chmod 644 {} +
find "$out" -exec touch -h -d @315532800 {} +
