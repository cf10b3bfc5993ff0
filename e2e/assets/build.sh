#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh [PROGRAM...]: builds the Kubernetes programs that the end-to-end tests need (kube-apiserver unless others are
# named), at the version in e2e/tools/go.mod, into ${EVENER_CACHE:-~/.cache/evener}/kube-VERSION, and prints that
# directory. With a cold Go cache this takes about ten minutes; afterwards nothing. KUBE_ASSETS=DIR uses the programs that
# are there instead.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
programs=${*:-kube-apiserver}

if test -n "${KUBE_ASSETS:-}"; then
	for p in $programs; do
		test -x "$KUBE_ASSETS/$p" || { echo "error: KUBE_ASSETS has no $p: $KUBE_ASSETS" >&2; exit 66; }
	done
	echo "$KUBE_ASSETS"
	exit 0
fi

version=$(sed -n 's/^.*k8s.io\/kubernetes v\([0-9.]*\).*/\1/p' "$here/../tools/go.mod")
test -n "$version" || { echo "error: no version of k8s.io/kubernetes in e2e/tools/go.mod" >&2; exit 70; }
out=${EVENER_CACHE:-$HOME/.cache/evener}/kube-$version
mkdir -p "$out"

missing=
for p in $programs; do test -x "$out/$p" || missing="$missing $p"; done
if test -n "$missing"; then
	command -v go >/dev/null || {
		echo "error: building$missing takes Go (the version in e2e/tools/go.mod or newer); install it, or set KUBE_ASSETS" >&2
		exit 69
	}
	base=k8s.io/component-base/version
	minor=${version#*.}
	flags="-s -w -X $base.gitVersion=v$version -X $base.gitMajor=${version%%.*} -X $base.gitMinor=${minor%%.*}"
	for p in $missing; do
		echo "building $p $version; with a cold Go cache this takes about ten minutes" >&2
		(
			# One build at a time: two would only wait for each other's memory.
			flock 9
			test ! -x "$out/$p" || exit 0
			cd "$here/../tools"
			CGO_ENABLED=0 GOMAXPROCS=2 nice -n 19 go build -p 2 -trimpath -ldflags "$flags" -o "$out/.$p" "k8s.io/kubernetes/cmd/$p"
			mv "$out/.$p" "$out/$p"
		) 9>"$out/lock" >&2
	done
fi
echo "$out"
