#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The lab against its own settings: rate within 5 %, delay within 1 ms, loss, order, changes at run time, one subflow a path, and
# nothing left behind, however it ends.
# shellcheck disable=SC2317 # functions are called through ok
# shellcheck source=tests/lib/tap.sh
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=lab$$
mpio=build/tests/mpio
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "for l in $lab $lab-b; do scripts/lab down -q \$l; done"
on() { nsenter --net="/run/netns/$lab-$1" "${@:2}"; }
json() { perl -MJSON::PP -e 'print decode_json(<STDIN>)->{$ARGV[0]}' "$1"; }
fails() { # STATUS MESSAGE CMD...
	local want=$1 message=$2 out status=0
	shift 2
	out=$("$@" 2>&1) || status=$?
	[[ $status = "$want" && $out = "$message" ]] || { echo "exit $status: $out"; return 1; }
}
change() { scripts/lab path $lab "$@" || bail "lab path $*"; }
nothing() { # is left of the lab
	! ls -d /run/netns/"$lab"-{client,server} "/run/mptcp-bpf-lab/$lab" 2>/dev/null && ! pgrep -af "relay /run/mptcp-bpf-lab/$lab/"
}
within_2s() { for _ in {1..20}; do "$@" >"$work/out" && return; sleep 0.1; done; cat "$work/out"; return 1; }
need() { command -v "$1" >/dev/null || { skip "$1 is missing" "$2"; return 1; }; }
serve() { # CMD...: on the server, until it listens
	rm -f "$work/err"
	nsenter --net="/run/netns/$lab-server" "$@" >"$work/out" 2>"$work/err" &
	server=$!
	until_true grep -q listening "$work/err"
}
# IP bytes that the server has received on a device, with the time in us
received() { echo "$(on server cat /proc/net/dev | tr : ' ' | awk -v d="$1" -v link="$2" '$1 == d { print $2 - link * $3 }') ${EPOCHREALTIME/[.,]/}"; }
# rate DEV ADDR LINK: Mbit/s of IP packets under TCP bulk, in its third and fourth second; LINK is the length of the link header
rate() {
	serve $mpio recv -t "$2" 5001
	on client $mpio send -t -d 4 "$2" 5001 >"$work/send" &
	local sender=$! before
	sleep 1.5
	before=$(received "$1" "$3")
	sleep 2
	echo "$before $(received "$1" "$3")" | awk '{ print ($3 - $1) * 8 / ($4 - $2) }'
	wait $sender $server
}
# delay ADDR: the median one-way delay of 1052 bytes in ms
delay() {
	serve $mpio sink -t "$1" 5001
	on client $mpio stream -t -r 800000 -d 2 "$1" 5001
	wait $server
	json p50_us <"$work/out" | awk '{ print $1 / 1000 }'
}
# What else the machine does may spoil a measurement, for half a minute; a fault of the lab spoils all that are made in one.
# comes WANT TOLERANCE CMD...: what CMD measures comes to be WANT, to within TOLERANCE
comes() {
	local got all=()
	for _ in {1..8}; do
		got=$("${@:3}")
		awk -v g="$got" -v w="$1" -v d="$2" 'BEGIN { exit !(g >= w - d && g <= w + d) }' && return
		all+=("${got:-nothing}")
	done
	echo "${all[*]}: none is $1 +- $2"
	return 1
}
# rated WANT DESC CMD...: Mbit/s, to within 5 %. delayed ADDR WANT: ms, to within 1
rated() { ok "$2" comes "$1" "$(awk -v w="$1" 'BEGIN { print w / 20 }')" "${@:3}"; }
delayed() { comes "$2" 1 delay "$1"; }
lost() { on client ping -q -f -c "$1" -W 1 10.77.2.2 | grep -o '[0-9.]*% packet loss' | tr -d '% a-z'; }
late() { on client ping -i 0.002 -c 300 10.77.1.2 | sed -n 's/.*icmp_seq=\([0-9]*\).*/\1/p' | awk '$1 < last { n++; next } { last = $1 } END { print n + 0 }'; }

ok "a bad rate is refused" fails 2 "lab: rate: '50furlongs' is not like 50mbit, or none" scripts/lab up $lab --path 10mbit --path 50furlongs,10ms
ok "a name that is a path, too" fails 2 "lab: down: '../lab' is no name of a lab: 1 to 20 characters of a-z 0-9 -" scripts/lab down ../lab
ok "both leave nothing" nothing
printf '#!/bin/sh\ncase "$*" in *10.77.2.2*) exit 1 ;; esac\nexec %s "$@"\n' "$(command -v ip)" >"$work/ip"
chmod +x "$work/ip"
ok "up that fails half-way is an error" fails 1 "" env PATH="$work:$PATH" scripts/lab up $lab --path 10mbit,1ms --path 10mbit,1ms
ok "and leaves nothing" nothing
many=()
for _ in {1..8}; do many+=(--path 10mbit); done
for sig in INT TERM; do
	perl -e 'setpgrp; $SIG{INT} = "DEFAULT"; exec @ARGV' scripts/lab up $lab "${many[@]}" >/dev/null 2>&1 &
	pid=$!
	for _ in {1..200}; do [ -e /run/netns/$lab-server ] && break; sleep 0.01; done
	kill -$sig -- -$pid
	wait $pid
	is $? $((128 + $(kill -l $sig))) "up is interrupted by SIG$sig"
	ok "and leaves nothing" nothing
done

ok "up" scripts/lab up $lab --path 20mbit,10ms --path 50mbit,2ms,queue=200ms --path 10mbit,5ms,tun
ok "up again is refused" fails 1 "lab: $lab: exists already ('scripts/lab down $lab')" scripts/lab up $lab --path none
ok "a second lab beside it" scripts/lab up $lab-b --path none --path veth
is "$(cd "$work" && "$OLDPWD/scripts/lab" exec $lab server pwd)" "$work" "exec runs where it is called"

rated 20 "path 1: rate" rate path1 10.77.1.2 14
rated 50 "path 2: rate, IPv6" rate path2 fd77:2::2 14
rated 10 "path 3 (tun): rate" rate path3 10.77.3.2 0
ok "path 1: delay" delayed 10.77.1.2 10.4 # with its 1052 bytes at 20 Mbit/s
ok "path 2: delay" delayed 10.77.2.2 2.2
ok "path 3 (tun): delay, IPv6" delayed fd77:3::2 5.9
change 1 rate=50mbit delay=3ms
rated 50 "changed: rate" rate path1 10.77.1.2 14
change 1 delay=25ms
ok "changed: delay" delayed 10.77.1.2 25.2
change 2 delay=80ms
ok "changed: delay of path 2" delayed 10.77.2.2 80.2
ok "a bad change is refused" fails 2 "lab: loss: '101%' is not like 1%" scripts/lab path $lab 2 loss=101%
ok "a path that is not there, too" fails 1 "lab: $lab: has no shaped path '4'" scripts/lab path $lab 4 up

if need ping "loss, silence, order"; then
	for addr in 10.77.{1..3}.2 fd77:{1..3}::2; do ok "reaches $addr" on client ping -q -c 1 -W 1 "$addr"; done
	change 2 delay=1ms loss=10%
	within "$(lost 2000)" 19 20 "10 % loss each way: 19 % of the pings"
	change 2 down
	is "$(lost 20)" 100 "down: silence"
	change 2 up loss=0%
	is "$(lost 20)" 0 "up again"
	change 1 jitter=15ms
	is "$(late)" 0 "jitter keeps the order"
	change 1 jitter=0ms reorder=20%
	ok "reorder does not" test "$(late)" -gt 10
	change 1 reorder=0%
fi

for addr in 10.77.1.2 fd77:1::2; do
	net=${addr%1*2}
	want=$(for i in 1 2 3; do echo "${net}$i${addr#"${net}1"}" | sed 's/2$/1/'; done | tr '\n' ' ')
	serve $mpio recv "$addr" 5001
	$mpio gen -b 10000000 -s $$ | on client $mpio send -r 25000000 "$addr" 5001 >/dev/null &
	sender=$!
	sleep 1.5
	if need ss "one subflow a path to $addr"; then
		is "$(on client ss -tnH state established dport = 5001 | awk '{ print $3 }' | sed 's/:[0-9]*$//; s/%.*//; s/[][]//g' | sort | tr '\n' ' ')" "$want" \
			"one subflow a path to $addr"
		is "$(on client ss -tniH state established dport = 5001 | grep -c tcp-ulp-mptcp)" 3 "all of them MPTCP"
	fi
	wait $sender $server
	is "$(sha256sum <"$work/out")" "$($mpio gen -b 10000000 -s $$ | sha256sum)" "10 MB to $addr arrive intact"
done

ok "down" scripts/lab down $lab
ok "nothing is left" nothing
ok "down again is no error" fails 0 "lab: $lab: no such lab" scripts/lab down $lab
ok "and can be silent" fails 0 "" scripts/lab down -q $lab
ok "the other lab still stands" scripts/lab exec $lab-b client ip link show up dev path2
ok "a third one" env LAB_BACKEND=relay scripts/lab up $lab --path 1mbit,1ms
ip netns del $lab-server
ok "a relay ends with its namespaces" within_2s eval "! pgrep -af 'relay /run/mptcp-bpf-lab/$lab/'"
ok "down of the rest" scripts/lab down $lab
done_testing
