#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# list.sh: the pins of what is shipped, for programs, one line each: name, version, licence, SHA-256 of upstream's tarball, upstream's URL,
# licence file; separated by tabs.
. "$(dirname "$0")/lib.sh"
for file in "$packages_dir"/*.sh; do
	(
		load "$(basename "$file" .sh)"
		# What is built on request alone is in no image.
		test "${shipped:-yes}" = yes || exit 0
		read -r hash _ <<<"${sha256//$'\n'/ }"
		read -r url _ <<<"${origins//$'\n'/ }"
		printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$version" "$spdx" "$hash" "$url" "$license_file"
	)
done
