#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run-unit.sh PROGRAM...: run each unit test; say what failed, with its output.
set -eu -o pipefail
failed=0 tests=0
for program in "$@"; do
	if out=$("$program" 2>&1); then
		# cmocka's last words: "[  PASSED  ] N test(s)."
		n=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' <<<"$out")
		tests=$((tests + n))
		printf '  ok     %-16s %3s tests\n' "$(basename "$program")" "$n"
	else
		failed=1
		printf '%s\n' "$out" | grep -v '^\[ RUN\|^\[       OK' | tail -n 60
		printf '  FAILED %s\n' "$program" >&2
	fi
done
test "$failed" = 0
echo "balance: $tests unit tests passed under ASan and UBSan"
