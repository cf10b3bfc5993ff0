#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the bundled controller with a Node of the right age. Works through symbolic links.
set -eu

self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
here=$(cd "$(dirname "$self")" && pwd -P)

# With a small young generation dead certificates are noticed early, and with them the memory outside of the heap that
# they hold: at 5,000 of them 300 MB instead of 410.
#
# Beside the bundle (an image), in the source tree, or the machine's own.
for node in "$here/../lib/node" "$here/../../node_modules/.bin/node" "$(command -v node || true)"; do
  [ -x "$node" ] || continue
  case $("$node" --version) in
    v2[4-9].* | v[3-9][0-9].*) exec "$node" --max-semi-space-size=4 "$here/../lib/evener.mjs" "$@" ;;
  esac
done
echo "evener: Node.js 24 or newer is needed and was not found" >&2
exit 69
