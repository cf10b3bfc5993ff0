#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# debs.sh: the Debian packages of which the image takes files, pinned in debian.lock.
#   debs.sh get ARCH DIR    download, verify and unpack them into DIR/root; DIR/taken.lock says what was taken
#   debs.sh sources DIR     their complete source packages into DIR (sources.also: what stands for one that is gone)
#   debs.sh lock            print debian.lock anew, from what the machine's mirror has today
# apt gets state of its own, so that nothing of the machine changes and no privilege is needed; the mirror and its keys
# are the machine's.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
lock=$here/debian.lock
state=$(mktemp -d)
trap 'rm -rf "$state"' EXIT
apt=(-o "Dir::State=$state/state" -o "Dir::Cache=$state/cache" -o Dir::State::status=/dev/null
	-o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none
	-o APT::Architectures::=amd64 -o APT::Architectures::=arm64)
say() { printf 'debs: %s\n' "$*" >&2; }
rows() { grep -v '^#' "$lock"; }

update() {
	mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
	apt-get "${apt[@]}" update -qq
}

# row NAME ARCH SPDX [VERSION]: a line of the lock; without VERSION the newest there is.
row() {
	local name=$1 arch=$2 spdx=$3 version=${4:-}
	apt-cache "${apt[@]}" show "$name:$arch${version:+=$version}" | awk -v name="$name" -v arch="$arch" -v spdx="$spdx" '
		$1 == "Version:" { v = $2 }
		$1 == "Source:" { s = $2; sv = $3; gsub(/[()]/, "", sv) }
		$1 == "SHA256:" { h = $2 }
		/^$/ && h { exit }
		END { if (!h) exit 1; if (!s) s = name; if (!sv) sv = v; print name, arch, v, s, sv, spdx, h }'
}

get() {
	local arch=$1 dir=$2 name a version spdx hash found
	mkdir -p "$dir/root" "$state/debs"
	: >"$dir/taken.lock"
	update
	rows | while read -r name a version _ _ spdx hash; do
		[ "$a" = "$arch" ] || [ "$a" = all ] || continue
		if ! found=$(row "$name" "$a" "$spdx" "$version" 2>/dev/null); then
			found=$(row "$name" "$a" "$spdx")
			read -r _ _ newer _ _ _ hash <<<"$found"
			say "NOTE: the mirror no longer has $name $version; taking $newer. \`make image-lock\` records it."
			version=$newer
		fi
		(cd "$state/debs" && apt-get "${apt[@]}" download -qq "$name:$a=$version")
		echo "$hash  $(echo "$state/debs/${name}_"*.deb)" | sha256sum -c --quiet || { say "$name $version: wrong SHA-256"; exit 65; }
		dpkg-deb -x "$state/debs/${name}_"*.deb "$dir/root"
		echo "$found" >>"$dir/taken.lock"
		say "$name $version"
	done
}

sources() {
	local dir=$1 source version missing
	local key=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -r "$key" ] && key="[signed-by=$key]" || key=
	# deb-src lines for whatever the machine has as deb lines.
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format "deb-src $key "'$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		sort -ru >"$state/sources.list" # the archive before its security part: it keeps things longer
	apt+=(-o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null)
	update
	mkdir -p "$dir"
	missing=$(rows | awk '{ print $4, $5 }' | sort -u | while read -r source version; do
		say "source of $source $version"
		(cd "$dir" && apt-get "${apt[@]}" source -qq --download-only "$source=$version") >&2 ||
			also "$source" "$version" "$dir" >&2 || echo "$source $version"
	done)
	[ -z "$missing" ] || {
		say "this mirror has no source of: $missing; take it from https://snapshot.debian.org/package/NAME/VERSION/"
		return 69
	}
}

# also SOURCE VERSION DIR: what sources.also accepts in its place; /DIR/README says so.
also() {
	local source=$1 version=$2 dir=$3 name v path hash why mirror
	while read -r name v path hash why; do
		[ "$name $v" = "$source $version" ] || continue
		for mirror in $(awk '{ print $(NF - 2) }' "$state/sources.list" | sort -u); do
			/usr/lib/apt/apt-helper "${apt[@]}" download-file "${mirror%/}/$path" "$dir/${path##*/}" "SHA256:$hash" || continue
			rm -f "$dir/${source}_$version".*
			echo "${path##*/} stands for the source package $source $version, which the mirror no longer had: $why." >>"$dir/README"
			say "NOTE: the mirror has no source of $source $version; ${path##*/} stands for it: $why"
			return 0
		done
	done < <(grep -v '^#' "$here/sources.also")
	return 1
}

make_lock() {
	update
	sed -n '/^#/p' "$lock"
	rows | while read -r name arch _ _ _ spdx _; do row "$name" "$arch" "$spdx"; done
}

case ${1:-} in
get) get "$2" "$3" ;;
sources) sources "$2" ;;
lock) make_lock ;;
*) sed -n '3,8s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
