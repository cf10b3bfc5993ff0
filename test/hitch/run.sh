#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh HITCH [TEST...]: Hitch's own test suite, unmodified, against the built program. Every test gets mount, network
# and process namespaces of its own: the suite wants a web server named hitch-tls.org on port 80, and picks its ports
# by process number. Skips must be explained in skips.txt.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# Inside the namespaces: one test.
if test "${1:-}" = --inside; then
	work=$2 name=$3
	export TESTDIR=$work/hitch/src/tests/ TMPDIR=$work/tmp PATH=$work/hitch/src/tests:$work/bin:$PATH
	mount --bind "$work/hosts" /etc/hosts
	ip link set lo up
	"${NODE:-node}" "$here/backend.mjs" &
	for _ in $(seq 100); do
		: 2>/dev/null >/dev/tcp/127.0.0.1/80 && break
		sleep 0.05
	done 2>/dev/null
	cd "$TESTDIR"
	# Not exec: this shell is the namespace's process 1 and must reap the daemons the test starts and waits for.
	code=0
	timeout --kill-after=5 60 sh "./$name" || code=$?
	exit $code
fi

hitch=$(realpath "$1")
shift
isolate=(unshare --mount --net --pid --fork --kill-child --mount-proc)
if ! "${isolate[@]}" true; then
	echo "error: this test needs private mount and network namespaces (unshare), which are not permitted here" >&2
	exit 1
fi
# shellcheck source=vendor/lib.sh
. "$here/../../vendor/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/hitch" "$work/bin" "$work/log" "$work/tmp"
"$here/../../vendor/fetch.sh" hitch
tar -xf "$(tarball_of hitch)" -C "$work/hitch" --strip-components=1 --no-same-owner
ln -s "$hitch" "$work/bin/hitch"
# The suite's helper reads a PROXY header of up to BUFSIZ bytes: the host's C library has room for a client
# certificate in it (test39), musl's 1024 bytes are too few.
"$HOST_CC" -w -I"$work/hitch/src" -I"$(prefix_of openssl)/include" -o "$work/bin/parse_proxy_v2" \
	"$work/hitch/src/util/parse_proxy_v2.c"
# test08 reads the example configuration, which upstream's make cuts out of the manual page in just this way.
sed -e '1,/^.. example-start/d' -e '/.. example-end/,$d' -e '/^[^ ]/d' -e 's/^    //' \
	"$work/hitch/hitch.conf.man.rst" >"$work/hitch/hitch.conf.example"
# test07 looks for --resolve in what curl --help says, which today's curl only lists under "all".
cat >"$work/bin/curl" <<END
#!/bin/sh
test "\$*" = --help && set -- --help all
exec "$(command -v curl)" "\$@"
END
chmod +x "$work/bin/curl"
printf '%s\n' '127.0.0.1 localhost hitch-tls.org' '::1 localhost' >"$work/hosts"

cd "$work/hitch/src/tests"
tests=("$@")
test $# -gt 0 || tests=(test*.sh)
one() {
	code=0 start=$SECONDS
	"${isolate[@]}" "$here/run.sh" --inside "$work" "$1" >"$work/log/$1" 2>&1 </dev/null || code=$?
	echo "$code" >"$work/log/$1.code"
	echo "exit $code after $((SECONDS - start)) s" >>"$work/log/$1"
}
# The tests mostly sleep, so several at once fit one core.
running=0
for t in "${tests[@]}"; do
	one "$t" &
	running=$((running + 1))
	if test $running -ge 4; then
		wait -n
		running=$((running - 1))
	fi
done
wait

# Kept after the run: what a failure leaves behind.
logs=$cache/log/test-hitch
rm -rf "$logs"
cp -r "$work/log" "$logs"
passed=0 failed=0 skipped=0
for t in "${tests[@]}"; do
	reason=$(sed -n "s/^$t  *//p" "$here/skips.txt")
	case $(cat "$work/log/$t.code") in
	0)
		echo "ok    $t"
		passed=$((passed + 1))
		;;
	77)
		if test -n "$reason"; then
			echo "skip  $t: $reason"
			skipped=$((skipped + 1))
		else
			echo "FAIL  $t: skipped without an entry in skips.txt: $(grep -a -m 1 '^SKIP' "$work/log/$t")"
			failed=$((failed + 1))
		fi
		;;
	*)
		echo "FAIL  $t (end of the log; all of it: $logs/$t)"
		tail -n 30 "$work/log/$t" | sed 's/^/      /'
		failed=$((failed + 1))
		;;
	esac
done
echo "$passed passed, $failed failed, $skipped skipped"
test $failed = 0
