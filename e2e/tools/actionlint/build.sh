#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh: builds actionlint at the version in go.mod beside it into ${EVENER_CACHE:-~/.cache/evener}/actionlint-VERSION and
# prints the path of the program. It takes half a minute; afterwards nothing. `build.sh look` only looks whether it is there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=$(sed -n 's/^.*github.com\/rhysd\/actionlint v\([0-9.]*\).*/\1/p' "$here/go.mod")
test -n "$version" || { echo "error: no version of actionlint in e2e/tools/actionlint/go.mod" >&2; exit 70; }
out=${EVENER_CACHE:-$HOME/.cache/evener}/actionlint-$version

if ! test -x "$out/actionlint"; then
	test "${1:-}" != look || exit 69
	command -v go >/dev/null || { echo "actionlint: building it takes Go (golang-go)" >&2; exit 69; }
	mkdir -p "$out"
	(
		flock 9
		test ! -x "$out/actionlint" || exit 0
		cd "$here"
		CGO_ENABLED=0 GOMAXPROCS=2 nice go build -p 2 -trimpath -ldflags "-s -w" -o "$out/.actionlint" github.com/rhysd/actionlint/cmd/actionlint
		mv "$out/.actionlint" "$out/actionlint"
	) 9>"$out/lock" >&2
fi
echo "$out/actionlint"
