# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# TAP for tests in bash. Source it, and end with done_testing.
tap_n=0
tap_failed=0
tap_exits=()
slow=${SLOW:-1} # how many times longer all may last, and transfers do: an emulation takes its time

# at_exit CMD: run CMD at the end, last first, whatever ends the test.
at_exit() { tap_exits+=("$1"); }
tap_end() {
	local i
	trap '' INT TERM
	for ((i = ${#tap_exits[@]} - 1; i >= 0; i--)); do (eval "${tap_exits[i]}") >/dev/null 2>&1; done
}
trap tap_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tap_result() {
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n - $2"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_n - $2"
	fi
}

# ok DESC CMD...: the command succeeds; its output is shown if it does not.
ok() {
	local desc=$1 out status
	shift
	out=$("$@" 2>&1 </dev/null)
	status=$?
	tap_result $status "$desc"
	[ $status = 0 ] || printf '# %s\n' "exit $status of: $*" "${out//$'\n'/$'\n# '}"
}

# until_true CMD...: within 20 s, SLOW times
until_true() {
	local end=$((SECONDS + 20 * slow))
	while [ $SECONDS -lt $end ]; do "$@" >/dev/null 2>&1 </dev/null && return; sleep 0.05; done
	return 1
}

# todo REASON DESC CMD...: what is known to fail, and why; it fails no test.
todo() {
	local reason=$1 desc=$2
	shift 2
	tap_n=$((tap_n + 1))
	if "$@" >/dev/null 2>&1 </dev/null; then echo "ok $tap_n - $desc # TODO $reason"; else echo "not ok $tap_n - $desc # TODO $reason"; fi
}

# is GOT WANT DESC
is() {
	if [ "$1" = "$2" ]; then tap_result 0 "$3"; else
		tap_result 1 "$3"
		printf '# got:  %s\n# want: %s\n' "${1//$'\n'/$'\n# '}" "${2//$'\n'/$'\n# '}"
	fi
}

# within GOT WANT PERCENT DESC: GOT is WANT to within PERCENT of it.
within() {
	if awk -v g="$1" -v w="$2" -v p="$3" 'BEGIN { d = g - w; if (d < 0) d = -d; exit !(d <= w * p / 100) }'; then tap_result 0 "$4"; else
		tap_result 1 "$4"
		printf '# got %s, want %s to within %s %%\n' "$1" "$2" "$3"
	fi
}

# skip REASON DESC: fails where every feature is expected; skip_known where this host is known to lack it.
skip() {
	if [ "${MPTCP_BPF_EXPECT_ALL:-0}" = 1 ]; then tap_result 1 "$2 (expected here, but: $1)"; else skip_known "$@"; fi
}
skip_known() {
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $2 # SKIP $1"
}

bail() {
	echo "Bail out! $*"
	exit 1
}

done_testing() {
	echo "1..$tap_n"
	[ $tap_failed = 0 ]
	exit
}
