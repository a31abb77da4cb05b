#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Costly paths on demand by rule: a connection whose rule says "demand no" does not have them opened, nor joins them when others have; IPv4 and IPv6.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=ak$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow)) demand=1)
sockets() { client ss -tnaH "dport = :$1" ${2:+"src $2"} | wc -l; } # PORT [ADDRESS]: that have not ended
silent() { ! grep -q '"event":"opened"' "$work/agent.out"; }

up --path 20mbit,10ms --path 20mbit,20ms
ok "a bad word is refused" fails 2 "demand: 'maybe' is neither yes nor no" mb rule add demand maybe
ok "path 2 costs more" mb path add dev path2 cost 10
ok "by default connections do not ask for it" mb rule add demand no
ok "those to one port do" mb rule add peer-port 5001 demand yes
is "$(mb rule list)" "  1: prio 100 peer-port 5001 demand yes
  2: prio 100 demand no" "which is listed"
agent client poor_rtt_ms=2
ok "it is closed" until_true told parked 10.77.2.1
ok "for IPv6 too" until_true told parked fd77:2::1
begin 10.77.1.2 5002 -r 100000 -d 600
begin fd77:1::2 5003 -r 100000 -d 600
ok "data arrive where path 1 is poor" going 5002 5003
ok "and again" going 5002 5003
ok "nothing is opened" silent
begin 10.77.1.2 5001 -r 100000 -d 600
ok "a connection that asks for it: opened" until_true told opened 10.77.2.1 poor
soon 2 "it joins" sockets 5001
begin 10.77.1.2 5004 -r 100000 -d 600
ok "data arrive on all" going 5001 5002 5003 5004
for port in 5002 5003 5004; do is "$(sockets $port) $(sockets $port "$([ $port = 5003 ] && echo "[fd77:2::1]" || echo 10.77.2.1)")" "1 0" "port $port has not joined"; done
ok "rules change" mb rule del demand no
begin 10.77.1.2 5005 -r 100000 -d 600
soon 2 "a new connection that no rule keeps off joins" sockets 5005
stop 5003 5004 5005
for port in 5003 5004 5005; do ok "the payload is whole" finish $port; done
agent_end TERM

ok "those to one port do not ask" mb rule add peer-port 5007 demand no
stop 5001 5002
for port in 5001 5002; do ok "the payload is whole" finish $port; done
agent client
ok "closed" until_true told parked 10.77.2.1
begin 10.77.1.2 5006 -r 100000 -d 600
begin 10.77.1.2 5007 -r 100000 -d 600
ok "data arrive" going 5006 5007
path 1 down
ok "path 1 dies: opened" until_true told opened 10.77.2.1
soon 1 "the one that asks for it is on it" sockets 5006 10.77.2.1
ok "and goes on" going 5006
is "$(sockets 5007 10.77.2.1)" 0 "the other is not"
path 1 up
ok "and goes on when path 1 works again" going 5007
is "$(sockets 5007 10.77.2.1)" 0 "without it"
stop 5007
ok "the payload is whole" finish 5007
over 5006
done_testing
