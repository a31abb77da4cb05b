#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Connections through a converter on two paths that lose LOSS (1) percent of the packets and put 1 % of them out of order: payload intact, all of them ended; destinations that speak first; and MPTCP that falls back to TCP
# since the segments with the client's key get lost. COUNT (20) echoes of 20 KB,
# a transfer of BULK_BYTES (2000000) each way. tests/bench/convert-loss.bench is the long form.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/converter.sh
lab=cvo$$
c=$lab-client
v=$lab-server
d=cvod$$
at_exit "$bin -n $c unload --all; ip netns del $d; scripts/lab down -q $lab"
at_exit 'kill "${pids[@]}"; wait'

path=,loss=${LOSS:-1}%,reorder=1%
scripts/lab up $lab --path 50mbit,5ms$path --path 50mbit,10ms$path && ip netns add $d || bail "no lab"
link $v net $d net 88
ip -n $c route add 10.88.0.0/24 via 10.77.1.2
in_ns $v sysctl -qw net.ipv4.tcp_fastopen=3

destinations $d
start $d python3 $stub greet :: 11
start $v "$bin" converter serve listen 5000 client 10.77.0.0/16 dest 10.88.0.0/16 threads 1 $tcp
ok "a converter" $bin -n $c converter add conv 10.77.1.2:5000 bypass 0
ok "a rule" $bin -n $c rule add peer 10.88.0.0/16 convert conv
for kind in tcp mptcp; do
	ok "$kind: a destination that speaks first" in_ns $c timeout 300 python3 $stub greeted 10.88.0.2 11 $kind 10
	ok "$kind: echoes of 20 KB" in_ns $c timeout 300 python3 $stub app 10.88.0.2 7 $kind 20000 "${COUNT:-20}"
	ok "$kind: bulk each way" in_ns $c timeout 300 python3 $stub load 10.88.0.2 10 $kind "${BULK_BYTES:-2000000}"
done
if [ ! "$mptcp" ]; then
	skip "mptcp_fastopen" "mptcp that falls back to TCP"
elif in_ns $v nft 'table ip t { chain c { type filter hook prerouting priority raw; tcp flags & (syn|ack) == ack tcp option mptcp subtype 0 drop; }; }' 2>/dev/null; then
	for bytes in 1000 20000; do ok "mptcp that falls back to TCP: echoes of $bytes bytes" in_ns $c timeout 300 python3 $stub app 10.88.0.2 7 mptcp $bytes 5; done
	fallen=$(in_ns $v nstat -asz MPTcpExtMPCapableDataFallback | awk '/Fallback/ { print $2 }')
	if [ "$fallen" ]; then ok "it did" test "$fallen" -ge 10; else skip "the counter MPTcpExtMPCapableDataFallback" "whether it did"; fi
else
	skip "no nftables here" "mptcp that falls back to TCP"
fi
ok "all of them have ended" ended
is "$(counted reset)" 0 "and none by a reset"
done_testing
