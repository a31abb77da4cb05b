#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent on real connections: a path that dies silently is left and used again when it works, by endpoint at the client and by subflow at the server;
# nothing is done without a path that answers; and what it has taken away comes back, however it ends.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
mpio=build/tests/mpio
lab=fo$$
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
at_exit "for ns in $lab-client $lab-server; do $bin -n \$ns unload --all; done; scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'
mb() { $bin -n $lab-client "$@"; }
until_true() { # CMD...: within 10 s
	local i
	for ((i = 0; i < 200; i++)); do "$@" >/dev/null 2>&1 && return; sleep 0.05; done
	return 1
}
has() { ip -n $lab-client mptcp endpoint | grep -q "^$1 id $2 "; }
lacks() { ! ip -n $lab-client mptcp endpoint | grep -q "^$1 "; }
subflows() { mb -j stat | perl -MJSON::PP -e 'print scalar map { @{$_->{subflows}} } @{decode_json(<STDIN>)->{connections}}'; }
two() { [ "$(subflows)" = 2 ]; }
path() { scripts/lab path $lab "$@"; }
told() { grep -q "\"event\":\"$1\".*\"address\":\"$2\"" "$work/log"; }
agent() { # SIDE
	$bin -n $lab-"$1" -j run >"$work/log" 2>"$work/log.err" &
	agent=$!
	pids+=("$agent")
	until_true grep -q watching "$work/log.err"
}
# transfer SIDE SECONDS: a paced one, SIDE is its server; whole: its payload
transfer() {
	nsenter --net=/run/netns/$lab-server $mpio recv 10.77.1.2 5001 >"$work/recv" 2>"$work/recv.err" &
	recv=$!
	pids+=("$recv")
	until_true grep -q listening "$work/recv.err"
	nsenter --net=/run/netns/$lab-client $mpio send -r 4000000 -d "$1" -s 3 10.77.1.2 5001 >"$work/send" 2>"$work/send.err" &
	send=$!
	pids+=("$send")
	until_true two
}
whole() {
	wait $send && wait $recv || return 1
	[ -s "$work/recv" ] && $mpio gen -b "$(wc -c <"$work/recv")" -s 3 | cmp - "$work/recv"
}

scripts/lab up $lab --path 20mbit,10ms --path 20mbit,20ms 2>"$work/lab.log" || bail "no lab: $(tail -n 1 "$work/lab.log")"
mb run margin_ms=0 2>"$work/err"
is "$? $(grep -c '1..10000' "$work/err")" "2 1" "a tunable out of range is refused, and the range named"
ok "that leaves nothing" test ! -e /sys/fs/bpf/mptcp-bpf

agent client
transfer 9
sleep 1
ok "nothing is done while both paths work" test ! -s "$work/log"
path 1 down
ok "path 1 dies: its endpoint goes" until_true lacks 10.77.1.1
ok "which is told" until_true told evacuated 10.77.1.1
ok "the other one stays" has 10.77.2.1 2
path 1 up
ok "path 1 works: its endpoint is back, under its number" until_true has 10.77.1.1 1
ok "which is told" until_true told returned 10.77.1.1
ok "and the connection uses it again" until_true two
ok "the payload is whole" whole

transfer 7
sleep 0.7
path 1 down
path 2 down
sleep 1.5
ok "both paths die: nothing is left that answers, and nothing is done" has 10.77.1.1 1
path 1 up
path 2 up
ok "the payload is whole" whole

transfer 6
: >"$work/log"
ip -n $lab-client link set path2 down
ok "a device goes down: its endpoint goes" until_true lacks 10.77.2.1
ok "with the reason" grep -q '10.77.2.1.*device is down' "$work/log"
ok "the payload is whole" whole
ip -n $lab-client link set path2 up
ip -n $lab-client route add default via 10.77.2.2 dev path2 table 102
ok "up again: the endpoint is back" until_true has 10.77.2.1 2

transfer 6
sleep 0.7
path 1 down
ok "away again" until_true lacks 10.77.1.1
kill -KILL $agent
wait $agent 2>/dev/null
ok "the agent is killed: a new one" agent client
path 1 up
ok "brings it back" until_true has 10.77.1.1 1
ok "the payload is whole" whole
transfer 5
sleep 0.7
path 1 down
ok "away again" until_true lacks 10.77.1.1
kill $agent
ok "the agent ends" wait $agent
ok "and has put it back" has 10.77.1.1 1
path 1 up
ok "the payload is whole" whole
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf

agent server
transfer 6
sleep 0.7
path 2 down
path 2 up
ok "a server that only listens does nothing" test ! -s "$work/log"
ok "the payload is whole" whole
kill $agent
ok "the agent ends" wait $agent
done_testing
