#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What each packet scheduler promises, in simulation: where the bytes go, what delay they see, what is left of the capacity. Bounds leave room for a
# policy to be tuned; they do not for one that breaks its word.
# shellcheck disable=SC2016,SC2054 # Perl; commas within paths
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
sim=build/tests/sim/sim
work=$(mktemp -d)
at_exit "rm -rf $work"

# holds EXPRESSION POLICY ARGS...: Perl on the result: $good (Mbit/s), @share, %delay and %completion (ms), $flips
holds() {
	local expression=$1
	shift
	$sim "$@" -j >"$work/out" || return 1
	perl -MJSON::PP -e 'my $r = decode_json(<STDIN>); my ($good, @share) = ($r->{goodput_mbps}, @{$r->{share}}); my $flips = $r->{flips};
		my %delay = %{$r->{delay_ms} || {}}; my %completion = %{$r->{completion_ms} || {}}; exit !eval $ARGV[0]' "$expression" <"$work/out" || {
		cat "$work/out"
		return 1
	}
}
refuses() { # REGEX ARGS...
	local regex=$1 status=0
	shift
	$sim "$@" >"$work/out" 2>"$work/err" || status=$?
	[ $status = 2 ] && grep -Eq -e "$regex" "$work/err" || { echo "exit $status"; cat "$work/err"; return 1; }
}

unlike=(--path 50mbit,10ms --path 50mbit,80ms)
equal=(--path 50mbit,10ms --path 50mbit,10ms)
bonded=(--path 50mbit,10ms --path 20mbit,40ms)
costs=(--path 50mbit,10ms --path 50mbit,10ms,cost=1)
weights=(--path 50mbit,10ms,weight=3 --path 50mbit,10ms)
fails=(--path 50mbit,20ms,down=3s,up=6s --path 50mbit,20ms,cost=1)

[ -x $sim ] || bail "no simulator: make tests"
# the model itself
ok "tcp: one path, filled" holds '$good > 45 && $good < 47.5' tcp "${equal[@]}"
ok "stock: both paths, filled" holds '$good > 90 && $good < 95 && $share[0] > 0.48 && $share[0] < 0.52' stock "${equal[@]}"
ok "stock: a stream of unlike delays waits for the slow path" holds '$delay{p50} < 11 && $delay{p95} > 50' stock "${unlike[@]}" --app stream:10mbit
ok "stock: requests wait for the slow path" holds '$completion{p50} > 90' stock --path 50mbit,10ms --path 20mbit,80ms --app request:100kb
ok "loss costs, and nothing is lost" holds '$good > 2 && $good < 45 && $completion{n} == 1' tcp --path 50mbit,10ms,loss=0.5% --app bulk:5mb
is "$($sim rr "${bonded[@]}" --path 10mbit,5ms,loss=1% -j)" "$($sim rr "${bonded[@]}" --path 10mbit,5ms,loss=1% -j)" "the same arguments, the same result"
ok "a thousand connections share the paths" holds '$good > 700 && $good < 950 && $share[1] > 0.4' minrtt --path 500mbit,10ms --path 500mbit,20ms --connections 1000 --seconds 3

# delay
for p in minrtt delay blest ecf otias priority standby rtt_threshold; do
	ok "$p: a stream that the fast path carries sees its delay" holds '$share[0] > 0.999 && $delay{p95} < 11 && $delay{p99} < 15' $p "${unlike[@]}" --app stream:10mbit
	ok "$p: so do requests" holds '$share[0] > 0.98 && $completion{p50} < 40' $p --path 50mbit,10ms --path 20mbit,80ms --app request:100kb
	ok "$p: a small window is not wasted on a slow path" holds '$good > 37' $p --path 50mbit,10ms --path 10mbit,150ms --window 100kb
done

# capacity
for p in minrtt blest ecf otias priority; do
	ok "$p: bulk fills both paths" holds '$good > 61' $p "${bonded[@]}"
	ok "$p: and equal ones" holds '$good > 90' $p "${equal[@]}"
done
ok "rtt_threshold: bulk fills both paths below the bound" holds '$good > 61' rtt_threshold threshold_us=400000 "${bonded[@]}"
ok "rtt_threshold: the one above the bound is left alone" holds '$share[0] > 0.99' rtt_threshold threshold_us=130000 --path 50mbit,5ms --path 50mbit,80ms
ok "delay: one path at a time" holds '$good < 60' delay "${equal[@]}"
ok "standby: one path" holds '$share[0] > 0.99 && $good > 45' standby "${costs[@]}"

# shares
ok "rr: a stream in equal parts" holds 'abs($share[0] - 0.5) < 0.01' rr "${equal[@]}" --app stream:20mbit
ok "rr: bulk in equal parts" holds 'abs($share[0] - 0.5) < 0.01 && $good > 90' rr "${equal[@]}"
ok "split: a stream by weight" holds 'abs($share[0] - 0.75) < 0.01' split "${weights[@]}" --app stream:20mbit
ok "split: bulk by weight, as much as the weights let through" holds 'abs($share[0] - 0.75) < 0.02 && $good > 57' split "${weights[@]}"
ok "split: by weight over three" holds 'abs($share[0] - 0.7) < 0.02 && abs($share[1] - 0.2) < 0.02' split --path 50mbit,10ms,weight=7 --path 50mbit,10ms,weight=2 \
	--path 50mbit,10ms --app stream:30mbit

# cost
ok "priority: the cheap path carries what it can" holds '$share[0] > 0.99' priority "${costs[@]}" --app stream:20mbit
ok "priority: the dear one the rest" holds '$share[0] > 0.65 && $good > 63' priority "${costs[@]}" --app stream:65mbit
ok "standby: back on the cheap path once it works again" holds '$share[0] > 0.4 && $share[1] > 0.3 && $good > 4.9' standby "${fails[@]}" --app stream:5mbit
for p in stock minrtt delay rr split priority standby blest ecf otias rtt_threshold; do
	ok "$p: all of a stream arrives though a path fails" holds '$good > 4.9 && $delay{max} < 2500' $p "${fails[@]}" --app stream:5mbit
done

ok "a policy that it cannot carry out is refused" refuses 'redundant: backup flags' redundant "${equal[@]}"
ok "no path" refuses '--path: at least one' stock
ok "no such policy" refuses 'nonesuch: no such policy' nonesuch "${equal[@]}"
ok "no such tunable" refuses 'nonesuch=1: the policy has no such tunable' minrtt nonesuch=1 "${equal[@]}"
ok "out of range" refuses "out of the tunable's range" minrtt hysteresis_us=1000001 "${equal[@]}"
ok "no such application" refuses 'not an application' minrtt "${equal[@]}" --app stream
done_testing
