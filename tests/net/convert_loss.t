#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Connections through a converter on two paths that lose LOSS (1) percent of the packets and put 1 % of them out of order: payload intact, all of them ended. COUNT (20) echoes of 20 KB,
# a transfer of BULK_BYTES (2000000) each way. tests/bench/convert-loss.bench is the long form.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
stub="tests/tools/convert.py"
lab=cvo$$
c=$lab-client
v=$lab-server
d=cvod$$
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work; $bin -n $c unload --all; ip netns del $d; scripts/lab down -q $lab"
at_exit 'kill "${pids[@]}"; wait "${pids[@]}"'
command -v python3 >/dev/null || { skip "python3 is not installed" "connections through a converter"; done_testing; }

path=,loss=${LOSS:-1}%,reorder=1%
scripts/lab up $lab --path 50mbit,5ms$path --path 50mbit,10ms$path && ip netns add $d || bail "no lab"
ip link add net netns $v type veth peer name net netns $d
ip -n $v addr add 10.88.0.1/24 dev net && ip -n $v link set net up
ip -n $d addr add 10.88.0.2/24 dev net && ip -n $d link set net up
ip -n $c route add 10.88.0.0/24 via 10.77.1.2
in_ns() { local ns=$1; shift; nsenter --net=/run/netns/$ns "$@"; }
in_ns $v sysctl -qw net.ipv4.tcp_fastopen=3

# start NS CMD...: in the background, until it says that it listens
start() {
	local ns=$1 log=$work/log.${#pids[@]} i
	shift
	nsenter --net=/run/netns/$ns "$@" 2>"$log" &
	pids+=($!)
	for ((i = 0; i < 200; i++)); do grep -qE 'listening|threads' "$log" && return; sleep 0.05; done
	bail "does not start: $*"
}
start $d python3 $stub echo :: 7
start $d python3 $stub supply :: 10
start $v "$bin" converter serve listen 5000 client 10.77.0.0/16 dest 10.88.0.0/16 threads 1
ok "a converter" $bin -n $c converter add conv 10.77.1.2:5000
ok "a rule" $bin -n $c rule add peer 10.88.0.0/16 convert conv
for kind in tcp mptcp; do
	ok "$kind: echoes of 20 KB" in_ns $c timeout 300 python3 $stub app 10.88.0.2 7 $kind 20000 "${COUNT:-20}"
	ok "$kind: bulk each way" in_ns $c timeout 300 python3 $stub load 10.88.0.2 10 $kind "${BULK_BYTES:-2000000}"
done
sessions() { in_ns $v "$bin" -j converter stat port 5000 | perl -MJSON::PP -e 'my $o = decode_json(<STDIN>); print "$o->{sessions},$o->{reset}"'; }
for ((i = 0; i < 150; i++)); do [ "$(sessions)" = 0,0 ] && break; sleep 0.2; done
is "$(sessions)" 0,0 "all of them have ended, and none by a reset"
done_testing
