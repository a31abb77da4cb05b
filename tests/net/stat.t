#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# stat against the kernel's own words (ss), the observer's records against what really lives, and full tables.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=stat$$
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
at_exit "for ns in $lab-client $lab-server; do $bin -n \$ns unload --all; done; scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'
scripts/lab up $lab --path 20mbit,5ms --path 20mbit,5ms || bail "no lab"
client() { nsenter --net=/run/netns/$lab-client "$@"; }
# stat EXPR: of `stat -j` on the client, as $o
stat() { $bin -n $lab-client -j stat | perl -MJSON::PP -e 'my $o = decode_json(<STDIN>); my $r = eval $ARGV[0]; print $@ || $r' "$1"; }
receiver() { # ADDR COUNT
	rm -f "$work/err"
	nsenter --net=/run/netns/$lab-server build/tests/mpio recv -n "$2" "$1" 5001 >/dev/null 2>"$work/err" &
	pids+=($!)
	until_true grep -q listening "$work/err"
}
sees() { until_true says 1 stat "$1" || { $bin -n $lab-client -j stat | head -c 2000; return 1; }; }
records() { bpftool -j map dump pinned "/sys/fs/bpf/mptcp-bpf/$cookie/mpb_subflows" | perl -MJSON::PP -e 'print scalar @{decode_json(join "", <STDIN>)}'; }

is "$(stat 'scalar @{$o->{connections}}')" 0 "no connection, nothing loaded: an empty list"
for addr in 10.77.1.2 fd77:1::2; do
	receiver $addr 1
	nsenter --net=/run/netns/$lab-client build/tests/mpio send -r 8000000 -d 600 $addr 5001 >/dev/null &
	pids+=($!)
	ok "$addr: seen with two subflows, without anything loaded" sees '@{$o->{connections}} == 1 && @{$o->{connections}[0]{subflows}} == 2 ? 1 : 0'
	is "$(stat 'join ",", grep { !exists $o->{connections}[0]{$_} } qw(token state sched backend fallback bytes_sent bytes_acked subflows)')" "" "$addr: every key of a connection"
	is "$(stat 'my $s = $o->{connections}[0]{subflows}[0]; join ",", grep { !exists $s->{$_} } qw(id local remote dev cc state backup srtt_us cwnd inflight unsent pacing_bps delivery_bps bytes_sent bytes_retrans lost flips)')" "" \
		"$addr: every key of a subflow"
	is "$(stat '$o->{connections}[0]{fallback} ? 1 : 0')$(stat '$o->{connections}[0]{sched}')$(stat '$o->{connections}[0]{backend}')" 0defaultstock "$addr: no fallback, the stock scheduler"
	# Between two readings of ss: what stat says of a subflow lies in between.
	for i in 1 2; do
		dst=$addr
		[[ $addr == *:* ]] && dst="[$addr]"
		bytes() { client ss -tniH dst "$dst" | grep -A1 "%path$i\|10.77.$i.1:\|\[fd77:$i::1\]" | grep -o 'bytes_sent:[0-9]*' | head -n 1 | cut -d: -f2; }
		a=$(bytes)
		b=$(stat "(map { \$_->{bytes_sent} } grep { \$_->{dev} eq 'path$i' } @{\$o->{connections}[0]{subflows}})[0]")
		c=$(bytes)
		ok "$addr: bytes of the subflow on path$i: $a <= $b <= $c" test "$a" -le "$b" -a "$b" -le "$c"
	done
	token=$(stat '$o->{connections}[0]{token}')
	ok "$addr: by token" $bin -n $lab-client stat "$token"
	# A connection that was there before the first load is taken over, and its end is seen.
	$bin -n $lab-client load opt_count
	is "$(stat '$o->{connections}[0]{age_ms} >= 0 ? 1 : 0')" 1 "$addr: taken over by the observer"
	kill -INT "${pids[-1]}"
	wait "${pids[@]: -2:2}"
	ok "$addr: the end is seen" sees '@{$o->{connections}} == 0 ? 1 : 0'
	cookie=$($bin -n $lab-client -j stat | perl -MJSON::PP -e 'print decode_json(<STDIN>)->{netns}')
	$bin features | grep -q '^live_callbacks *yes' || $bin -n $lab-client load prio_pin # any change looks for what ended unseen
	soon 0 "$addr: no record is left" records
	is "$($bin -n $lab-client stat | grep -c 'table full')" 0 "$addr: no table is full"
	$bin -n $lab-client unload --all
	pids=()
done
is "$($bin -n $lab-client stat 0x1 2>&1)" "mptcp-bpf: 0x1: no connection has this token here" "an unknown token"

# Born under the observer's eyes; more connections than the tables hold: counted, and nobody suffers.
$bin -n $lab-client load opt_count --max-subflows 10
receiver 10.77.1.2 20
nsenter --net=/run/netns/$lab-client build/tests/mpio hold -c 20 10.77.1.2 5001 >"$work/held" &
holder=$!
pids+=("$holder")
until_true grep -q held "$work/held"
ok "20 connections of 2 subflows live with tables of 10" sees '@{$o->{connections}} == 20 && (grep { @{$_->{subflows}} == 2 } @{$o->{connections}}) == 20 ? 1 : 0'
is "$(stat '$o->{observer}{born} + $o->{observer}{subflows_full}')" 40 "each subflow is recorded or counted"
ok "the table is bounded" test "$(stat '$o->{observer}{born}')" -le 10
ok "in words" grep -q '^table full: [1-9][0-9]* subflows, ' <($bin -n $lab-client stat)
kill $holder
ok "all end" sees '@{$o->{connections}} == 0 ? 1 : 0'
is "$(stat '$o->{observer}{born} - $o->{observer}{gone}')" 0 "every record went with its subflow"
done_testing
