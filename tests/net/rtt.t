#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Percentiles of round-trip times next to a capture, on two paths whose delay is longer for a third of the time: p95 is of the longer one, p50 of the other.
# To 10 %: the middle of a bucket is off by 6 % at most, the rest is for what comes between the two; and to 3 ranks in a hundred, two or three round trips of
# which windows have a hundred at most.
cd "$(dirname "$0")/../.." || exit 1
lab=rtt$$
. tests/lib/tap.sh
. tests/lib/transfer.sh
look() { mb -j stat dev "path$1" | perl -MJSON::PP -e 'my ($v) = map { @{$_->{subflows}} } @{decode_json(<STDIN>)->{connections}}; print eval $ARGV[0]' "$2"; }
shown() { [ "$(look "$1" '$v->{rtt_p50_us} > 0')" = 1 ]; }
# now: CLOCK_MONOTONIC in ms, of which 10,000 are a window, without a process that takes its time; skew: what the time since the start is behind it
now() { read -r up _ </proc/uptime && up=$((10#${up/./} * 10 + skew)); }
skew=0 && now && skew=$(perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%d", clock_gettime(CLOCK_MONOTONIC) * 1000 - $ARGV[0]' $up)
beginning() { now && [ $((up % 10000)) -lt 1000 ]; }
# apart PATH: p95 is of the longer delay; to rtt1 go both percentiles, and from when to when they were: from the beginning of the window before this one
apart() {
	now && window=$((up / 10000))
	figures=$(look "$1" '"$v->{rtt_p50_us} $v->{rtt_p95_us}"') && now && [ $((up / 10000)) = $window ] || return
	clock=$((${EPOCHREALTIME/./} / 1000))
	echo "$figures $((clock - up % 10000 - 10000)) $clock" >"$work/rtt1"
	awk '{ exit !($2 > 1.3 * $1) }' "$work/rtt1"
}
# rtts PATH SHARE FROM TO: what the capture has of 3 % below and above that share, us, between two times (ms); once a round trip, as the kernel: of the first that
# acknowledges what was sent since the last
rtts() {
	tshark -r "$work/path$1.pcap" -n -o tcp.desegment_tcp_streams:FALSE -Y tcp -T fields -E separator=' ' -e frame.time_epoch -e tcp.dstport -e tcp.seq -e tcp.len -e tcp.ack \
		-e tcp.analysis.ack_rtt 2>/dev/null |
		awk -v port=$((5000 + $1)) -v from="$3" -v to="$4" '
			$2 == port { if ($3 + $4 > sent) sent = $3 + $4; next }
			$6 && $5 > round { round = sent; if ($1 * 1000 >= from && $1 * 1000 < to) printf "%d\n", $6 * 1e6 }' |
		sort -n | awk -v share="$2" '{ v[NR] = $1 } END { print v[int(NR * (share - 0.03) + 0.5)], v[int(NR * (share + 0.03) + 0.5)] }'
}

export LAB_BACKEND=relay # a capture at a device with netem sees what leaves it after the delay
up --path 20mbit,55ms --path 20mbit,75ms
client ip mptcp limits set subflows 0
mb load minrtt
spawn keep client $bin -j stat -i 1
for i in 1 2; do ok "a capture of path$i" capture path$i client path$i -s 128 -f "tcp port 500$i"; done
until_true test -s "$work/keep.out"
ok "a window begins" until_true beginning
# In an emulation two segments at a time, which are acknowledged at once: of one that waits for the next, kernel and capture have different round trips.
for i in 1 2; do begin 10.77.$i.2 500$i -r $((1000000 / (slow * slow))) -g $((slow > 1 ? 20 * slow * slow : 1)) -d 600; done
for i in 1 2; do ok "path$i: round-trip times are kept" until_true shown $i; done
# sway MS SECONDS MS SECONDS: delays that are MS longer for SECONDS, in turns; an emulation takes as long again to say so
sway() { while :; do for i in 1 2; do scripts/lab path $lab $i delay=$((20 * i + $1))ms; done; sleep "$2"; set -- "$3" "$4" "$1" "$2"; done; }
sway 90 1 35 $((2 * slow)) >/dev/null 2>&1 &
echo $! >"$work/sway.pid"
sleep 20 # the window that is read, and its beginning, know nothing of before
for i in 1 2; do
	ok "path$i: p95 is of the longer delay, p50 of the other" until_true apart $i
	mv "$work/rtt1" "$work/rtt.$i"
done
kill "$(cat "$work/sway.pid")"
stop 5001 5002
for i in 1 2; do ok "path$i: the payload is whole" finish 500$i; done
captured path1 path2
for i in 1 2; do
	read -r "got[50]" "got[95]" from to <"$work/rtt.$i"
	for share in 50 95; do
		read -r low high < <(rtts $i 0.$share "$from" "$to")
		ok "path$i: p$share, ${got[share]} us, as in the capture, $low to $high, to 10 %" test "${got[share]}" -ge $((low * 90 / 100)) -a "${got[share]}" -le $((high * 110 / 100))
	done
done
done_testing
