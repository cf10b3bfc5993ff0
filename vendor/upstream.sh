#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# upstream.sh: Inlab Balance as a separate executable, dist/bin/balance-upstream, with its licence and its source beside it, as
# the GPL asks of whoever hands it on.
. "$(dirname "$0")/lib.sh"
cd "$vendor_dir/.."
bin=${EVENER_BIN:-dist/bin}
name=balance-upstream
tarball=$(tarball_of $name)
version=$(load $name; echo "$version")

# Before anything is built: where the network is closed, that is said at once.
"$vendor_dir/fetch.sh" $name || {
	status=$?
	say ""
	if test "$status" = 65; then
		say "This is not Balance $version as released. Remove the file, and put the released one there."
	else
		say "On a machine that reaches it, get"
		say "  $(load $name; echo "$origins")"
		say "and put the file, under this name, at"
		say "  $tarball"
		say "Then run make balance-upstream again. The SHA-256 is checked."
	fi
	exit "$status"
}
"$vendor_dir/build.sh" $name
prefix=$(prefix_of $name)
mkdir -p "$bin"
install -m 644 "$prefix/share/COPYING" "$bin/$name.COPYING"
install -m 644 "$tarball" "$bin/$name-$version.tar.gz"
# By rename, and last: a running one keeps its file, and the program is never there without its licence.
install -m 755 "$prefix/bin/balance" "$bin/.$name.$$"
mv "$bin/.$name.$$" "$bin/$name"
step "$name" "$version" "$bin/$name, $name.COPYING and $name-$version.tar.gz"
