#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# As much as the tables hold: 4,096 connections of two subflows in one namespace, both ends of which live there, are 16,384 records; then the same with
# tables of a quarter of that. CONNECTIONS connections (default 4096; 16384 fill tables of the default size, and take two minutes on a busy machine).
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
ns=full$$
count=${CONNECTIONS:-4096}
ends=$((2 * count))
subflows=$((2 * ends))
room=$((subflows / 4))
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
at_exit 'kill "${pids[@]}"'
ip netns add $ns || bail "no network namespaces"
ip link add v0 netns $ns type veth peer name v1 netns $ns
for dev in lo v0 v1; do ip -n $ns link set $dev up; done
for i in 1 2; do ip -n $ns addr add 10.9.0.$i/32 dev lo; done
nsenter --net=/run/netns/$ns sysctl -qw net.mptcp.enabled=1
ip -n $ns mptcp limits set subflows 2
ip -n $ns mptcp endpoint add 10.9.0.2 subflow

# took CMD...: it succeeds; how long it took is a comment
took() {
	local start=$EPOCHREALTIME
	ok "${*:4}" "$@"
	echo "# $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
}
# stat EXPR: of living connections $c, subflows $s and the observer's counters %$o; decoding it all takes Perl half a minute
stat() {
	$bin -n $ns -j stat | perl -MJSON::PP -e 'my $t = <STDIN>; my $c = () = $t =~ /"backend"/g; my $s = () = $t =~ /"cwnd"/g;
		my $o = decode_json($t =~ /"observer":(\{.*?\})/ ? $1 : "{}"); print eval $ARGV[0]' "$1"
}
until_is() { until_true says "$1" stat "$2" || { stat "$2"; return 1; }; }
# The kernel keeps a connection whose last words got lost for a minute.
all_end() { until_is "0 0" '"$c $s"' || { sleep 40 && until_is "0 0" '"$c $s"'; }; }
said() { cat "${@:2}" | grep -c "$1"; } # WORD FILE...: in how many lines
# hold COUNT: so many connections, over 8 ports, so that no listener's queue runs over and a SYN is sent again; process IDs go to pids
hold() {
	local port
	for port in $(seq 5001 5008); do
		nsenter --net=/run/netns/$ns build/tests/mpio echo 10.9.0.1 $port 2>"$work/echo.$port" &
		pids+=($!)
	done
	until_true says 8 said listening "$work"/echo.*
	for port in $(seq 5001 5008); do
		nsenter --net=/run/netns/$ns build/tests/mpio hold -c $(($1 / 8)) 10.9.0.1 $port >"$work/held.$port" &
		pids+=($!)
	done
	for _ in $(seq $((600 * ${SLOW:-1}))); do [ "$(cat "$work"/held.* | grep -c held)" = 8 ] && break; sleep 0.05; done
}
release() { kill "${pids[@]}" && wait "${pids[@]}"; pids=(); } 2>/dev/null

ok "load, with tables of $subflows" $bin -n $ns load opt_count dev v0 --max-subflows $subflows
hold "$count"
ok "$ends ends of connections, $subflows of subflows" until_is "$ends $subflows" '"$c $s"'
is "$(stat '"$o->{born} $o->{subflows_full} $o->{conns_full}"')" "$subflows 0 0" "each is recorded"
took $bin -n $ns list
took $bin -n $ns stat
took $bin -n $ns load prio_pin dev v0
took $bin -n $ns load minrtt dev v0
took $bin -n $ns load rr dev v0
took $bin -n $ns rule add peer 10.0.0.0/8 sched rr
took $bin -n $ns swap rr standby
took $bin -n $ns unload standby
took $bin -n $ns unload minrtt
took $bin -n $ns unload prio_pin
is "$(stat '"$c $s $o->{gone}"')" "$ends $subflows 0" "they all live"
release
ok "all end" all_end
is "$(stat '$o->{born} - $o->{gone}')" 0 "every record went with its subflow"
took $bin -n $ns unload --all

# More than the tables hold.
$bin -n $ns load opt_count dev v0 --max-subflows "$room"
hold "$count"
ok "the same with tables of $room" until_is "$ends $subflows" '"$c $s"'
is "$(stat '$o->{born} + $o->{subflows_full}')" "$subflows" "each subflow is recorded or counted"
ok "at least nine tenths of the table are in use" test "$(stat '$o->{born}')" -ge $((9 * room / 10)) -a "$(stat '$o->{born}')" -le "$room"
took $bin -n $ns load minrtt dev v0
took $bin -n $ns unload minrtt
is "$(stat '"$c $s"')" "$ends $subflows" "nobody suffers"
# Connections that were there first are taken over as far as there is room.
$bin -n $ns unload --all
took $bin -n $ns load opt_count dev v0 --max-subflows "$room"
is "$(stat '$o->{subflows_full}')" $((subflows - room)) "taken over: what finds no room is counted"
release
ok "all end" all_end
took $bin -n $ns unload --all
done_testing
