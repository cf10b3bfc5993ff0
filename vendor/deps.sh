#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# deps.sh PACKAGE...: make sure these Debian packages are installed. As root they are installed; otherwise the missing
# ones are named. Elsewhere than on Debian the build goes on and fails at what is really missing.
set -eu
command -v dpkg-query >/dev/null || { echo "not a Debian system: make sure there are: $*" >&2; exit 0; }

missing=
for p in "$@"; do
	case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || :) in
	*' installed') ;;
	*) missing="$missing $p" ;;
	esac
done
test -n "$missing" || exit 0

if test "$(id -u)" != 0; then
	echo "error: these packages are missing:$missing" >&2
	echo "  install them with: apt-get install --no-install-recommends$missing" >&2
	exit 69
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if apt-get install -y --no-install-recommends $missing >"$log" 2>&1 ||
	{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	rm -f "$log"
else
	tail -n 15 "$log" >&2
	echo "error: could not install:$missing; log: $log" >&2
	exit 69
fi
