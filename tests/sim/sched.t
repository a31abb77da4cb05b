#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What each packet scheduler promises, in simulation: a change of its text that breaks the promise fails here. Figures repeat exactly; bounds have room
# for other, equally good ways to keep the promise.
# shellcheck disable=SC2054 # commas belong to the paths
# shellcheck source=tests/lib/tap.sh
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
sim=build/tests/sim/sim
[ -x $sim ] || bail "no simulator: make tests"
unlike=(--path 50mbit,10ms --path 50mbit,80ms)
alike=(--path 50mbit,20ms --path 50mbit,20ms)
bonded=(--path 50mbit,10ms --path 20mbit,40ms)
far=(--path 50mbit,10ms --path 20mbit,80ms)

# get FIGURE SIM-ARGUMENTS: goodput, share1.., p50, p95, max or n
get() {
	$sim "${@:2}" -j | perl -MJSON::PP -e 'my $r = decode_json(<STDIN>); my $f = $ARGV[0]; my $t = $r->{delay_ms} // $r->{completion_ms};
		print $f =~ /^share(\d)$/ ? $r->{share}[$1 - 1] : $f eq "goodput" ? $r->{goodput_mbps} : $t->{$f} // "none"' "$1"
}
# holds FIGURE MIN MAX SIM-ARGUMENTS
holds() {
	local got
	got=$(get "$1" "${@:4}")
	echo "$1 is $got, not in $2..$3"
	awk -v g="$got" -v a="$2" -v b="$3" 'BEGIN { exit !(g != "none" && g != "" && g >= a && g <= b) }'
}
part() { awk -v a="$1" -v f="$2" 'BEGIN { print a * f }'; }
fails() { # MESSAGE SIM-ARGUMENTS
	local out status=0
	out=$($sim "${@:2}" 2>&1) || status=$?
	echo "$out"
	[[ $status = 2 && $out = "sim: $1" ]]
}

ok "an unknown policy is refused" fails "nosuch: no such policy; --help names them" nosuch
ok "what steering cannot do, too" fails "redundant: backup flags cannot carry it out" redundant
ok "and a tunable out of range" fails "quantum=1: out of the tunable's range" rr quantum=1 --path 1mbit,1ms
is "$($sim rr "${bonded[@]}" --path 5mbit,9ms,loss=1%)" "$($sim rr "${bonded[@]}" --path 5mbit,9ms,loss=1%)" "the same arguments, the same result"

# The yardsticks: what kernels do without a policy.
ok "tcp fills its path" holds goodput 45 47.7 tcp "${alike[@]}"
ok "stock adds paths up" holds goodput 62 66 stock "${bonded[@]}"
ok "stock puts a stream's blocks on a slow path at times" holds p95 40 200 stock "${unlike[@]}" --app stream:10mbit
stock_request=$(get p50 stock "${far[@]}" --app request:100kb)
stock_small=$(get goodput stock "${far[@]}" --window 400kb)
stock_bonded=$(get goodput stock "${bonded[@]}")

for p in minrtt delay priority standby blest ecf otias rtt_threshold; do
	ok "$p: a stream stays on the fast path" holds p95 10 12 $p "${unlike[@]}" --app stream:10mbit
	ok "$p: so do its bytes" holds share1 0.99 1 $p "${unlike[@]}" --app stream:10mbit
	ok "$p: answers come in half of stock's time" holds p50 20 "$(part "$stock_request" 0.5)" $p "${far[@]}" --app request:100kb
done
for p in minrtt priority blest ecf otias; do
	ok "$p: bulk adds paths up" holds goodput "$(part "$stock_bonded" 0.97)" 66 $p "${bonded[@]}"
done
for p in minrtt blest ecf; do
	ok "$p: with a small window it is better than stock" holds goodput "$(part "$stock_small" 1.05)" 66 $p "${far[@]}" --window 400kb
done
for p in delay standby; do
	ok "$p: one path at a time" holds share1 0.99 1 $p "${far[@]}"
done
for p in minrtt delay priority standby blest ecf otias rtt_threshold rr split stock; do
	ok "$p: a stream outlives its path" holds goodput 4.9 5 $p --path 50mbit,20ms,down=4s --path 50mbit,25ms --app stream:5mbit --seconds 12
	ok "$p: bulk ends in spite of losses" holds n 1 1 $p --path 20mbit,10ms,loss=1% --path 10mbit,30ms,loss=1% --app bulk:5mb --seconds 60
done
ok "standby: it returns to the path that returned" holds share1 0.6 0.9 standby --path 50mbit,20ms,down=4s,up=6s --path 50mbit,20ms --app stream:5mbit --seconds 20
ok "standby: the cheaper one, whichever comes first" holds share2 0.95 1 standby --path 50mbit,20ms,cost=5 --path 50mbit,20ms --app stream:5mbit
ok "priority: the cheaper one" holds share2 0.95 1 priority --path 50mbit,20ms,cost=5 --path 50mbit,20ms --app stream:10mbit
ok "priority: nearly all while it suffices" holds share1 0.95 1 priority "${alike[@]}" --app stream:45mbit
ok "priority: the rest on the next" holds goodput 58 60 priority "${alike[@]}" --app stream:60mbit
ok "priority: and no more than the rest" holds share1 0.65 0.85 priority "${alike[@]}" --app stream:60mbit
ok "rtt_threshold: none above the bound" holds share2 0 0.01 rtt_threshold "${unlike[@]}"
ok "rtt_threshold: all below it" holds share2 0.3 0.5 rtt_threshold --path 50mbit,10ms --path 50mbit,30ms threshold_us=200000
ok "rr: halves" holds share1 0.49 0.51 rr "${alike[@]}" --app stream:20mbit
ok "rr: thirds" holds share3 0.323 0.343 rr "${alike[@]}" --path 50mbit,20ms --app stream:20mbit
three=(--path 50mbit,20ms,weight=7 --path 50mbit,20ms,weight=2 --path 50mbit,20ms)
ok "split: 3:1 of a stream" holds share1 0.74 0.76 split --path 50mbit,20ms,weight=3 --path 50mbit,20ms --app stream:20mbit
ok "split: 7:2:1 of a stream" holds share1 0.69 0.71 split "${three[@]}" --app stream:20mbit
ok "split: and its last part" holds share3 0.09 0.11 split "${three[@]}" --app stream:20mbit
ok "split: 3:1 of bulk" holds share1 0.72 0.78 split --path 50mbit,20ms,weight=3 --path 50mbit,20ms
ok "split: at what the binding path allows" holds goodput 55 63 split --path 50mbit,20ms,weight=3 --path 50mbit,20ms
ok "a thousand connections at once" holds goodput 85 100 minrtt --connections 1000 --path 100mbit,10ms --path 50mbit,40ms --app stream:90kbit
done_testing
