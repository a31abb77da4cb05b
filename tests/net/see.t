#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What stat and monitor say of real connections, against what they cannot see: a capture read by tshark, the kernel's counters, and what the test itself did.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=see$$
. tests/lib/transfer.sh

# look NS EXPRESSION: as transfer.sh's, of `stat -j --all`; @c its connections, @sub its subflows, living and ended, of all connections
look() {
	$bin -n "$lab-$1" -j --all stat | perl -MJSON::PP -e 'my $s = decode_json(<STDIN>); my @c = @{$s->{connections}};
		my @sub = map { @{$_->{subflows}}, @{$_->{closed} || []} } @c, @{$s->{ended}}; my $r = eval $ARGV[0]; print $@ || $r' "$2"
}
sees() { [ "$(look "$1" "($2) ? 1 : 0")" = 1 ]; }
receiver() { # PORT ARGS...
	spawn recv.$1 server build/tests/mpio "${@:2}" 10.77.1.2 "$1"
	listens recv.$1
}
# options SUBTYPE in|out [ECHO]: how many segments of both captures have it, by the client's side; of those with that echo bit
options() {
	awk -F '\t' -v subtype="$1" -v port="$([ "$2" = out ] && echo 2 || echo 1)" -v echo="${3:-}" '
		$port == 5001 && (echo == "" || $4 == echo) { k = split($3, s, ","); for (i = 1; i <= k; i++) n += s[i] == subtype } END { print n + 0 }' "$work/signals"
}
events() { perl -MJSON::PP -e 'my $n = 0; while (<STDIN>) { my $e = decode_json($_); $n++ if eval $ARGV[0] } print $n' "$1" <"$work/monitor.out"; }

up --path 20mbit,10ms --path 20mbit,25ms
server ip mptcp endpoint add 10.77.2.2 dev path2 signal
ok "sight, on the client" mb load sight
ok "and on the server" $bin -n $lab-server load sight
watch client
for dev in path1 path2; do capture $dev client $dev -f "tcp port 5001"; done
spawn deltas client $bin -j stat -i 1
receiver 5001 recv
spawn send.5001 client build/tests/mpio send -r 8000000 -d 600 10.77.1.2 5001
ok "two subflows" until_true sees client '@{$c[0]{subflows}} == 2'
id=$(look client '(grep { $_->{dev} eq "path2" } @{$c[0]{subflows}})[0]{local_id}')
prios() { [ "$(client nstat -asz MPTcpExtMPPrioTx | awk '/PrioTx/ { print $2 }')" = "$1" ]; }
for i in 1 2 3; do
	client ip mptcp endpoint change id "$id" backup
	until_true prios $((2 * i - 1))
	client ip mptcp endpoint change id "$id" nobackup
	until_true prios $((2 * i))
done
sleep $((2 * slow))
client ip mptcp endpoint delete id "$id"
ok "the second subflow ends, and is remembered with the connection" until_true sees client '@c == 1 && $c[0]{subflows_closed} == 1'
cause=$(look client 'join ",", map { $_->{cause} } grep { $_->{bytes_sent} > 0 } @{$c[0]{closed}}')
stop 5001
ended send.5001
ok "the connection ends, and is remembered" until_true sees client '@c == 0 && @{$s->{ended}} == 1 && @{$s->{ended}[0]{subflows}} >= 2'
captured path1 path2
all_told() { [ "$(events '$e->{event} eq "closed"')" = 2 ]; }
until_true all_told
kill -INT "$(cat "$work/monitor.pid")"
ended monitor

# frames PATH FILTER FIELD...: of a capture. Without reassembly, which takes minutes for a stream of zeros.
frames() {
	local path=$1 filter=$2
	shift 2
	tshark -r "$work/path$path.pcap" -n -o tcp.desegment_tcp_streams:FALSE -Y "$filter" -T fields "${@/#/-e}" 2>/dev/null
}
# Both ends close it at once, the client by FIN and the server, which is told that the address is gone, by RST or FIN: the capture knows which.
if [ "$(frames 2 "tcp.srcport == 5001 && tcp.flags.reset == 1 && frame.time_relative > 2" frame.number)" ]; then want="reset by the peer: unspecified"; else want=closed; fi
is "$cause" "$want" "with its totals and its cause"
for i in 1 2; do
	frames $i "tcp.options.mptcp.subtype in {3,4,5,7,8}" tcp.srcport tcp.dstport tcp.options.mptcp.subtype tcp.options.mptcp.echo >>"$work/signals"
	want=$(frames $i "tcp.dstport == 5001" tcp.len | awk '{ n += $1 } END { print n }')
	within "$(look client "my \$n = 0; \$n += \$_->{bytes_sent} for grep { \$_->{local} =~ /^10.77.$i/ } @sub; \$n")" "$want" 0.1 "path$i: bytes as in the capture, to 0.1 %"
done
declare -A subtypes=([ADD_ADDR]=3 [REMOVE_ADDR]=4 [MP_PRIO]=5 [MP_FASTCLOSE]=7 [MP_TCPRST]=8)
for name in "${!subtypes[@]}"; do
	for way in "client out out" "client in in" "server in out" "server out in"; do
		read -r side dir seen <<<"$way"
		[ "$name-$dir" = MP_TCPRST-out ] && continue # leaves after the subflow has closed, and is nobody's
		is "$(look "$side" "my \$n = 0; \$n += \$_->{signals}{$dir}{$name} || 0 for @sub; \$n")" "$(options ${subtypes[$name]} $seen)" "$side: $name $dir, as in the capture"
	done
done
is "$(options 5 out)" 6 "six MP_PRIO there were"
is "$(events '$e->{event} eq "priority" && $e->{by} eq "path manager"')" 6 "monitor told them, and by whom"
is "$(events '$e->{event} eq "born"') $(events '$e->{event} eq "joined"') $(events '$e->{event} eq "closed"')" "1 1 2" "born, joined, closed"
is "$(events '$e->{event} eq "announced" && $e->{by} eq "peer"')" "$(options 3 in 0)" "announcements of the peer"
is "$(events '$e->{event} eq "removed" && $e->{by} eq "path manager"')" "$(options 4 out)" "our removals"
is "$(cat "$work/monitor.err")" "" "monitor says nothing else"
ok "stat -i: every line is JSON and has what the interval brought" perl -MJSON::PP -e 'while (<>) { /\n/ or last; my $s = decode_json($_); $s->{interval_us} or die; for (@{$s->{connections}}) { $n += $_->{since}{bytes_sent} for @{$_->{subflows}} } } exit !$n' "$work/deltas.out"

# Filters and sorting choose; nothing else changes.
receiver 5002 recv -n 2
spawn hold client build/tests/mpio hold -c 2 10.77.1.2 5002
ok "two connections" until_true sees client '@c == 2'
count() { mb -j stat "$@" | perl -MJSON::PP -e 'print scalar @{decode_json(<STDIN>)->{connections}}'; }
is "$(count peer 10.77.1.0/24) $(count peer 10.99.0.0/16) $(count dev path1) $(count dev nodev) $(count state estab) $(count sched default) $(count sched rr) $(count sort rtt)" \
	"2 0 2 0 2 2 0 2" "filters"
receiver 5006 recv
spawn send.5006 client build/tests/mpio send -r 2000000 -d 600 10.77.1.2 5006
# order ARGS...: the ports of the connections that `stat` lists, in this order
order() { mb -j stat "$@" | perl -MJSON::PP -e 'print join " ", map { $_->{peer} =~ /:(\d+)$/ } @{decode_json(scalar <STDIN>)->{connections}}'; }
descending() { mb -j stat sort rtt | perl -MJSON::PP -MList::Util=max -e 'my @ms = map { max(map { $_->{srtt_us} } @{$_->{subflows}}) } @{decode_json(<STDIN>)->{connections}};
	print "@ms\n"; exit(@ms != 3 || "@ms" ne join(" ", sort { $b <=> $a } @ms))'; }
ok "a third one, which sends" until_true sees client 'grep { $_->{peer} =~ /:5006$/ && $_->{bytes_sent} > 100000 } @c'
is "$(order sort bytes) / $(order sort age)" "5006 5002 5002 / 5002 5002 5006" "most bytes, oldest first"
ok "the fastest first" until_true says "5006 5002 5002" order -i 1 sort rate
ok "the longest round trip first" descending
stop 5006
ended send.5006
ok "a word that it does not know" test "$(mb stat pear 1 2>/dev/null; echo $?)" = 2
ok "a sort key that there is not" test "$(mb stat sort size 2>/dev/null; echo $?)" = 2
kill "$(cat "$work/hold.pid")"

# A peer that takes no join, and one that speaks TCP only.
watch client event refused,fallback
server ip mptcp limits set subflows 0
server ip mptcp endpoint flush
client ip mptcp endpoint add 10.77.2.1 dev path2 subflow
receiver 5003 recv
spawn send.5003 client build/tests/mpio send -r 2000000 -d 600 10.77.1.2 5003
ok "a refused join has its cause" until_true sees client 'grep { $_->{remote} =~ /:5003$/ && ($_->{cause} // "") =~ /^refused/ } @sub'
told() { [ "$(events "$1")" -gt 0 ]; }
ok "which monitor tells" until_true told '$e->{event} eq "refused" && $e->{remote} =~ /:5003$/ && $e->{cause} =~ /^refused: /'
stop 5003
ended send.5003
receiver 5004 recv -t
spawn send.5004 client build/tests/mpio send -r 2000000 -d 600 10.77.1.2 5004
ok "a fallback has its cause" until_true sees client 'grep { $_->{fallback} && $_->{fallback_cause} eq "the peer answered without MP_CAPABLE" } @c'
soon 1 "which monitor tells, once" events '$e->{event} eq "fallback" && $e->{cause} eq "the peer answered without MP_CAPABLE"'
kill -INT "$(cat "$work/monitor.pid")"
ended monitor
stop 5004
ended send.5004

server ip mptcp limits set subflows 8
# A reader that is stopped: what it is not told is counted, to the last one.
watch client event born,joined,closed,refused,lost
receiver 5005 echo
all='2 * $s->{observer}{born} + grep { $_->{cause} && $_->{cause} =~ /^refused/ } @sub'
before=$(look client "$all")
monitor=$(cat "$work/monitor.pid")
kill -STOP "$monitor"
spawn hold client build/tests/mpio hold -c 1500 10.77.1.2 5005
until_true grep -q held "$work/hold.out"
kill -CONT "$monitor"
until_true test -s "$work/monitor.out"
kill -STOP "$monitor"
kill "$(cat "$work/hold.pid")"
until_true sees client '@c == 0'
kill -CONT "$monitor"
accounted() {
	told=$(events '$e->{event} ne "lost"')
	lost=$(perl -MJSON::PP -e 'my $n = 0; while (<STDIN>) { my $e = decode_json($_); $n += $e->{count} if $e->{event} eq "lost" } print $n' <"$work/monitor.out")
	after=$(look client "$all")
	[ $((told + lost)) -ge $((after - before)) ]
}
until_true accounted
# What is lost is not looked at, so it may be of a kind that was not asked for.
ok "told ($told) and lost ($lost) are all there were: the beginning and end of each subflow ($((after - before)))" test $((told + lost)) -ge $((after - before))
ok "some were lost" test "$lost" -gt 0
done_testing
