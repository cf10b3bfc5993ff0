#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run-fuzz.sh SECONDS PROGRAM...: run fuzz targets at the same time, each on its seeds (test/balance/fuzz/corpus/NAME/) and on what
# earlier runs found (dist/test/corpus/NAME/). A finding fails the run; its input is kept, and its path printed. The same program
# sees the same inputs each time, so that a failure speaks of the change; FUZZ_SEED=0 goes where none has been.
set -eu -o pipefail
seconds=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
declare -A running=()
for program in "$@"; do
	name=$(basename "$program")
	work=$(dirname "$(dirname "$program")")
	mkdir -p "$work/corpus/$name" "$work/findings"
	seeds=()
	if test -d "$here/fuzz/corpus/$name"; then seeds=("$here/fuzz/corpus/$name"); fi
	"$program" -seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$work/findings/$name-" "$work/corpus/$name" "${seeds[@]}" >"$work/$name.log" 2>&1 &
	running[$name]=$!
done
failed=0
for name in "${!running[@]}"; do
	if wait "${running[$name]}"; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
		printf '  ok     %-16s %s inputs in %s s\n' "$name" "$runs" "$seconds"
	else
		failed=1
		tail -n 60 "$work/$name.log" >&2
		echo "  FAILED $name; the input is in: $(sed -n 's/.*Test unit written to //p' "$work/$name.log")" >&2
		echo "         again with: $work/fuzz/$name INPUT" >&2
	fi
done
exit "$failed"
