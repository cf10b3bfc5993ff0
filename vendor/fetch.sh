#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fetch.sh NAME...: put each package's verified tarball into the cache. Origins are tried in order; a wrong hash stops
# at once, since going on would hide that an origin hands out something else.
. "$(dirname "$0")/lib.sh"

# from_url URL PART: resumes PART; fails quickly where the network is closed.
from_url() {
	curl -fsSL --connect-timeout 5 --speed-limit 1000 --speed-time 20 -C - -o "$2" "$1" && return 0
	# A part that is already whole makes the server answer "range not satisfiable"; any other failure repeats quickly.
	test -s "$2" || return 1
	rm -f "$2"
	curl -fsSL --connect-timeout 5 --speed-limit 1000 --speed-time 20 -o "$2" "$1"
}

# The machine's own Debian mirror: the address behind its own release, wherever its sources are kept.
mirror() {
	# shellcheck disable=SC2016 # apt's own placeholders
	local codename format='$(ORIGIN)|$(LABEL)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)'
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	apt-get indextargets --format "$format" 'Created-By: Packages' | awk -F'|' -v c="$codename" '
		$1 == "Debian" && $2 == "Debian" { print $5; found = 1; exit }
		!guess && $3 == c && $4 == "main" { guess = $5 }
		END { if (!found && guess) print guess }'
}

# from_debian SOURCE SUITE VERSION PART: only the upstream tarball of a Debian source package. The suite need not be
# enabled on the machine: apt gets a sources list and state of its own in the cache.
from_debian() {
	local source=$1 suite=$2 version=$3 part=$4 dir=$cache/apt/$2 uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	command -v apt-get >/dev/null || { echo "no apt-get"; return 1; }
	uri=$(mirror)
	test -n "$uri" || { echo "no Debian mirror is set up on this machine"; return 1; }
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	test -r "$keyring" && signed="[signed-by=$keyring] " || signed=
	echo "deb-src $signed$uri $suite main" >"$dir/sources.list"
	local apt=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o Acquire::Retries=2
		-o APT::Sandbox::User=root)
	# Kept lists are good enough while they know the version.
	local full
	full=$(debian_version "$source" "$version" "${apt[@]}")
	if test -z "$full"; then
		apt-get "${apt[@]}" update
		full=$(debian_version "$source" "$version" "${apt[@]}")
	fi
	test -n "$full" || { echo "$suite has no $source $version"; return 1; }
	# 'URI' FILE SIZE SHA256:HASH; the packaging files beside the orig tarball are not wanted.
	local line
	line=$(apt-get "${apt[@]}" source --print-uris "$source=$full" | grep -E "\.orig\.tar\.[a-z0-9]+' ") ||
		{ echo "$source $full has no orig tarball"; return 1; }
	read -r uri _ _ hash <<<"$line"
	uri=${uri#\'}
	/usr/lib/apt/apt-helper "${apt[@]}" download-file "${uri%\'}" "$part" "$hash"
}

# debian_version SOURCE VERSION APT_OPTION...: the full Debian version (epoch, repack and revision) of an upstream version.
# "A~reallyB" is Debian's way back from A to B; "+~csN" counts the further tarballs of a source in several parts.
debian_version() {
	local source=$1 version=${2//./\\.}
	shift 2
	apt-cache "$@" showsrc --only-source "$source" 2>/dev/null |
		sed -nE "s/^Version: (([0-9]+:)?([0-9.]+~really)?$version(\+~?[a-z0-9.]+)?-.*)/\1/p" | sort -V | tail -n 1
}

fetch() (
	load "$1"
	target=$(tarball_of "$name")
	log=$cache/log/fetch-$name.log
	mkdir -p "$cache/dl" "$cache/log"
	if test -f "$target"; then
		verify "$name" "$target"
		step "$name" "$version" "source verified (cached)"
		exit 0
	fi
	: >"$log"
	for origin in $origins; do
		part=$cache/dl/$name-$version.$(printf %s "$origin" | cksum | cut -d' ' -f1).part
		case $origin in
		debian:*) IFS=: read -r _ source suite <<<"$origin"; label="Debian source $source/$suite" ;;
		*) label=$origin ;;
		esac
		echo "== $origin" >>"$log"
		if case $origin in
			debian:*) from_debian "$source" "$suite" "$version" "$part" ;;
			*) from_url "$origin" "$part" ;;
			esac >>"$log" 2>&1 </dev/null
		then
			# A file that fails must not be resumed the next time.
			verify "$name" "$part" || { code=$?; rm -f "$part"; exit $code; }
			mv "$part" "$target"
			step "$name" "$version" "source verified, from $label"
			exit 0
		fi
		step "$name" "$version" "not reached: $label"
	done
	say "error: $name $version: no origin reached; log: $log"
	say "  A copy of the tarball can also be put by hand at $target"
	exit 69
)

for package in "$@"; do fetch "$package"; done
