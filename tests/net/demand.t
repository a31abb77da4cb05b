#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Costly paths on demand: nothing goes by one while the cheap path works; it is opened when that dies, or is worse than the bounds, and closed again after.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=de$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow)) calm_s=1)
subflows() { [ "$(look client 'scalar @{$c->{subflows}}')" = "$1" ]; }

up --path 20mbit,10ms --path 20mbit,20ms
agent client demand=1
sleep 1.5
ok "without costs nothing is done" test ! -s "$work/agent.out"
ok "path 2 costs more" mb path add dev path2 cost 10
ok "its endpoint goes" until_true lacks 10.77.2.1
ok "which is told" until_true told parked 10.77.2.1
begin 10.77.1.2 5001 -r 300000 -d 600
ok "data arrive" going 5001
ok "by one path" subflows 1
path 1 down
ok "path 1 dies: path 2 is opened" until_true told opened 10.77.2.1
ok "and path 1 left" until_true lacks 10.77.1.1
ok "data arrive" going 5001
path 1 up
ok "path 1 works again" until_true has 10.77.1.1 1
ok "path 2 is closed" until_true lacks 10.77.2.1
ok "data arrive" going 5001
ok "by one path" until_true subflows 1
agent_end KILL
agent client
ok "the agent is killed; one without costs on its mind puts the endpoint back" until_true has 10.77.2.1 2
agent_end TERM
agent client demand=1 poor_rtt_ms=2
ok "closed anew" until_true told parked 10.77.2.1
ok "a round trip longer than the bound: opened" until_true told opened 10.77.2.1 poor
ok "and joined" until_true subflows 2
agent_end TERM
ok "the agent ends: it is as it was" has 10.77.2.1 2
agent client demand=1 poor_loss=20
ok "closed again" until_true told parked 10.77.2.1
begin 10.77.1.2 5002 -r 2000000 -d 600 # of few bytes no loss is told
path 1 loss=6%
ok "more is lost than the bound: opened" until_true told opened 10.77.2.1 'loss \([2-9]\|[0-9][0-9]\)'
path 1 loss=0%
ok "no more: closed" until_true lacks 10.77.2.1
agent_end TERM
ok "the agent ends: it is as it was" has 10.77.2.1 2
stop 5001 5002
ok "the payload is whole" finish 5001
ok "of both" finish 5002
mb unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
