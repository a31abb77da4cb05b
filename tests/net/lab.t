#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The lab against its own settings: rate within 5 %, delay within 1 ms, loss, changes at run time, one subflow a path, and nothing left behind.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=lab$$
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "scripts/lab down $lab; scripts/lab down $lab-b"
on() { nsenter --net="/run/netns/$lab-$1" "${@:2}"; }
json() { perl -MJSON::PP -e 'print decode_json(<STDIN>)->{$ARGV[0]}' "$1"; }
serve() { # CMD...: on the server, until it listens
	rm -f "$work/err"
	nsenter --net="/run/netns/$lab-server" "$@" >"$work/out" 2>"$work/err" &
	server=$!
	for _ in $(seq 100); do grep -q listening "$work/err" 2>/dev/null && break; sleep 0.02; done
}
# rate ADDR [PAYLOAD]: the rate of the path in Mbit/s of IP packets, by plain TCP with this payload in 1500 bytes
rate() {
	serve build/tests/mpio recv -t "$1" 5001
	on client build/tests/mpio send -t -d 4 "$1" 5001 >"$work/send"
	wait $server
	json mbps <"$work/send" | awk -v p="${2:-1448}" '{ print $1 * 1500 / p }'
}
# delay ADDR: the median one-way delay in ms
delay() {
	serve build/tests/mpio sink -t "$1" 5001
	on client build/tests/mpio stream -t -r 1000000 -d 2 "$1" 5001
	wait $server
	json p50_us <"$work/out" | awk '{ print $1 / 1000 }'
}
near_ms() { awk -v g="$1" -v w="$2" 'BEGIN { exit !(g >= w - 1 && g <= w + 1) }' || { echo "$1 ms, not $2 +- 1"; return 1; }; }
lost() { on client ping -q -f -c "$1" -W 1 10.77.2.2 | grep -o '[0-9.]*% packet loss' | tr -d '% a-z'; }

ok "a bad rate is refused" test "$(scripts/lab up $lab --path 50furlongs,10ms 2>&1)" = "lab: rate: '50furlongs' is not of the form none|[0-9]+(\.[0-9]+)?(bit|kbit|mbit|gbit)"
ok "and leaves nothing" test ! -e /run/netns/$lab-client -a ! -e /run/mptcp-bpf-lab/$lab
ok "up" scripts/lab up $lab --path 20mbit,10ms --path 50mbit,2ms,queue=200ms --path 10mbit,5ms,tun
ok "up again is refused" test "$(scripts/lab up $lab --path none 2>&1)" = "lab: $lab: exists already ('scripts/lab down $lab')"
ok "a second lab beside it" scripts/lab up $lab-b --path none --path veth

within "$(rate 10.77.1.2)" 20 5 "path 1: rate"
within "$(rate fd77:2::2 1428)" 50 5 "path 2: rate, IPv6"
within "$(rate 10.77.3.2)" 10 5 "path 3 (tun): rate"
ok "path 1: delay" near_ms "$(delay 10.77.1.2)" 10.4 # 1052 bytes at 20 Mbit/s
ok "path 2: delay" near_ms "$(delay 10.77.2.2)" 2.2
ok "path 3 (tun): delay" near_ms "$(delay fd77:3::2)" 5.8
scripts/lab path $lab 1 rate=40mbit delay=3ms
within "$(rate 10.77.1.2)" 40 5 "changed: rate"
scripts/lab path $lab 1 delay=25ms
ok "changed: delay" near_ms "$(delay 10.77.1.2)" 25.2
scripts/lab path $lab 2 delay=80ms
ok "changed: delay of path 2" near_ms "$(delay 10.77.2.2)" 80.2
scripts/lab path $lab 2 delay=1ms loss=10%
within "$(lost 2000)" 19 20 "10 % loss each way: 19 % of the pings"
scripts/lab path $lab 2 down
is "$(lost 20)" 100 "down: silence"
scripts/lab path $lab 2 up loss=0%
is "$(lost 20)" 0 "up again"
ok "a bad change is refused" test "$(scripts/lab path $lab 2 loss=lots 2>&1 | head -c 27)" = "lab: loss: 'lots' is not of"

for addr in 10.77.1.2 fd77:1::2; do
	serve build/tests/mpio recv "$addr" 5001
	on client build/tests/mpio send -r 4000000 -d 2 "$addr" 5001 >/dev/null &
	sender=$!
	sleep 1
	is "$($bin -n $lab-client -j stat | perl -MJSON::PP -e 'print join ",", sort map { $_->{dev} } map { @{$_->{subflows}} } @{decode_json(<STDIN>)->{connections}}')" \
		path1,path2,path3 "one subflow a path to $addr"
	wait $sender $server
done
pids=$(cat /run/mptcp-bpf-lab/$lab/relay*.pid 2>/dev/null)
ok "down" scripts/lab down $lab
ok "down again is no error" scripts/lab down $lab
ok "no namespace, no state" test ! -e /run/netns/$lab-client -a ! -e /run/netns/$lab-server -a ! -e /run/mptcp-bpf-lab/$lab
for pid in $pids; do ok "relay $pid is gone" test -z "$(tr -d '\0' 2>/dev/null <"/proc/$pid/cmdline")"; done
ok "the other lab still stands" nsenter --net="/run/netns/$lab-b-client" ping -c 1 -W 1 -q 10.77.2.2
done_testing
