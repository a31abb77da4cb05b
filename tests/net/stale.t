#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# For how long the kernel took a subflow for stale, against its own counters (MPTcpExtSubflowStale, SubflowRecover) and a capture: from the last segment that came
# on a path before it fell silent to the first one after, while the subflow lives and after its end.
cd "$(dirname "$0")/../.." || exit 1
lab=stale$$
. tests/lib/tap.sh
. tests/lib/transfer.sh
path() { scripts/lab path $lab 2 "$1"; }
mib() { client nstat -asz "MPTcpExt$1" | awk -v n="MPTcpExt$1" '$1 == n { print $2 }'; }
counts() { [ "$(mib "$1")" -ge "$2" ]; }
# look EXPRESSION: Perl on the client's `stat -j --all`: the subflow of path 2 as $v, or, ended, as $p
look() {
	mb -j --all stat | perl -MJSON::PP -e 'my $s = decode_json(<STDIN>); my ($v, $p); for (@{$s->{connections}}) {
			($v) = grep { $_->{local} =~ /^10.77.2.1:/ } @{$_->{subflows}}; ($p) = grep { $_->{local} =~ /^10.77.2.1:/ } @{$_->{closed} || []} }
		($p) = grep { $_->{local} =~ /^10.77.2.1:/ } map { @{$_->{subflows}} } @{$s->{ended}} if !$v && !$p; my $r = eval $ARGV[0]; print $@ || $r' "$1"
}
sees() { [ "$(look "($1) ? 1 : 0")" = 1 ]; }
carries() { [ "$(look '$v ? $v->{bytes_acked} : 0')" -gt "$1" ]; }
# arrivals: when segments came on path 2, so far: the times in a file of libpcap's format. (tshark takes a minute to begin in an emulation.)
arrivals() {
	sleep 1 # dumpcap writes twice a second
	perl -0777 -ne 'for (my $at = 24; $at + 16 <= length; ) { my ($s, $us, $len) = unpack "x$at L3"; printf "%d.%06d\n", $s, $us; $at += 16 + $len }' "$work/capture"
}
# last TIME, first TIME: arrival before, after
last() { arrivals | awk -v t="$1" '$1 < t { last = $1 } END { print last }'; }
first() { arrivals | awk -v t="$1" '$1 > t { print $1; exit }'; }
# told EVENT [KEY]: of path 2, by monitor; the KEY of the last
told() {
	perl -MJSON::PP -e 'my $r; while (<STDIN>) { my $e = decode_json($_); $r = $e->{$ARGV[1] || "event"} if $e->{event} eq $ARGV[0] && $e->{local} =~ /^10.77.2.1:/ }
		print $r; exit !defined $r' "$@" <"$work/monitor.out"
}
calc() { awk "BEGIN { printf \"%.3f\", $* }"; }

scripts/lab up $lab --path 2mbit,10ms --path 2mbit,10ms 2>"$work/lab.log" || bail "no lab: $(tail -n 1 "$work/lab.log")"
client sysctl -qw net.mptcp.stale_loss_cnt=1 net.ipv4.tcp_orphan_retries=1 # soon
ok "sight" mb load sight
spawn monitor client $bin -j monitor event stale,recovered,closed
spawn dumpcap client dumpcap -q -P -s 96 -i path2 -w "$work/capture" -f "tcp src port 5001"
ok "a capture" until_true grep -q File: "$work/dumpcap.err"
for side in client server; do $side sysctl -qw net.ipv4.tcp_rmem='4096 6291456 33554432'; done # as sched_faults.t does
begin 10.77.1.2 5001 -r 3500000 -d 600 # more than one path takes: else all that path 2 had may have arrived otherwise, and the kernel misses nothing
ok "path 2 carries data" until_true carries 100000

path down
ok "path 2 dies: the kernel takes its subflow for stale" until_true counts SubflowStale 1
ok "stat says so" until_true sees '$v->{stale}'
ok "and monitor" until_true told stale
sleep $((3 * slow))
up=$EPOCHREALTIME
path up
ok "path 2 works: the kernel takes the subflow up again" until_true counts SubflowRecover 1
ok "stat says so" until_true sees '!$v->{stale}'
ok "and monitor" until_true told recovered
ms=$(look '$v->{stale_ms}')
silence=$(calc "1000 * ($(first "$up") - $(last "$up"))")
within "$ms" "$silence" 10 "stale for $ms ms, as long as nothing came, to 10 %"
ok "some seconds" test "${silence%.*}" -ge 3000

# The end is noted too, and outlives the connection.
ok "path 2 carries data" until_true carries $(($(look '$v->{bytes_acked}') + 100000))
before=$(look '$v->{stale_ms}')
path down
ok "path 2 dies again" until_true sees '$v->{stale}'
sleep $((2 * slow))
client ip mptcp endpoint delete id "$(look '$v->{local_id}')"
ok "its subflow ends" until_true sees '$p'
ok "which monitor tells" until_true told closed
end=$(told closed time_ns)
end=$(calc "$end / 1e9")
ms=$(($(look '$p->{stale_ms}') - before))
silence=$(calc "1000 * ($end - $(last "$end"))")
within $ms "$silence" 10 "stale for $ms ms more, as long as nothing came until then, to 10 %"
ok "in words" grep -q ', stale [0-9.]* s$' <(mb stat)
stop 5001
ok "the payload is whole" finish 5001
ok "the connection ends" until_true sees '!@{$s->{connections}}'
is "$(look '$p->{stale_ms}')" $((before + ms)) "and is remembered with that"
done_testing
