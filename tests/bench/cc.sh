# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# For the benchmarks of congestion control: a lab for each run (what a flow that was killed leaves in flight would meet the next one), flows in it, and how many
# bytes the receiver acknowledged. CCS lists those to compare, uncoupled reno and cubic among them, ROUNDS how often each, SECONDS_EACH how long a run.
cd "$(dirname "$0")/../.." || exit 1
bin=${MPTCP_BPF:-build/mptcp-bpf}
ccs=${CCS:-lia olia balia wvegas reno cubic}
export seconds=${SECONDS_EACH:-75}
lab=cc$$
flows=()

lab_down() {
	kill -KILL "${flows[@]}" 2>/dev/null
	wait "${flows[@]}" 2>/dev/null
	flows=()
	[ ! -e /run/netns/$lab-client ] || $bin -n $lab-client unload --all
	scripts/lab down -q $lab
}
trap lab_down EXIT
trap 'exit 130' INT TERM

skip() {
	echo "# $1"
	exit 77
}

# lab_up CC PATH...: a policy of ours is loaded in the client's namespace.
lab_up() {
	local specs=() spec cc=$1
	for spec in "${@:2}"; do specs+=(--path "$spec"); done
	scripts/lab up $lab "${specs[@]}" || skip "no lab"
	sleep 1
	in_client sysctl -qw net.ipv4.tcp_no_metrics_save=1
	if [ -e "bpf/cc/$cc.bpf.c" ]; then
		$bin -n $lab-client load "$cc"
	elif [ -e "build/tests/bench/$cc.bpf.o" ]; then
		$bin -n $lab-client load "build/tests/bench/$cc.bpf.o"
	else
		grep -qw "$cc" /proc/sys/net/ipv4/tcp_available_congestion_control
	fi || skip "$cc: not to be had"
}
in_client() { nsenter --net=/run/netns/$lab-client "$@"; }
in_server() { nsenter --net=/run/netns/$lab-server "$@"; }

# flow PORT OPTION... ADDR: a sender, and its receiver, until the lab goes down.
flow() {
	local port=$1
	nsenter --net=/run/netns/$lab-server build/tests/mpio recv "${@: -1}" "$port" >/dev/null 2>&1 &
	flows+=($!)
	for _ in {1..100}; do in_server ss -tlnH "sport = :$port" | grep -q . && break; sleep 0.02; done
	nsenter --net=/run/netns/$lab-client build/tests/mpio send -d 10000 "${@:2:$#-2}" "${@: -1}" "$port" >/dev/null 2>&1 &
	flows+=($!)
}

# acked PORT [WHERE]: bytes acknowledged so far of all sockets to PORT; WHERE is a further filter of ss.
acked() { in_client ss -tniH "dport = :$1" ${2:+and $2} | grep -o 'bytes_acked:[0-9]*' | awk -F: '{ n += $2 } END { printf "%.0f", n }'; }

# running PORT CC: two subflows to PORT are there, and both run CC. Now and then the kernel does not join the second one.
running() {
	for _ in {1..100}; do
		[ "$(in_client ss -tniH "dport = :$1" | grep -cw "$2.*cwnd")" = 2 ] && return 0
		sleep 0.05
	done
	echo "# $2: not on two subflows; once more" >&2
	return 1
}

# rounds RUN: RUN CC in turns, each until it succeeds, ROUNDS times; `each_round`, where there is one, comes before.
rounds() {
	local round cc
	for ((round = 0; round < ${ROUNDS:-5}; round++)); do
		[ "$(type -t each_round)" != function ] || each_round
		for cc in $ccs; do
			until "$1" "$cc"; do lab_down; done
		done
	done
}
sample() {
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"
	echo "$1: $4 $2" >&2 # at once, since a run takes over a minute
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", b ? a / b : 0 }'; }
