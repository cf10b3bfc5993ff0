#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh NAME...: fetch, verify, check the licence and build each package with all it needs. A finished build is a
# directory CACHE/out/NAME-KEY that appears by rename, so an interrupted run goes on where it stopped.
. "$(dirname "$0")/lib.sh"
TARGET=$($HOST_CC -dumpmachine)
TOOLCHAIN_ID=$(toolchain_id)
export REALGCC=$HOST_CC

# check_license NAME DIR: a changed licence must be read by a person before it is built in.
check_license() (
	load "$1"
	test "$license_sha256" != by-tarball || exit 0
	found=$(sha256_of "$2/$license_file")
	test "$found" = "$license_sha256" && exit 0
	say "error: $name $version: licence file $license_file changed"
	say "  expected  $license_sha256"
	say "  found     $found"
	exit 65
)

# in_order NAME...: what each package needs, before it.
in_order() {
	local n
	for n in "$@"; do
		# shellcheck disable=SC2046 # a list of names
		in_order $(load "$n"; echo "$needs")
		echo "$n"
	done
}

build_one() (
	load "$1"
	PREFIX=$(prefix_of "$name")
	if test -d "$PREFIX"; then
		step "$name" "$version" "built (cached)"
		exit 0
	fi
	"$vendor_dir/fetch.sh" "$name"
	work=$cache/work/$name
	log=$cache/log/build-$name.log
	rm -rf "$work"
	mkdir -p "$work/src" "$work/out" "$cache/out" "$cache/log"
	tar -xf "$(tarball_of "$name")" -C "$work/src" --strip-components=1 --no-same-owner
	check_license "$name" "$work/src"
	step "$name" "$version" "building ..."
	case " $needs " in
	*" musl "*) PATH=$(prefix_of musl)/bin:$PATH ;;
	esac
	export PATH PREFIX TARGET DEST=$work/out
	start=$SECONDS
	# A shell of its own: errors stop a recipe only where nobody tests the result of the shell that runs it.
	if ! bash -c '. "$2/lib.sh"; load "$3"; cd "$1"; build' recipe "$work/src" "$vendor_dir" "$name" \
		>"$log" 2>&1 </dev/null; then
		tail -n 15 "$log" >&2
		say "error: $name $version: build failed; log: $log"
		exit 70
	fi
	mv "$DEST" "$PREFIX"
	rm -rf "$work"
	step "$name" "$version" "built in $((SECONDS - start)) s"
)

# Two builds at once would tread on each other's work directories.
exec 9>"$cache/lock"
flock -n 9 || { say "waiting for another build to finish"; flock 9; }
for package in $(in_order "$@" | awk '!seen[$0]++'); do build_one "$package"; done
