#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# link.sh: compile our own C and link the data-plane ELF: dist/bin/hitch, and dist/bin/balance as a link to it.
. "$(dirname "$0")/lib.sh"
root=$(cd "$vendor_dir/.." && pwd)
cd "$root"
bin=${EVENER_BIN:-dist/bin}
objects=$cache/obj
TOOLCHAIN_ID=$(toolchain_id)
musl=$(prefix_of musl)
hitch_prefix=$(prefix_of hitch)
hitch=$hitch_prefix/lib/hitch.o
mimalloc=$(prefix_of mimalloc)/lib/mimalloc.o
# For measurements only: the C library's own malloc, and without some of src/dataplane.
test "${EVENER_ALLOCATOR:-mimalloc}" = mimalloc || mimalloc=
omit=" init.c ${EVENER_OMIT:-} "
llhttp=$(prefix_of llhttp)
export REALGCC=$HOST_CC objects
export cc="$musl/bin/musl-gcc"
export cflags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $C_FLAGS -I$llhttp/include -I$hitch_prefix/include -I$(prefix_of openssl)/include"
mkdir -p "$bin" "$objects"
# What was linked into this directory last; kept beside the objects, so that dist holds nothing but products.
stamp=$objects/linked-$(cd "$bin" && pwd | cksum | cut -d' ' -f1)

# Objects are kept by content, so an edit compiles what it touches and a second link with nothing new does nothing.
base=$({ echo "$cflags $musl"; cat src/balance/*.h src/dataplane/*.h; } | sha256sum)
export base
object_of() { echo "$objects/$({ echo "$base"; cat "$1"; } | sha256sum | cut -c1-24)-$(basename "$1" .c).o"; }
# An object is kept only if its source stayed the same meanwhile: people edit while others build.
compile() {
	test ! -f "$2" || return 0
	$cc $cflags -Isrc/balance -c "$1" -o "$2.$$" || return
	if test "$(object_of "$1")" != "$2"; then
		rm -f "$2.$$"
		echo "$1 changed while it was compiled: run this again" >&2
		return 1
	fi
	mv "$2.$$" "$2"
}
export -f object_of compile

sources=()
for c in src/balance/*.c; do
	case ${c##*/} in
	*_test.c | fuzz_*.c) ;;
	*) sources+=("$c") ;;
	esac
done
balance=() pairs=()
for c in "${sources[@]}"; do
	o=$(object_of "$c")
	balance+=("$o")
	pairs+=("$c" "$o")
done
# Beside the dispatcher, what stands in for system calls in Hitch. The image's init is a program of its own (init.sh).
glue=() glue_pairs=()
for c in src/dataplane/*.c; do
	case $omit in *" ${c##*/} "*) continue ;; esac
	o=$(object_of "$c")
	glue+=("$o")
	glue_pairs+=("$c" "$o")
done

# Nothing changed since the last link?
key=$(echo "$LD_FLAGS ${EVENER_LINK_EXTRA:-} $hitch $mimalloc $llhttp ${glue[*]} ${balance[*]}" | cat - "$vendor_dir/link.sh" | sha256sum)
if test -x "$bin/hitch" && test "$bin/balance" -ef "$bin/hitch" && test "$(cat "$stamp" 2>/dev/null)" = "$key"; then
	step evener "" "$bin/hitch is up to date"
	exit 0
fi

# shellcheck disable=SC2016 # for the inner shell
printf '%s\0' "${pairs[@]}" "${glue_pairs[@]}" |
	xargs -0 -n 2 -P "$JOBS" bash -c 'compile "$1" "$2" || exit 255' compile ||
	die "src/balance does not compile"
work=$(mktemp -d "$cache/link.XXXXXX")
trap 'rm -rf "$work"' EXIT
seal balance_main "$work/balance.o" "${balance[@]}" "$llhttp/lib/libllhttp.a"
# Hitch's half of the ELF takes Balance in as a guest (src/balance/guest.h).
# shellcheck disable=SC2046 # words
"$($HOST_CC -print-prog-name=objcopy)" $(printf -- '--globalize-symbol=guest_%s ' join wait_ms turn is_busy open send recv close) "$work/balance.o"
"$cc" $LD_FLAGS ${EVENER_LINK_EXTRA:-} -o "$work/elf" "${glue[@]}" "$hitch" "$work/balance.o" $mimalloc ||
	die "linking failed"

# The allocator must be mimalloc for every caller. libc's own one would be a second heap, and nothing would say so.
nm=$($HOST_CC -print-prog-name=nm)
address() { "$nm" "$work/elf" | awk -v s="$1" '$3 == s { print $1 }'; }
if test -n "$mimalloc" && { test -z "$(address mi_malloc)" || test "$(address malloc)" != "$(address mi_malloc)"; }; then
	die "malloc in the linked ELF is not mimalloc's"
fi

# With names, for profilers.
test -z "${EVENER_SYMBOLS:-}" || cp "$work/elf" "$EVENER_SYMBOLS"

# By rename: a running hitch keeps the file it was started from, and nobody sees half a file.
"$($HOST_CC -print-prog-name=strip)" -o "$bin/.hitch.$$" "$work/elf"
ln "$bin/.hitch.$$" "$bin/.balance.$$"
mv "$bin/.hitch.$$" "$bin/hitch"
mv "$bin/.balance.$$" "$bin/balance"
echo "$key" >"$stamp"
find "$objects" -type f -mtime +7 -delete
step evener "" "linked $bin/hitch ($(stat -c %s "$bin/hitch") bytes) and $bin/balance"
