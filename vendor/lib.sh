# SPDX-License-Identifier: Apache-2.0
# What fetch.sh, build.sh, link.sh and report.sh share: paths, flags, messages, package files and their keys.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C

vendor_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages_dir=${EVENER_PACKAGES:-$vendor_dir/packages}
cache=${EVENER_CACHE:-$HOME/.cache/evener}
mkdir -p "$cache"

# A cross compiler (aarch64-linux-gnu-gcc) is named in EVENER_CC; everything else follows from it.
HOST_CC=${EVENER_CC:-gcc}
JOBS=${EVENER_JOBS:-$(nproc)}

# Plain static and position-dependent: tables of pointers then lie in read-only pages from the start, where PIE would
# need a relocation pass (musl does not re-protect a static PIE), and every access is a direct one.
C_FLAGS="-O2 -pipe -fno-pie -fstack-protector-strong -fstack-clash-protection -ffunction-sections -fdata-sections"
# EVENER_LINK, like EVENER_ALLOCATOR and EVENER_OMIT in link.sh, is for what bench/feasibility/variants.sh builds to compare with.
LD_FLAGS="${EVENER_LINK:--static} -no-pie -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--build-id=none"

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# step NAME VERSION TEXT: the one line of progress
step() { printf '%-9s %-7s %s\n' "$1" "$2" "$3" >&2; }

sha256_of() { sha256sum <"$1" | cut -d' ' -f1; }

# load NAME: read a package file into variables; call it in a subshell.
load() {
	name=$1
	test -f "$packages_dir/$name.sh" || die "no package file $packages_dir/$name.sh"
	# shellcheck source=/dev/null
	. "$packages_dir/$name.sh"
}

# The verified tarball. No extension: tar tells the compression by content, and repacks differ in it.
tarball_of() (load "$1"; echo "$cache/dl/$name-$version.src")

# verify NAME FILE: stop unless the file's hash is one of the accepted ones.
verify() (
	load "$1"
	found=$(sha256_of "$2")
	for want in $sha256; do
		test "$want" = "$found" && exit 0
	done
	say "error: $name $version: wrong SHA-256"
	say "  file      $2"
	for want in $sha256; do say "  expected  $want"; done
	say "  found     $found"
	exit 65
)

toolchain_id() { $HOST_CC -dumpmachine; $HOST_CC -dumpfullversion; }

# key_of NAME: changes with the pins, the recipe and the C beside it, the flags, the compiler and everything the package is built upon.
key_of() (
	load "$1"
	{
		echo "$C_FLAGS"
		echo "${TOOLCHAIN_ID:-$(toolchain_id)}"
		cat "$packages_dir/$name.sh"
		test ! -f "$packages_dir/${name}_tls.c" || cat "$packages_dir/${name}_tls.c"
		sed -n '/^seal()/,/^}/p' "$vendor_dir/lib.sh"
		for n in $needs; do key_of "$n"; done
	} | sha256sum | cut -c1-16
)

prefix_of() { echo "$cache/out/$1-$(key_of "$1")"; }

# seal SYMBOL OUT INPUT...: one object of which only SYMBOL can be seen. Libraries named here are closed in with it, so
# two programs in one ELF can't meet each other's names.
seal() {
	local keep=$1 out=$2
	shift 2
	"$($HOST_CC -print-prog-name=ld)" -r -d -u "$keep" -o "$out.tmp" --start-group "$@" --end-group
	"$($HOST_CC -print-prog-name=objcopy)" --keep-global-symbol="$keep" "$out.tmp" "$out"
	rm -f "$out.tmp"
}
