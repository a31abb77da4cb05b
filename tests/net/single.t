#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# One path at a time: a path that dies is left before a costly one is opened, that is closed before the first one is taken up again, and the connection, which
# has no subflow in between, goes on with its payload whole.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=sg$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow)) demand=1 single=1 calm_s=1)
from() { client ss -tnH state established "dport = :$1" | awk '{ sub(/[%:].*/, "", $3); print $3 }' | grep -qxF "$2"; } # PORT ADDRESS
order() { grep -o '"event":"[a-z]*"\|"address":"10[0-9.]*"' "$work/agent.out" | cut -d'"' -f4 | paste -sd' ' | grep -oE '[a-z]+ 10[0-9.]+' | paste -sd,; }

up --path 20mbit,10ms --path 20mbit,20ms
if ! client test -e /proc/sys/net/mptcp/close_timeout; then
	skip_known "this kernel does not keep a connection without subflows" "one path at a time"
	done_testing
fi
ok "path 2 costs more" mb path add dev path2 cost 10
agent client
ok "it is closed" until_true told parked 10.77.2.1
begin 10.77.1.2 5001 -r 300000 -d 600
ok "data arrive" going 5001
path 1 down
ok "path 1 dies: it is left" until_true told evacuated 10.77.1.1 'silent for'
ok "the connection goes on from path 2" until_true from 5001 10.77.2.1
ok "data arrive" going 5001
is "$(order)" "parked 10.77.2.1,evacuated 10.77.1.1,opened 10.77.2.1" "first one is left, then the other is opened"
path 1 up
ok "path 1 works again" until_true told returned 10.77.1.1
ok "the connection goes on from there" until_true from 5001 10.77.1.1
ok "data arrive" going 5001
ok "path 2 is closed" lacks 10.77.2.1
is "$(order | cut -d, -f4-)" "parked 10.77.2.1,returned 10.77.1.1" "which came first"
agent_end TERM
ok "the agent ends: it is as it was" has 10.77.2.1 2
agent client poor_rtt_ms=2 calm_s=3600
ok "closed anew" until_true told parked 10.77.2.1
ok "path 1 is poor: it is left" until_true told evacuated 10.77.1.1 poor
ok "the connection goes on from path 2" until_true from 5001 10.77.2.1
ok "data arrive" going 5001
ok "path 1 works, but only just: it is not taken up" lacks 10.77.1.1
over 5001
done_testing
