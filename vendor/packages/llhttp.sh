# SPDX-License-Identifier: Apache-2.0
# Balance's HTTP/1 parser. Its grammar is TypeScript, from which llparse (npm) generates C; upstream's release tarball
# holds the C already generated. Both ways must end at the same bytes, pinned in `generated`.
version=9.3.0
spdx=MIT
# Upstream's release tarball (generated C); Debian's (upstream's grammar, as tagged).
sha256="1a2b45cb8dda7082b307d336607023aa65549d6f060da1d246b1313da22b685a
	a9242958af22a424d8be7d499eb97bd2e78c6e3554c8bc01406f00d197b541f4"
license_file=LICENSE
license_sha256=ebca854e0134cd256d673627c20499f42577eb74bacf08b9f25b626a73c91277
origins="https://github.com/nodejs/llhttp/archive/refs/tags/release/v$version.tar.gz debian:llhttp:sid"
needs="musl"

# The llparse of upstream's own lock file, hence upstream's own bytes. package.json names the same version.
llparse=7.3.0
generated="33a53046b3bc81ca7d5eaffe61eb87e7bf0c9bf3ba48df6d93279a7ee03afcd3  src/llhttp.c
2c8e26df05af120323130b388d9afd102f793fba84f59f3765f018d24144eb78  src/api.c
a1f2b23168f8e9b5bfa464c89027d3ca259fc649ae3d7e72bfff997d1aeb5d72  src/http.c
c15c1952dbc6f83476aa51a7d4ed07d6c1908a754812ef27a52f726773144e27  include/llhttp.h"

# What upstream's `make release` does, without its tools: esbuild takes the types off.
generate() {
	local npm=$vendor_dir/../node_modules found
	found=$(sed -n 's/^ *"version": "\(.*\)",$/\1/p' "$npm/llparse/package.json" 2>/dev/null || :)
	if test "$found" != "$llparse"; then
		echo "llhttp is generated with the npm package llparse $llparse; found here: ${found:-none}."
		echo "Run \`make deps\` (or \`npm ci\`) at the top of the repository first."
		return 1
	fi
	NODE_PATH=$npm "$npm/.bin/esbuild" bin/generate.ts --bundle --platform=node --log-level=warning \
		--outfile=bin/generate.js
	"$npm/.bin/node" bin/generate.js
	mkdir include
	mv build/llhttp.h include/
	mv build/c/llhttp.c src/native/api.c src/native/http.c src/
}

build() {
	test -f src/llhttp.c || generate
	sha256sum -c <<<"$generated"
	# The SSE4.2 scan of header values is chosen at compile time and stays off: the ELF runs on any x86-64. The NEON one is
	# undefined on a block with nothing to stop at, as llparse 7.3.0 writes it (7.3.1 has it right, in other bytes than
	# upstream's); gcc does not define that macro for aarch64, and -U keeps any other compiler from it.
	for c in llhttp api http; do
		musl-gcc -std=gnu11 $C_FLAGS -O3 -U__ARM_NEON__ -Iinclude -c "src/$c.c" -o "$c.o"
	done
	mkdir -p "$DEST/lib" "$DEST/src" "$DEST/include"
	"$($HOST_CC -print-prog-name=ar)" rcsD "$DEST/lib/libllhttp.a" llhttp.o api.o http.o
	# The sources too: tests and fuzzers compile them with the host's compiler and sanitizers.
	cp src/llhttp.c src/api.c src/http.c "$DEST/src/"
	cp include/llhttp.h "$DEST/include/"
}
