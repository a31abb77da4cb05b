#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Percentiles of round-trip times next to a capture, on two paths whose delay grows meanwhile: the median is of the longer time before that, p95 of the time after.
# To 10 %: the middle of a bucket is off by 6 % at most, the rest is for what comes between the two.
cd "$(dirname "$0")/../.." || exit 1
lab=rtt$$
. tests/lib/tap.sh
. tests/lib/transfer.sh
look() { mb -j stat dev "path$1" | perl -MJSON::PP -e 'my ($v) = map { @{$_->{subflows}} } @{decode_json(<STDIN>)->{connections}}; print eval $ARGV[0]' "$2"; }
shown() { [ "$(look "$1" '$v->{rtt_p50_us} > 0')" = 1 ]; }
second() { perl -MPOSIX=fmod -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%.3f", fmod(clock_gettime(CLOCK_MONOTONIC), 10)'; } # of a window of 10 s
beginning() { case $(second) in 0*) ;; *) false ;; esac; }
# rtts PATH FROM TO: p50 and p95 of the capture, us, between two times; once a round trip, as the kernel: of the first that acknowledges what was sent since the last
rtts() {
	tshark -r "$work/path$1.pcap" -n -o tcp.desegment_tcp_streams:FALSE -Y tcp -T fields -E separator=' ' -e frame.time_epoch -e tcp.dstport -e tcp.seq -e tcp.len -e tcp.ack \
		-e tcp.analysis.ack_rtt 2>/dev/null |
		awk -v port=$((5000 + $1)) -v from="$2" -v to="$3" '
			$2 == port { if ($3 + $4 > sent) sent = $3 + $4; next }
			$6 && $5 > round { round = sent; if ($1 >= from && $1 < to) print $6 * 1e6 }' |
		sort -n | awk '{ v[NR] = $1 } END { print v[int(NR * 0.5 + 0.5)], v[int(NR * 0.95 + 0.5)] }'
}

up --path 20mbit,20ms --path 20mbit,35ms
client ip mptcp limits set subflows 0
mb load minrtt
spawn keep client $bin -j stat -i 1
for i in 1 2; do ok "a capture of path$i" capture path$i client path$i -s 128 -f "tcp port 500$i"; done
until_true test -s "$work/keep.out"
ok "a window begins" until_true beginning
for i in 1 2; do begin 10.77.$i.2 500$i -r 4000000 -d 600; done
for i in 1 2; do ok "path$i: round-trip times are kept" until_true shown $i; done
sleep 6
for i in 1 2; do scripts/lab path $lab $i delay=$((20 * i + 30))ms; done
sleep 3
for i in 1 2; do look $i '"$v->{rtt_p50_us} $v->{rtt_p95_us}"' >"$work/rtt$i"; done
now=$EPOCHREALTIME
from=$(awk "BEGIN { printf \"%.3f\", $now - 10 - $(second) }") # this window and the one before are read
stop 5001 5002
for i in 1 2; do ok "path$i: the payload is whole" finish 500$i; done
captured path1 path2
for i in 1 2; do
	read -r p50 p95 <"$work/rtt$i"
	read -r want50 want95 < <(rtts $i "$from" "$now")
	within "$p50" "$want50" 10 "path$i: p50, $p50 us, as in the capture, $want50, to 10 %"
	within "$p95" "$want95" 10 "path$i: p95, $p95 us, as in the capture, $want95, to 10 %"
done
done_testing
