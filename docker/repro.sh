#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# repro.sh ARCH: build the image twice, every step anew, and compare the manifests: they hold the digests of every layer and
# of the configuration.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:-amd64}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for i in 1 2; do
	EVENER_NO_CACHE=1 EVENER_IMAGE_OUT=$work/$i.tar docker/build.sh "$arch" >"$work/$i.log" 2>&1 ||
		{ tail -n 20 "$work/$i.log" >&2; exit 1; }
	tail -n 1 "$work/$i.log"
	digest=$(tar -xOf "$work/$i.tar" index.json | sed 's/.*"digest":"\(sha256:[0-9a-f]*\)".*/\1/')
	tar -xOf "$work/$i.tar" "blobs/${digest/://}" >"$work/$i.manifest"
	echo "manifest $digest"
	grep -o '"digest":"sha256:[0-9a-f]*' "$work/$i.manifest" | cut -d'"' -f4 | sed '1s/^/config   /; 2,$s/^/layer    /'
done
cmp "$work/1.manifest" "$work/2.manifest"
echo "the two builds are the same"
