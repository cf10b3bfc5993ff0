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
hitch=$(prefix_of hitch)/lib/hitch.o
mimalloc=$(prefix_of mimalloc)/lib/mimalloc.o
export REALGCC=$HOST_CC objects
export cc="$musl/bin/musl-gcc"
export cflags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror $C_FLAGS"
mkdir -p "$bin" "$objects"
# What was linked into this directory last; kept beside the objects, so that dist holds nothing but products.
stamp=$objects/linked-$(cd "$bin" && pwd | cksum | cut -d' ' -f1)

# Objects are kept by content, so an edit compiles what it touches and a second link with nothing new does nothing.
base=$({ echo "$cflags $musl"; cat src/balance/*.h; } | sha256sum)
export base
object_of() { echo "$objects/$({ echo "$base"; cat "$1"; } | sha256sum | cut -c1-24)-$(basename "$1" .c).o"; }
compile() {
	# shellcheck disable=SC2086 # cflags is a list
	test -f "$2" || { $cc $cflags -Isrc/balance -c "$1" -o "$2.$$" && mv "$2.$$" "$2"; }
}
export -f compile

sources=()
for c in src/balance/*.c; do
	test -f src/balance/main.c || { say "src/balance/main.c is missing: linking without Balance"; break; }
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
dispatch=$(object_of src/dataplane/dispatch.c)

# Nothing changed since the last link?
key=$(echo "$LD_FLAGS $hitch $mimalloc $dispatch ${balance[*]}" | cat - "$vendor_dir/link.sh" | sha256sum)
if test -x "$bin/hitch" && test "$bin/balance" -ef "$bin/hitch" && test "$(cat "$stamp" 2>/dev/null)" = "$key"; then
	step evener "" "$bin/hitch is up to date"
	exit 0
fi

printf '%s\0' "${pairs[@]}" src/dataplane/dispatch.c "$dispatch" |
	xargs -0 -n 2 -P "$JOBS" bash -c 'compile "$1" "$2" || exit 255' compile ||
	die "src/balance does not compile"
work=$(mktemp -d "$cache/link.XXXXXX")
trap 'rm -rf "$work"' EXIT
if test ${#balance[@]} = 0; then
	echo 'int balance_main(int c, char **v) { (void)c; (void)v; return 69; }' | "$cc" -x c -c -o "$work/stub.o" -
	balance=("$work/stub.o")
fi
seal balance_main "$work/balance.o" "${balance[@]}"
# shellcheck disable=SC2086 # LD_FLAGS is a list
"$cc" $LD_FLAGS -Wl,-Map="$work/map" -o "$work/elf" "$dispatch" "$hitch" "$work/balance.o" "$mimalloc" ||
	die "linking failed"

# The allocator must be mimalloc for every caller. libc's own one would be a second heap, and nothing would say so.
nm=$($HOST_CC -print-prog-name=nm)
address() { "$nm" "$work/elf" | awk -v s="$1" '$3 == s { print $1 }'; }
test -n "$(address mi_malloc)" && test "$(address malloc)" = "$(address mi_malloc)" ||
	die "malloc in the linked ELF is not mimalloc's"

"$($HOST_CC -print-prog-name=strip)" -o "$work/stripped" "$work/elf"
# By rename: a running hitch keeps the file it was started from.
mv "$work/stripped" "$bin/hitch"
ln -f "$bin/hitch" "$bin/balance"
echo "$key" >"$stamp"
find "$objects" -type f -mtime +7 -delete
step evener "" "linked $bin/hitch ($(stat -c %s "$bin/hitch") bytes) and $bin/balance"
