#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cross.sh ARCH COMMAND...: run a build command for ARCH (docker's name of a machine), with the cross compiler where it is
# not this machine's own. COMMAND "deps" installs that compiler.
set -eu
arch=$1
shift
if [ "$arch" != "$(dpkg --print-architecture)" ]; then
	case $arch in
	arm64) tuple=aarch64-linux-gnu ;;
	amd64) tuple=x86_64-linux-gnu ;;
	*) echo "cross.sh: no cross compiler known for $arch" >&2; exit 1 ;;
	esac
	if [ "$1" = deps ]; then
		exec vendor/deps.sh "gcc-$(echo "$tuple" | tr _ -)" "libc6-dev-$arch-cross"
	fi
	export EVENER_CC=$tuple-gcc BINUTILS=$tuple-
fi
[ "$1" = deps ] || exec "$@"
