#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent on real connections: a path that dies silently is left and used again when it works, by endpoint at the client and by subflow at the server;
# nothing is done without a path that answers; and what it has taken away comes back, however it ends.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=fo$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow))) # patient: what a machine under load does to paths for a moment is not meant here
withdrawn() { server nstat -asz MPTcpExtRmAddr | awk '/RmAddr/ { print $2 }'; }
# transfer PORT [BYTES]: of so many a second, until it is whole. A slow one: once its receive buffer is full of what lies beyond a gap, the kernel takes in
# nothing any more, not even what fills the gap.
transfer() {
	begin 10.77.1.2 "$1" -r "${2:-300000}" -d 600
	until_true joined || echo "# port $1: no second subflow"
	going "$1" >/dev/null
}
whole() {
	stop "$1"
	ok "the payload is whole" finish "$1"
}

up --path 20mbit,10ms --path 20mbit,20ms
ok "a tunable out of range is refused, and the range named" fails 2 '1..10000' mb run margin_ms=0
ok "that leaves nothing" test ! -e /sys/fs/bpf/mptcp-bpf

agent client
transfer 5001
sleep $slow
ok "nothing is done while both paths work" test ! -s "$work/agent.out"
before=$(withdrawn)
path 1 down
ok "path 1 dies: its endpoint goes" until_true lacks 10.77.1.1
ok "which is told" until_true told evacuated 10.77.1.1 'silent for'
ok "the other one stays" has 10.77.2.1 2
more() { [ "$(withdrawn)" -gt "$before" ]; }
ok "the peer has got an RM_ADDR" until_true more
ok "data arrive" going 5001
path 1 up
ok "path 1 works: its endpoint is back, under its number" until_true has 10.77.1.1 1
ok "which is told" until_true told returned 10.77.1.1 'probes answered'
ok "and the connection uses it again" until_true joined
agent_end TERM
is "$(cat "$work/agent.status")" 0 "the agent ends"
path 1 down
path 2 down
agent client
sleep $((2 * slow))
ok "both paths are dead: nothing is left that answers, and nothing is done" test ! -s "$work/agent.out"
path 1 up
path 2 up
ok "data arrive" going 5001
whole 5001
agent_end TERM

agent client margin_ms=10000
transfer 5002 $((4000000 / slow)) # acknowledgements come at any moment
ip -n $lab-client link set path2 down
ok "a device goes down: its endpoint goes" until_true lacks 10.77.2.1
ok "with the reason" until_true told evacuated 10.77.2.1 'device is down\|no carrier'
whole 5002
ip -n $lab-client link set path2 up
ip -n $lab-client route add default via 10.77.2.2 dev path2 table 102
ok "up again: the endpoint is back" until_true has 10.77.2.1 2
agent_end TERM

ip -n $lab-client mptcp limits set subflows 0
begin 10.77.2.2 5012 -r 100000 -d 600
until_true test -s "$work/recv.5012.out"
ip -n $lab-client mptcp limits set subflows 8 add_addr_accepted 8
transfer 5022 $((4000000 / slow))
agent client margin_ms=10000
ip -n $lab-client link set path2 down
ok "a device goes down by which a connection goes that has no other: one that has leaves it alone" until_true told closed 10.77.2.1 'device is down\|no carrier'
ok "the endpoint stays" has 10.77.2.1 2
whole 5022
ip -n $lab-client link set path2 up
ip -n $lab-client route add default via 10.77.2.2 dev path2 table 102
whole 5012
agent_end TERM

agent client
transfer 5003
path 1 down
ok "away again" until_true lacks 10.77.1.1
agent_end KILL
agent client
path 1 up
ok "the agent is killed: a new one brings it back" until_true has 10.77.1.1 1
whole 5003
transfer 5004
path 1 down
ok "away again" until_true lacks 10.77.1.1
agent_end TERM
ok "the agent ends, and has put it back" has 10.77.1.1 1
path 1 up
whole 5004
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf

agent server
transfer 5005
path 2 down
sleep $slow
path 2 up
ok "a server that only listens does nothing" test ! -s "$work/agent.out"
whole 5005
agent_end TERM
done_testing
