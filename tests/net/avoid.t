#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# New connections do not begin on a path that is known to be dead: to a peer that a path has just died to, or whose first SYN was not answered there. What has
# chosen its address, and other peers, are not concerned; and they begin there again when it works.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=av$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow)))
from() { client ss -tnH state established "dport = :$1" | awk '{ sub(/:.*/, "", $3); print $3 }' | grep -qxF "$2"; } # PORT ADDRESS
by() { ip -n $lab-client route get "$1" ipproto tcp dport 80 "${@:3}" | grep -q " dev $2 "; } # PEER DEV ARGS...
rules() { ip -n $lab-client rule | wc -l; }
retried() { grep -c '"event":"retried"' "$work/agent.out"; }

up --path 20mbit,10ms --path 20mbit,20ms
client sysctl -qw net.mptcp.blackhole_timeout=0 2>/dev/null # else a late SYN without MP_CAPABLE ends MPTCP for an hour
before=$(rules)
agent client syn_ms=5000 # for SYNs that are answered, however slowly
begin 10.77.1.2 5001 -r 100000 -d 100
ok "two subflows" until_true joined
ok "routes lead by path 1" by 10.77.1.2 path1
path 1 down
ok "path 1 dies" until_true told evacuated 10.77.1.1 'silent for'
ok "to this peer they lead by path 2" until_true by 10.77.1.2 path2
ok "not to another" by 10.77.1.3 path1
ok "nor from an address that was chosen" by 10.77.1.2 path1 from 10.77.1.1
begin 10.77.1.2 5002 -r 100000 -d 100
ok "a new connection begins there" until_true from 5002 10.77.2.1
is "$(retried)" 0 "with its first SYN"
ok "data arrive" going 5001 5002
path 1 up
ok "path 1 works" until_true has 10.77.1.1 1
ok "routes are as before" until_true by 10.77.1.2 path1
soon "$before" "and rules" rules
begin 10.77.1.2 5003 -r 100000 -d 100
ok "a new connection begins on path 1" until_true from 5003 10.77.1.1
stop 5001 5002 5003
for port in 5001 5002 5003; do ok "the payload is whole" finish $port; done
agent_end TERM

agent client margin_ms=10000
path 1 down
begin 10.77.1.2 5004 -r 100000 -d 100
ok "a first SYN meets no answer on path 1" until_true told retried 10.77.1.1 'next one from 10.77.2.1'
ok "the next connection would begin on path 2" until_true by 10.77.1.2 path2
ok "this one does" until_true from 5004 10.77.2.1
path 1 up
ok "a while later path 1 is tried again" until_true by 10.77.1.2 path1
soon "$before" "without rules" rules
stop 5004
ok "the payload is whole" finish 5004
path 1 down
begin 10.77.1.2 5005 -r 100000 -d 100
ok "not answered again" until_true by 10.77.1.2 path2
agent_end TERM
is "$(cat "$work/agent.status") $(rules)" "0 $before" "the agent ends, and leaves no rule"
mb unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
