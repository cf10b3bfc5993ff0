#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# report.sh: what is linked into the ELF (and balance-upstream, which is not), under which licence, and whether the cached
# sources are what the pins say.
. "$(dirname "$0")/lib.sh"
status=0

row() { printf '%-16s %-8s %-13s %-12s %-12s %s\n' "$@"; }

# state NAME: one row; fails when the cached tarball or the licence file in it is not the pinned one.
state() (
	load "$1"
	tarball=$(tarball_of "$name")
	if ! test -f "$tarball"; then
		row "$name" "$version" "$spdx" "not fetched" "not fetched" "${sha256%%[[:space:]]*}"
		exit 0
	fi
	found=$(sha256_of "$tarball")
	case " ${sha256//[[:space:]]/ } " in
	*" $found "*) source_ok=OK ;;
	*) source_ok=WRONG ;;
	esac
	member=$(tar -tf "$tarball" | grep -E "^[^/]+/$license_file\$")
	if test "$license_sha256" = by-tarball || test "$(tar -xOf "$tarball" "$member" | sha256sum | cut -d' ' -f1)" = "$license_sha256"; then
		license_ok=OK
	else
		license_ok=CHANGED
	fi
	row "$name" "$version" "$spdx" "$license_ok" "$source_ok" "$found"
	test "$license_ok$source_ok" = OKOK
)

row package version licence "licence file" source "source SHA-256"
for file in "$packages_dir"/*.sh; do
	state "$(basename "$file" .sh)" || status=1
done
exit $status
