# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# For the benchmarks of congestion control: a lab of their own, flows in it, and how many bytes the receiver acknowledged. CCS lists those to compare (uncoupled
# cubic and reno among them), ROUNDS how often each, SECONDS_EACH how long a run.
cd "$(dirname "$0")/../.." || exit 1
bin=${MPTCP_BPF:-build/mptcp-bpf}
ccs=${CCS:-lia olia balia wvegas reno cubic}
seconds=${SECONDS_EACH:-75}
lab=cc$$
flows=()
p=5000 # of this run; those of the last run linger

end() {
	kill "${flows[@]}" 2>/dev/null
	for cc in $ccs; do $bin -n $lab-client unload "$cc" 2>/dev/null; done
	scripts/lab down -q $lab
}
skip() {
	echo "# $1"
	exit 77
}

# lab_up PATH...: and the policies among $ccs loaded in the client's namespace.
lab_up() {
	local specs=() spec
	for spec; do specs+=(--path "$spec"); done
	trap end EXIT
	trap 'exit 130' INT TERM
	scripts/lab up $lab "${specs[@]}" || skip "no lab"
	in_client sysctl -qw net.ipv4.tcp_no_metrics_save=1
	for cc in $ccs; do
		grep -qw "$cc" /proc/sys/net/ipv4/tcp_available_congestion_control && continue
		$bin -n $lab-client load "$cc" || skip "$cc: not to be had"
	done
}
in_client() { nsenter --net=/run/netns/$lab-client "$@"; }
in_server() { nsenter --net=/run/netns/$lab-server "$@"; }

# flow PORT SECONDS OPTION... ADDR: a sender, and its receiver.
flow() {
	local port=$1 for=$2 n
	shift 2
	in_server build/tests/mpio recv "${@: -1}" "$port" >/dev/null 2>&1 &
	flows+=($!)
	for n in {1..100}; do in_server ss -tlnH "sport = :$port" | grep -q . && break; sleep 0.02; done
	in_client build/tests/mpio send -d "$for" "${@:1:$#-1}" "${@: -1}" "$port" >/dev/null 2>&1 &
	flows+=($!)
}
stop_flows() {
	kill -KILL "${flows[@]}" 2>/dev/null
	wait "${flows[@]}" 2>/dev/null
	flows=()
	p=$((p + 10))
	sleep 1
}

# acked PORT [WHERE]: bytes acknowledged so far of all sockets to PORT; WHERE is a further filter of ss.
acked() { in_client ss -tniH "dport = :$1" ${2:+and $2} | grep -o 'bytes_acked:[0-9]*' | awk -F: '{ n += $2 } END { print n + 0 }'; }

# running PORT CC N: N subflows to PORT are there, and all run CC.
running() {
	local n
	for n in {1..100}; do
		[ "$(in_client ss -tniH "dport = :$1" | grep -cw "$2.*cwnd")" = "$3" ] && return 0
		sleep 0.05
	done
	echo "# port $1: not $3 subflows of $2" >&2
	return 1
}
sample() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", b ? a / b : 0 }'; }
