#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Percentiles of round-trip times next to a capture, on two paths whose delay is longer for a third of the time: p95 is of the longer one, p50 of the other.
# To 10 %: the middle of a bucket is off by 6 % at most, the rest is for what comes between the two.
cd "$(dirname "$0")/../.." || exit 1
lab=rtt$$
. tests/lib/tap.sh
. tests/lib/transfer.sh
look() { mb -j stat dev "path$1" | perl -MJSON::PP -e 'my ($v) = map { @{$_->{subflows}} } @{decode_json(<STDIN>)->{connections}}; print eval $ARGV[0]' "$2"; }
shown() { [ "$(look "$1" '$v->{rtt_p50_us} > 0')" = 1 ]; }
# apart PATH: p95 is of the longer delay; both percentiles go to rtt1
apart() { look "$1" '"$v->{rtt_p50_us} $v->{rtt_p95_us}"' >"$work/rtt1" && awk '{ exit !($2 > 1.3 * $1) }' "$work/rtt1"; }
second() { perl -MPOSIX=fmod -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%.3f", fmod(clock_gettime(CLOCK_MONOTONIC), 10)'; } # of a window of 10 s
beginning() { case $(second) in 0*) ;; *) false ;; esac; }
# from: when the window before this one began; both are read
from() { awk "BEGIN { printf \"%.3f\", $EPOCHREALTIME - 10 - $(second) }"; }
# rtts PATH SHARE FROM TO: that percentile of the capture, us, between two times; once a round trip, as the kernel: of the first that acknowledges what was sent since the last
rtts() {
	tshark -r "$work/path$1.pcap" -n -o tcp.desegment_tcp_streams:FALSE -Y tcp -T fields -E separator=' ' -e frame.time_epoch -e tcp.dstport -e tcp.seq -e tcp.len -e tcp.ack \
		-e tcp.analysis.ack_rtt 2>/dev/null |
		awk -v port=$((5000 + $1)) -v from="$3" -v to="$4" '
			$2 == port { if ($3 + $4 > sent) sent = $3 + $4; next }
			$6 && $5 > round { round = sent; if ($1 >= from && $1 < to) print $6 * 1e6 }' |
		sort -n | awk -v share="$2" '{ v[NR] = $1 } END { print v[int(NR * share + 0.5)] }'
}

export LAB_BACKEND=relay # a capture at a device with netem sees what leaves it after the delay
up --path 20mbit,55ms --path 20mbit,75ms
client ip mptcp limits set subflows 0
mb load minrtt
spawn keep client $bin -j stat -i 1
for i in 1 2; do ok "a capture of path$i" capture path$i client path$i -s 128 -f "tcp port 500$i"; done
until_true test -s "$work/keep.out"
ok "a window begins" until_true beginning
for i in 1 2; do begin 10.77.$i.2 500$i -r 1000000 -d 600; done
for i in 1 2; do ok "path$i: round-trip times are kept" until_true shown $i; done
# sway MS SECONDS MS SECONDS: delays that are MS longer for SECONDS, in turns; an emulation takes as long again to say so
sway() { while :; do for i in 1 2; do scripts/lab path $lab $i delay=$((20 * i + $1))ms; done; sleep "$2"; set -- "$3" "$4" "$1" "$2"; done; }
sway 90 1 35 $((2 * slow)) >/dev/null 2>&1 &
echo $! >"$work/sway.pid"
sleep 20 # the window that is read, and its beginning, know nothing of before
for i in 1 2; do
	ok "path$i: p95 is of the longer delay, p50 of the other" until_true apart $i
	at[i]="$(from) $EPOCHREALTIME"
	p50[i]=$(cut -d' ' -f1 "$work/rtt1")
	p95[i]=$(cut -d' ' -f2 "$work/rtt1")
done
kill "$(cat "$work/sway.pid")"
stop 5001 5002
for i in 1 2; do ok "path$i: the payload is whole" finish 500$i; done
captured path1 path2
for i in 1 2; do
	# shellcheck disable=SC2086 # two words
	want50=$(rtts $i 0.5 ${at[i]}) want95=$(rtts $i 0.95 ${at[i]})
	within "${p50[i]}" "$want50" 10 "path$i: p50, ${p50[i]} us, as in the capture, $want50, to 10 %"
	within "${p95[i]}" "$want95" 10 "path$i: p95, ${p95[i]} us, as in the capture, $want95, to 10 %"
done
done_testing
