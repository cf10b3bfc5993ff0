#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# build.sh [ARCH [TARGET]]: build the image (or the image of sources) with docker, podman or buildah and leave it as an OCI
# archive in dist/image. `build.sh tool` says which one it would take; EVENER_IMAGE_TOOL decides otherwise.
# EVENER_IMAGE_OUT puts the archive elsewhere; EVENER_NO_CACHE=1 builds every step anew.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${EVENER_CACHE:-$HOME/.cache/evener}
store=$cache/containers
base=docker.io/library/debian:bookworm-slim

say() { printf 'image: %s\n' "$*" >&2; }

pick_tool() {
	local tool
	for tool in ${EVENER_IMAGE_TOOL:-docker podman buildah}; do
		command -v "$tool" >/dev/null || continue
		# docker's client is of no use without its server, nor without the builder that knows secrets and contexts.
		if [ "$tool" = docker ] && ! { docker info && docker buildx version; } >/dev/null 2>&1; then continue; fi
		echo "$tool"
		return
	done
	say "none of docker (with its server and buildx), podman and buildah is there"
	return 69
}

tool=$(pick_tool)
[ "${1:-}" != tool ] || { echo "$tool"; exit; }
arch=${1:-amd64} target=${2:-evener}
machine=$(dpkg --print-architecture 2>/dev/null || uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
out=${EVENER_IMAGE_OUT:-dist/image/$target-$arch.tar}
version=$(sed -n '0,/"version"/s/.*"version": "\(.*\)".*/\1/p' package.json)
tag=localhost/evener:$version-$arch
[ "$target" = evener ] || tag=$tag-$target
mkdir -p "$(dirname "$out")" "$cache/dl" "$store/tmp"

# A store of its own: the base that is made here shall not pass for Debian's in the user's.
export TMPDIR=$store/tmp
driver=vfs
if grep -qw overlay /proc/filesystems && [ "$(id -u)" = 0 ]; then driver=overlay; fi
engine=("$tool" --root "$store/storage" --runroot "$store/run" --storage-driver "$driver")
[ "$tool" != docker ] || engine=(docker)

# One build at a time in this store, and no mount of it stays behind.
secrets=$(mktemp -d)
locked=
tidy() {
	rm -rf "$secrets"
	[ -n "$locked" ] && [ "$tool" != docker ] || return 0
	awk -v s="$store/" 'index($5, s) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r point; do umount "$point" || :; done
}
trap tidy EXIT
exec 9>"$store/lock"
flock -n 9 || { say "waiting for another build to finish"; flock 9; }
locked=1
if [ "$tool" != docker ]; then
	# Containers of builds that were killed; and steps of earlier builds, once they take too much room.
	"${engine[@]}" rm --all >/dev/null 2>&1 || :
	if [ -d "$store/storage" ] && [ "$(du -sxm "$store/storage" | cut -f1)" -gt 20000 ]; then
		say "dropping the cached steps in $store"
		"${engine[@]}" rmi --prune >/dev/null 2>&1 || "${engine[@]}" image prune --force >/dev/null 2>&1 || :
	fi
fi

# --- the machine's way to the npm registry, as files that are mounted while a step runs and are in no layer
if command -v npm >/dev/null; then
	for which in globalconfig userconfig; do
		file=$(cd / && npm config get "$which" 2>/dev/null)
		# A key in the committed file goes before; what only this machine's npm knows would be a warning.
		if [ -r "$file" ]; then grep -v '^nodedir' "$file" || :; fi
	done >"$secrets/npmrc"
	echo "registry=$(cd / && npm config get registry 2>/dev/null)" >>"$secrets/npmrc"
else
	: >"$secrets/npmrc"
fi
ca=/etc/ssl/certs/ca-certificates.crt
[ -r "$ca" ] || { ca=$secrets/ca; : >"$ca"; }

# --- the base: from a registry, from an earlier run, or made here
build() {
	case $tool in
	# The server's own builder: it sees the server's images, such as a base that was made here, and can't be asked for an archive.
	docker) docker buildx build --builder default --load "$@" ;;
	# As root in a container there may be no right to make namespaces; chroot needs none.
	*) "${engine[@]}" build --isolation "${BUILDAH_ISOLATION:-chroot}" "$@" ;;
	esac
}
bootstrap() {
	local tarball=$store/base-$machine.tar dir
	if [ -f "$tarball" ]; then
		say "no registry can be reached: taking the base made earlier ($tarball)"
	else
		say "no registry can be reached: making $1 with mmdebstrap from this machine's Debian mirror"
		docker/bootstrap-base.sh "$tarball"
	fi
	dir=$(mktemp -d "$store/tmp/base.XXXXXX")
	ln "$tarball" "$dir/base.tar"
	printf 'FROM scratch\nADD base.tar /\n' >"$dir/Dockerfile"
	build -t "$1" "$dir" >/dev/null
	rm -rf "$dir"
}
if [ -n "${BASE:-}" ]; then
	say "base: $BASE${BASE_DIGEST:+@$BASE_DIGEST}, as given"
elif "${engine[@]}" inspect --type image "$base" >/dev/null 2>&1; then
	say "base: $base, there already"
elif timeout 120 "${engine[@]}" pull "$base" >/dev/null 2>&1; then
	say "base: $base, pulled"
elif [ "$tool" = docker ]; then
	# Under a name of its own: docker's store is everybody's.
	BASE=evener-base:bookworm-slim
	bootstrap "$BASE"
else
	bootstrap "$base"
fi

# --- the build
epoch=$(git log -1 --format=%ct 2>/dev/null || echo 0)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git status --porcelain 2>/dev/null)" ] || revision=$revision-modified
args=(-f docker/Dockerfile --target "$target" -t "$tag" --platform "linux/$arch"
	--build-arg "BUILD_ON=linux/$machine" --build-arg "TARGETARCH=$arch"
	--build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "SOURCE_DATE_EPOCH=$epoch"
	--build-arg "CREATED=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)"
	--secret "id=npmrc,src=$secrets/npmrc" --secret "id=ca,src=$ca" --build-context "dl=$cache/dl")
[ -z "${BASE:-}" ] || args+=(--build-arg "BASE=$BASE" --build-arg "BASE_DIGEST=${BASE_DIGEST:-}")
[ -z "${EVENER_NO_CACHE:-}" ] || args+=(--no-cache)
if [ "$tool" = docker ] && ! command -v skopeo >/dev/null; then
	say "docker's own builder writes no OCI archive: please install skopeo, or podman or buildah in place of docker"
	exit 69
fi
say "building $tag with $tool"
start=$SECONDS
case $tool in
docker)
	build "${args[@]}" --provenance=false .
	docker save --output "$secrets/image.tar" "$tag"
	rm -f "$out.new"
	skopeo copy --quiet --dest-compress-format gzip --dest-compress-level 9 "docker-archive:$secrets/image.tar" "oci-archive:$out.new:$tag"
	;;
*)
	build "${args[@]}" --layers --force-rm --timestamp 315532800 --identity-label=false .
	rm -f "$out.new"
	compress=(--compression-format gzip)
	# podman learned it late; without it only the size of the archive differs.
	if "$tool" push --help 2>&1 | grep -e --compression-level >/dev/null; then compress+=(--compression-level 9); fi
	"${engine[@]}" push --quiet "${compress[@]}" "$tag" "oci-archive:$out.new:$tag"
	;;
esac
mv "$out.new" "$out"
if [ "$target" = evener ]; then
	# The SBOM beside it, for whoever signs and attests.
	docker/extract.sh "$out" usr/share/doc/evener/sbom.spdx.json >"${out%.tar}.spdx.json"
fi
say "$out: $(stat -c %s "$out") bytes, $((SECONDS - start)) s"
