#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# MP_PRIO (RFC 8684 section 3.3.8), in a segment that is nothing but an old acknowledgement, sets and clears the backup flag of the subflow that carries it; data
# follow the flag; with an address ID (length 4) it is ignored; and when every subflow is backup, backups carry the data.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
hosts
second 10.0.2.1
second fd00:2::1

coproc_at() { coproc CRAFT { exec nsenter --net="/run/netns/$server" craft "path$1" 5000 2>"$work/craft"; }; craft_pid=$!; pids+=($!); }
# prio PATH HEX: the server's side of that subflow says it. A carrier is made of what the server sends: acknowledgements.
prio() {
	local answer
	coproc_at "$1"
	within 20 bound $server
	echo "$2" >&"${CRAFT[1]}"
	read -r -t 30 answer <&"${CRAFT[0]}"
	kill "$craft_pid" 2>/dev/null
	wait "$craft_pid" 2>/dev/null
	[ "$answer" = sent ]
}
# turns PATH HEX has|lacks: and then the subflow has the flag or not. A carrier that the receiver's window has left behind is not listened to.
turns() {
	for _ in 1 2 3 4 5; do prio "$1" "$2" && within 4 "$3" "$1" B && return; done
	return 1
}

gone() { [ -z "$(flags 1)$(flags 2)" ]; }
for family in 10.0.1.2 fd00:1::2; do
	start "$work/got" $server flow serve $family 5000
	beside $client flow send 100000000000 $family 5000
	sender=$!
	ok "$family: the second subflow is there" within 20 has 2 e
	ok "$family: it is no backup" lacks 2 B
	ok "$family: MP_PRIO, backup, sets the flag" turns 2 1e0351 has
	ok "$family: not the other subflow's" lacks 1 B
	ok "$family: it carries data no more" within 20 idle 2
	ok "$family: the other one does" within 20 flows 1
	ok "$family: MP_PRIO with an address ID" prio 1 1e045101
	ok "$family: is ignored" lacks 1 B
	ok "$family: MP_PRIO on the first subflow: both are backup" turns 1 1e0351 has
	ok "$family: data flow nevertheless" within 20 eval 'flows 1 || flows 2'
	ok "$family: MP_PRIO, no backup, clears the flag" turns 2 1e0350 lacks
	ok "$family: data are back on it" within 20 flows 2
	ok "$family: the one that is backup is idle" within 20 idle 1
	kill $sender
	wait $sender 2>/dev/null
	within 20 gone
done
ok "counted as received: $(counter $client MPTcpExtMPPrioRx)" test "$(counter $client MPTcpExtMPPrioRx)" -ge 6
ok "no fallback to TCP" test "$(counter $client MPTcpExtMPCapableFallbackSYNACK)" = 0
ok "no MP_FAIL" test "$(counter $server MPTcpExtMPFailTx)" = 0
finish
