#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nothing stays: programs, maps, links, pins, qdiscs and sysctls before and after ROUNDS rounds (default 400) of load and unload, KILLS of them (default 50)
# killed with SIGKILL at a random moment.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
ns=leak$$
rounds=${ROUNDS:-400}
kills=${KILLS:-50}
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
ip netns add $ns || bail "no network namespaces"
for i in 0 1 2; do
	ip link add v$i netns $ns type veth peer name w$i netns $ns
	ip -n $ns link set v$i up
	ip -n $ns link set w$i up
done

# What the system holds; the kernel frees programs and maps some time after their last reference. Loaders that live in bpftool itself are left out.
state() {
	bpftool prog show | grep -o ' name [a-z_0-9]*'
	bpftool map show | grep -v pid_iter | grep -o ' name [a-z_0-9.]*'
	bpftool link show 2>/dev/null | grep -o '^[0-9]*: [a-z_]*' | cut -d: -f2
	tc -n $ns qdisc show
	nsenter --net=/run/netns/$ns sysctl -a 2>/dev/null | grep -E '^net\.(mptcp|ipv4\.tcp)' | grep -v 'tcp_mem\|tcp_fastopen_key'
	find /sys/fs/bpf -mindepth 1
}
# Nothing there that was not there before (that somebody else's went is not our business).
settled() {
	for _ in $(seq 50); do
		state | sort >"$work/after"
		[ -z "$(comm -13 "$work/before" "$work/after")" ] && return 0
		sleep 0.2
	done
	comm -13 "$work/before" "$work/after"
	return 1
}

$bin -n $ns load opt_count hook xdp && $bin -n $ns unload --all || bail "cannot load" # mounts bpffs where it was not, and libxdp makes its directory
sleep 2
state | sort >"$work/before"

policies=(opt_count prio_strip prio_pin addr_hide)
bad=0
RANDOM=${SEED:-$$}
echo "# seed $RANDOM"
for ((i = 0; i < rounds; i++)); do
	p=${policies[RANDOM % 4]}
	hide=""
	hook=tcx
	case $((RANDOM % 4)) in
	0) hook=xdp ;;
	1) hide=tcx ;;
	esac
	if ((i % (rounds / kills) == 0)); then
		MPTCP_BPF_HIDE=$hide $bin -n $ns load $p hook $hook dev v0,v1,v2 2>/dev/null &
		pid=$!
		perl -e "select undef, undef, undef, rand 0.06"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		# Half of the kills are followed by a killed unload.
		if ((RANDOM % 2)); then
			$bin -n $ns unload --all 2>/dev/null &
			pid=$!
			perl -e "select undef, undef, undef, rand 0.04"
			kill -KILL $pid 2>/dev/null
			wait $pid 2>/dev/null
		fi
		$bin -n $ns unload --all || bad=$((bad + 1))
	else
		MPTCP_BPF_HIDE=$hide $bin -n $ns load $p hook $hook dev v0,v1 && $bin -n $ns unload --all || bad=$((bad + 1))
	fi
done 2>"$work/err"
is $bad 0 "$rounds rounds, $kills of them killed: every load and unload that was let live worked"
[ $bad = 0 ] || sed 's/^/# /' "$work/err" | head
ok "programs, maps, links, pins, qdiscs and sysctls are what they were" settled

# Two calls at once are serialised: of twenty loads of one policy, one wins.
won=0
pids=()
for _ in $(seq 20); do
	$bin -n $ns load opt_count 2>>"$work/race" &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" && won=$((won + 1)); done
is $won 1 "twenty loads at once: one wins"
is "$(grep -c 'loaded already' "$work/race")" 19 "the others are told why"
ok "unload" $bin -n $ns unload --all
ok "and again nothing is left" settled
done_testing
