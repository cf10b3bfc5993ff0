#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# licences.sh DIR: the licence file of every package that is shipped, out of the verified tarball, as DIR/NAME/FILE.
. "$(dirname "$0")/lib.sh"
dir=${1:?usage: licences.sh DIR}
for file in "$packages_dir"/*.sh; do
	(
		load "$(basename "$file" .sh)"
		test "${shipped:-yes}" = yes || exit 0
		tarball=$(tarball_of "$name")
		verify "$name" "$tarball"
		member=$(tar -tf "$tarball" | grep -E "^[^/]+/$license_file\$")
		mkdir -p "$dir/$name"
		tar -xOf "$tarball" "$member" >"$dir/$name/$license_file"
	)
done
