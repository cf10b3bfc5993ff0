#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bootstrap-base.sh OUT: what debian:bookworm-slim is for the build, as a tarball, from the machine's own Debian mirror. It
# brings the machine's apt settings along, since apt goes on inside; none of it gets into the image that is shipped.
set -euo pipefail
"$(dirname "$0")/../vendor/deps.sh" mmdebstrap
out=$1 suite=bookworm
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
	if [ -r "$file" ] && grep -q "\\b$suite\\b" "$file"; then sources+=("$file"); fi
done
[ ${#sources[@]} -gt 0 ] || { echo "bootstrap-base.sh: this machine has no apt source of $suite" >&2; exit 69; }
settings=()
for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
	# Only how to reach the mirror; what a system does after an installation is its own affair.
	if [ -r "$file" ] && grep -qiE '^ *Acquire' "$file" && ! grep -qi 'Invoke' "$file"; then
		settings+=("--setup-hook=mkdir -p \"\$1/etc/apt/apt.conf.d\" && cp '$file' \"\$1/etc/apt/apt.conf.d/\"")
	fi
done
nice mmdebstrap --variant=minbase --mode="$([ "$(id -u)" = 0 ] && echo root || echo auto)" --quiet \
	--include=ca-certificates "${settings[@]}" "$suite" "$out.new" "${sources[@]}"
mv "$out.new" "$out"
