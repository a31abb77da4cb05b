#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Storms of link and address events: none that counts is missed when the kernel drops messages, the clock goes on, and little is told. FLAPS=N: so many each.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=st$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
flaps=${FLAPS:-1000}
signal() { kill -"$1" "$(cat "$work/agent.pid")"; }
dropped() { client awk '$4 == "00000111" { n += $9 } END { exit !n }' /proc/net/netlink; } # by the agent's socket for them
lines() { wc -l <"$work/agent.out"; }
restore() { ip -n $lab-client route replace default via 10.77.2.2 dev path2 table 102; }
storm() { ip -n $lab-client -batch "$work/storm.$1"; } # DEVICE
for dev in noise path2; do
	for ((i = 0; i < flaps; i++)); do
		printf '%s\n' "link set $dev down" "link set $dev up" "addr add 10.99.0.1/32 dev $dev" "addr del 10.99.0.1/32 dev $dev"
	done >"$work/storm.$dev"
done
for ((i = 0; i < flaps; i++)); do printf 'addr %s 10.77.2.1/24 dev path2\n' del add; done >>"$work/storm.path2"

up --path 20mbit,10ms --path 20mbit,20ms
ip -n $lab-client link add noise type veth peer name noise2 && ip -n $lab-client link set noise2 up || bail "no veth"
begin 10.77.1.2 5001 -r 300000 -d 600
ok "two subflows" until_true joined
agent client margin_ms=$((500 * slow))

signal STOP
until_true grep -q '^State:.T' "/proc/$(cat "$work/agent.pid")/status"
until_drop() { storm noise && dropped; }
ok "while the agent stands still more happens than its socket holds" until_true until_drop
ok "a device goes down, of which there is no message" ip -n $lab-client link set path2 down
signal CONT
ok "the agent goes on: it has seen it" until_true told evacuated 10.77.2.1 'its device is down'
ok "data arrive" going 5001
ip -n $lab-client link set path2 up
restore
ok "the device is up: the endpoint is back" until_true has 10.77.2.1 2
ok "and the connection uses it" until_true joined

touch "$work/stormy"
while [ -e "$work/stormy" ]; do storm noise || break; done &
storms=$!
path 1 down
ok "path 1 dies during storms: that is noticed" until_true told evacuated 10.77.1.1 'silent for'
ok "data arrive" going 5001
path 1 up
ok "it works again: that too" until_true has 10.77.1.1 1
ok "the storms last" test -e "$work/stormy" -a -d /proc/$storms
rm "$work/stormy"
wait $storms
ok "the connection uses it" until_true joined
agent_end TERM
is "$(cat "$work/agent.status")" 0 "the agent ends"

agent client margin_ms=$((500 * slow))
ok "a storm of a path's own" storm path2
restore
ok "data arrive" going 5001
ok "after it the endpoint is there" until_true has 10.77.2.1 2
ok "and used" until_true joined
ok "of $((3 * flaps)) events few lines are told" test "$(lines)" -lt 50
echo "# $(lines) lines"
over 5001
done_testing
