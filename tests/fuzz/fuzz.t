#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every fuzzer for FUZZ_SECONDS (20; 0: its corpus only), two at a time, on its corpus, what once broke it, and for objects those that were built.
# Inputs that crash, hang or leak stay in build/fuzz-artifacts/NAME and are tried again by the next run; fixed ones belong into tests/fuzz/corpus/NAME.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
seconds=${FUZZ_SECONDS:-20}
kept=$PWD/build/fuzz-artifacts
work=$(mktemp -d)
at_exit "rm -rf $work"
declare -A names # of the running, by process
# shellcheck disable=SC2016
at_exit 'kill "${!names[@]}"; wait'
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

# start FUZZER
start() {
	local name=${1##*/} limit=-max_total_time=$seconds
	local dir=$work/$name

	[ "$seconds" != 0 ] || limit=-runs=0
	mkdir -p "$dir/new" "$dir/built" "$kept/$name" "tests/fuzz/corpus/$name"
	[ "$name" != fuzz_object ] || cp build/bpf/*/*.bpf.o build/tests/fuzz/seed/*.bpf.o "$dir/built"
	"$1" "$limit" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$kept/$name/" \
		"$dir/new" "tests/fuzz/corpus/$name" "$kept/$name" "$dir/built" >"$dir/log" 2>&1 </dev/null &
	names[$!]=$name
}

# stat NAME KEY: a figure of libFuzzer's
stat() { sed -n "s/^stat::$2: *//p" "$work/$1/log" | tail -n 1; }

# finish: waits for one fuzzer and reports it
finish() {
	local pid status name log

	wait -n -p pid "${!names[@]}"
	status=$?
	name=${names[$pid]}
	unset "names[$pid]"
	log=$work/$name/log
	is "exit $status" "exit 0" "$name: $(stat "$name" number_of_executed_units) runs, $(stat "$name" average_exec_per_sec) a second, $(stat "$name" new_units_added) new units"
	if [ "$status" = 0 ]; then
		sed -n 's/^#[0-9]*\tDONE */# /p' "$log"
	else
		grep -vE '^(INFO|#[0-9]+|NEW_FUNC|stat)' "$log" | head -n 60 | sed 's/^/# /'
		find "$kept/$name" -type f -printf '# kept: %p\n'
	fi
}

[ -x build/tests/fuzz/fuzz_option ] || bail "no fuzzers: make tests"
for fuzzer in build/tests/fuzz/fuzz_*; do
	[[ -x $fuzzer && $fuzzer != *.* ]] || continue
	[ ${#names[@]} -lt 2 ] || finish
	start "$fuzzer"
done
while [ ${#names[@]} -gt 0 ]; do finish; done
done_testing
