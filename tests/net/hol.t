#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Head-of-line time against a capture at the receiver: its segments are put in order again by their data sequence numbers, and for how long something lies behind
# a hole is what stat says, and what it remembers; so is how much. Bytes that were sent twice, on different subflows, against the same. And a table that is full.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=hol$$
. tests/lib/transfer.sh
quiet() { [ "$(look client '$c->{inflight} + $c->{queued}')" = 0 ]; }
# segments SIDE: time, sequence number, length, DSN, subflow sequence number and port of what has payload, in the order in which this end saw it
segments() {
	for i in 1 2; do
		tshark -r "$work/$1$i.pcap" -n -o tcp.desegment_tcp_streams:FALSE -Y "tcp.dstport == 5001 && tcp.len > 0 && tcp.options.mptcp.rawdataseqno" -T fields \
			-e frame.time_epoch -e tcp.seq -e tcp.len -e tcp.options.mptcp.rawdataseqno -e tcp.options.mptcp.subflowseqno -e tcp.srcport 2>/dev/null
	done | sort -n
}
# replay SIDE: seconds for which data lay behind a hole, how many waits there were, the longest, and the bytes that came on more than one subflow
replay() {
	segments "$1" | perl -ane '
		my ($now, $seq, $len, $dsn, $ssn, $port) = @F;
		next if $seq < ($at{$port} // 0); # on this subflow again
		$at{$port} = $seq + $len;
		$base //= $dsn - ($seq - $ssn);
		my $from = $dsn + $seq - $ssn - $base;
		my $to = $from + $len;
		$seen .= "0" x ($to + 1000000 - length $seen) if length $seen < $to;
		$twice += substr($seen, $from, $len) =~ tr/1//;
		substr($seen, $from, $len) = "1" x $len;
		$next //= $from;
		if (%later) { $sum += $now - $was; $since //= $was } elsif (defined $since) { $waits++; $longest = $was - $since if $was - $since > ($longest // 0); undef $since }
		$later{$from} = $to if !defined $later{$from} || $later{$from} < $to;
		for my $start (sort { $a <=> $b } keys %later) { last if $start > $next; $next = $later{$start} if $later{$start} > $next; delete $later{$start} }
		$was = $now;
		END { printf "%.6f %d %.6f %d\n", $sum, $waits + defined $since, $longest, $twice }'
}
bursts() { # COUNT: into the pipe
	for _ in $(seq "$1"); do
		build/tests/mpio gen -b 300000 >&9
		sleep 0.2
	done
}

export LAB_BACKEND=relay # a capture at a device with netem does not see what that drops
up --path 20mbit,10ms --path 20mbit,40ms
ok "sight, on the receiver" $bin -n $lab-server load sight
for side in client server; do
	for i in 1 2; do
		ok "a capture of path$i, at the $side" capture $side$i $side path$i -s 128 -f "tcp port 5001"
	done
done
spawn recv server build/tests/mpio recv 10.77.1.2 5001
listens recv
# In bursts from a pipe that stays open, so that all that was sent can be looked at in peace.
mkfifo "$work/pipe"
nsenter --net=/run/netns/$lab-client build/tests/mpio send 10.77.1.2 5001 <"$work/pipe" >/dev/null &
echo $! >"$work/send.pid"
exec 9>"$work/pipe"
bursts 15
ok "all has arrived" until_true quiet
read -r total times longest < <(look server 'join " ", $c->{hol_us} / 1e6, $c->{hol_times}, $c->{hol_longest_us} / 1e6')
captured server1 server2
read -r want waits most _ < <(replay server)
echo "# the capture: $want s in $waits waits, the longest $most s; stat: $total s in $times, $longest s"
within "$total" "$want" 10 "head-of-line time, to 10 %"

# What was on its way when a path fell silent goes again, on the other one.
bursts 3
scripts/lab path $lab 2 down
bursts 5
ok "all has arrived without path 2" until_true quiet
scripts/lab path $lab 2 up
bursts 3
ok "and with it" until_true quiet
reinjected=$(look client '$c->{bytes_reinjected}')
received=$(look server '$c->{bytes_received}')
captured client1 client2
read -r _ _ _ twice < <(replay client)
echo "# sent on a second subflow: $twice bytes in the capture, $reinjected in stat; arrived so: $(look server '$c->{bytes_duplicate}') in stat"
ok "there were some" test "$twice" -gt 0
if [ "$received" -gt 0 ]; then
	within "$reinjected" "$twice" 5 "bytes reinjected, to 5 %"
else
	skip_known "this kernel does not count a connection's bytes" "bytes reinjected"
fi
read -r total times < <(look server 'join " ", $c->{hol_us}, $c->{hol_times}')
exec 9>&-
past() { $bin -n $lab-server -j stat | perl -MJSON::PP -e 'my $e = decode_json(<STDIN>)->{ended}[0]; print "$e->{hol_us} $e->{hol_times}\n" if $e; exit !$e'; }
ok "the connection ends" until_true past
is "$(past)" "$total $times" "and is remembered with its head-of-line time"
ok "in words" grep -q 'ENDED.* head-of-line=' <($bin -n $lab-server stat)
waits=$(pins server)/mpb_waits
is "$(bpftool -j map dump pinned "$waits" | perl -MJSON::PP -e 'print scalar @{decode_json(<STDIN>)}')" 0 "no record is left"

# A full table is counted, and nobody suffers.
$bin -n $lab-server unload --all
ok "tables of four" $bin -n $lab-server load sight --max-subflows 4
zeros=(0 0 0 0 0 0 0 0)
for i in 1 2 3 4; do # looked at in the far future, so that nobody sweeps it
	ok "entry $i is somebody's" bpftool map update pinned "$waits" key $i "${zeros[@]:1}" \
		value hex ff ff ff ff ff ff ff 7f "${zeros[@]}" "${zeros[@]}" "${zeros[@]}" "${zeros[@]}"
done
watch server event full
spawn recv server build/tests/mpio recv 10.77.1.2 5001
listens recv
nsenter --net=/run/netns/$lab-client build/tests/mpio send 10.77.1.2 5001 <"$work/pipe" >/dev/null &
echo $! >"$work/send.pid"
exec 9>"$work/pipe"
sent=0
for _ in $(seq $((50 * slow))); do
	bursts 1
	((sent += 300000))
	grep -q '"waits": *[1-9]' "$work/monitor.out" && break
done
ok "monitor tells" grep -q '"waits": *[1-9]' "$work/monitor.out"
whole() { [ "$(stat -c %s "$work/recv.out")" = $sent ]; }
ok "all has arrived" until_true whole
ok "stat counts it" test "$(look server '$s->{observer}{waits_full}')" -gt 0
is "$(look server '$c->{hol_times}')" 0 "and does not know who waited"
ok "so do the metrics" grep -q '^mptcp_bpf_observer_waits_full_total{} [1-9]' <($bin -n $lab-server stat --openmetrics)
exec 9>&-
down

# How much lies behind a hole: what path 1 has brought waits for what path 2 has had under way since before.
up --path 20mbit,10ms --path 20mbit,500ms
ok "sight, on the receiver" $bin -n $lab-server load sight
for i in 1 2; do ok "a capture of path$i" capture server$i server path$i -s 128 -f "tcp port 5001"; done
spawn recv server build/tests/mpio recv 10.77.1.2 5001
listens recv
nsenter --net=/run/netns/$lab-client build/tests/mpio send 10.77.1.2 5001 <"$work/pipe" >/dev/null &
echo $! >"$work/send.pid"
exec 9>"$work/pipe"
used() { bursts 1 && [ "$(look client '$c->{subflows}[1]{bytes_acked} > 10000 ? 1 : 0')" = 1 ]; }
ok "two subflows, both in use" until_true used
ok "all has arrived" until_true quiet
: >"$work/depths"
spawn depths server bash -c "while sleep 0.05; do $bin -j stat >>'$work/depths'; done"
said() { perl -ne '$n{$1}++ if /"out_of_order":([1-9]\d*)/; END { print join " ", sort { $a <=> $b } keys %n }' "$work/depths"; }
waits() { bursts 1 && [ "$(said | wc -w)" -ge 3 ]; }
ok "some wait behind a hole" until_true waits
ok "all has arrived" until_true quiet
kill "$(cat "$work/depths.pid")"
captured server1 server2
# Every depth that there was by the capture, a line each.
depths() {
	segments server | perl -ane '
		my ($now, $seq, $len, $dsn, $ssn, $port) = @F;
		$base //= $dsn - ($seq - $ssn);
		my $from = $dsn + $seq - $ssn - $base;
		$next //= $from;
		$later{$from} = $from + $len if !defined $later{$from} || $later{$from} < $from + $len;
		$most = $from + $len if !defined $most || $most < $from + $len;
		for my $start (sort { $a <=> $b } keys %later) { last if $start > $next; $next = $later{$start} if $later{$start} > $next; delete $later{$start} }
		print $most - $next, "\n"'
}
depths >"$work/capture"
echo "# $(said)"
for bytes in $(said); do ok "$bytes bytes in stat, and in the capture" grep -qx "$bytes" "$work/capture"; done
exec 9>&-
down
done_testing
