#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh: builds helm at the version in go.mod beside it into ${EVENER_CACHE:-~/.cache/evener}/helm-VERSION and prints
# the path of the program. With a cold Go cache this takes some minutes; afterwards nothing. HELM=FILE uses that one.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

if test -n "${HELM:-}"; then
	test -x "$HELM" || { echo "error: HELM is no program: $HELM" >&2; exit 66; }
	echo "$HELM"
	exit 0
fi

version=$(sed -n 's/^.*helm.sh\/helm\/v4 v\([0-9.]*\).*/\1/p' "$here/go.mod")
test -n "$version" || { echo "error: no version of helm.sh/helm/v4 in e2e/tools/helm/go.mod" >&2; exit 70; }
out=${EVENER_CACHE:-$HOME/.cache/evener}/helm-$version
mkdir -p "$out"

if ! test -x "$out/helm"; then
	command -v go >/dev/null || { echo "error: building helm takes Go; install it (golang-go), or set HELM" >&2; exit 69; }
	echo "building helm $version; with a cold Go cache this takes some minutes" >&2
	(
		# One build at a time: a second one would only compete for memory.
		flock 9
		test ! -x "$out/helm" || exit 0
		cd "$here"
		CGO_ENABLED=0 GOMAXPROCS=2 nice go build -p 2 -trimpath \
			-ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$version" -o "$out/.helm" helm.sh/helm/v4/cmd/helm
		mv "$out/.helm" "$out/helm"
	) 9>"$out/lock" >&2
fi
echo "$out/helm"
