#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Applications that know of no converter, through one: chosen by rules, TCP and MPTCP with two subflows, IPv4 and IPv6, our converter and one that knows
# RFC 8803 only from its tables, its odd replies, its errors, its silence.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/converter.sh
hosts cx 83
# Without a converter the client gets there too: the bypass goes this way.
in_ns $v sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.tcp_fastopen=3
ip -n $c route add default via 10.83.1.2
ip -n $c -6 route add default via fd83:1::2
ip -n $d route add default via 10.84.0.1
ip -n $d -6 route add default via fd84::1
in_ns $c ip mptcp limits set subflow 0 add_addr_accepted 0 # two subflows: further down
in_ns $c ip mptcp endpoint add 10.83.2.1 dev p2 subflow
in_ns $c ip mptcp endpoint add fd83:2::1 dev p2 subflow
in_ns $v ip mptcp limits set subflow 2
ip -n $c route add 10.83.1.2/32 via 10.83.2.2 table 2 && ip -n $c rule add from 10.83.2.1 table 2
ip -n $c -6 route add fd83:1::2/128 via fd83:2::2 table 2 && ip -n $c -6 rule add from fd83:2::1 table 2

app() { in_ns $c timeout 120 python3 $stub "$@"; }
# field NAME KEY: of a converter of the client's
field() { $bin -n $c -j converter list | perl -MJSON::PP -e 'my ($n, $k) = @ARGV; my ($o) = grep { $_->{name} eq $n } @{decode_json(<STDIN>)}; print $o->{$k}' "$@"; }
mib() { in_ns $c nstat -asz "$1" | awk -v n="$1" '$1 == n { print $2 }'; }

destinations $d
start $v "$bin" converter serve listen 5000 client 10.83.0.0/16 client fd83::/16 dest 10.84.0.0/16 dest fd84::/16 threads 1 $tcp
port=5001
for quirk in split coalesce extended nofastopen error=32 error=64 twice late_error; do
	start $v python3 $stub serve :: $((port++)) $mptcp $quirk
done
start $v "$bin" converter serve listen 5009 client 10.83.0.0/16 dest 10.84.0.0/16 threads 1 tcp

ok "a converter" $bin -n $c converter add conv 10.83.1.2:5000 bypass 2
ok "another for IPv6" $bin -n $c converter add conv6 "[fd83:1::2]:5000"
ok "a rule for one that is not there is refused" sh -c "! $bin -n $c rule add convert none"
ok "rules" sh -c "$bin -n $c rule add peer 10.84.0.0/16 convert conv && $bin -n $c rule add peer fd84::/16 convert conv6"
nsenter --net=/run/netns/$c "$bin" -j monitor event converter >$work/told &
pids+=($!)
# told PATTERN: the monitor says so; it looks twice a second
told() { local i; for ((i = 0; i < 100; i++)); do grep -q "$1" $work/told && return; sleep 0.1; done; cat $work/told; return 1; }
for kind in "" mptcp; do
	for dest in 10.84.0.2 fd84::2; do
		# shellcheck disable=SC2086
		{
			ok "${kind:-tcp} to $dest" app app $dest 7 $kind
			ok "${kind:-tcp} to $dest, 50 times 1 KB" app app $dest 7 $kind 1000 50
			ok "${kind:-tcp} to $dest, 5 MB each way" app load $dest 10 $kind 5000000
		}
	done
done
is "$(field conv redirected),$(field conv replied),$(field conv6 replied)" 104,104,104 "all of them went through the converter"
is "$(counted fastopen),$(counted accepted),$(counted reset)" 208,208,0 "with the request in the SYN, and none was reset"
if_mptcp "half of them by MPTCP" test "$(counted mptcp)" -ge 104
is "$(mib TcpInCsumErrors),$(mib MPTcpExtDSSNotMatching),$(mib MPTcpExtDataCsumErr)" 0,0,0 "no wrong checksum or mapping"

in_ns $c sysctl -qw net.mptcp.checksum_enabled=1
in_ns $v sysctl -qw net.mptcp.checksum_enabled=1
ok "mptcp with DSS checksums" app load 10.84.0.2 10 mptcp 5000000
is "$(mib MPTcpExtDataCsumErr)" 0 "none was wrong"
in_ns $c sysctl -qw net.mptcp.checksum_enabled=0
in_ns $v sysctl -qw net.mptcp.checksum_enabled=0

for quirk in split=5001 coalesce=5002 extended=5003; do
	$bin -n $c converter add conv 10.83.1.2:${quirk#*=}
	$bin -n $c converter add conv6 "[fd83:1::2]:${quirk#*=}"
	for kind in "" mptcp; do
		for dest in 10.84.0.2 fd84::2; do
			# shellcheck disable=SC2086
			ok "${kind:-tcp} to $dest: a reply that comes ${quirk%=*}" app app $dest 7 $kind 100000 2
		done
	done
done
is "$(mib TcpInCsumErrors)" 0 "no wrong checksum with these either"
$bin -n $c converter add conv 10.83.1.2:5005
ok "tcp: an error ends the connection, and none of its bytes arrives" app fails 10.84.0.2 7
ok "mptcp: the same" app fails 10.84.0.2 7 mptcp
is "$(field conv errors),$(field conv last_error)" 2,not_authorized "and is told"
for quirk in twice=5007 late_error=5008; do
	$bin -n $c converter add conv 10.83.1.2:${quirk#*=}
	for kind in tcp mptcp; do ok "$kind: a reply of more than a TLV is refused: ${quirk%=*}" app fails 10.84.0.2 7 $kind; done
	is "$(field conv errors),$(field conv last_error)" 2,malformed_message "and why"
done
$bin -n $c converter add conv 10.83.1.2:5006
ok "an error that asks for patience" app fails 10.84.0.2 7
is "$(field conv state),$(field conv last_error)" bypassed,resource_exceeded "gets it"
ok "and connections go direct" app app 10.84.0.2 7
start $v "$bin" converter serve listen 5010 client 10.83.0.0/16 dest 10.84.0.0/16 threads 1 cookies $tcp
for kind in tcp mptcp; do
	$bin -n $c converter add conv 10.83.1.2:5010 bypass 0
	ok "$kind: a converter that wants a cookie" app fails 10.84.0.2 7 $kind
	ok "$kind: gets the one that it has handed out" app app 10.84.0.2 7 $kind 20000 5
	is "$(field conv errors),$(field conv replied),$(field conv last_error)" 1,5,missing_cookie "$kind: after one error"
done
kill "${pids[-1]}"
wait "${pids[-1]}"
start $v "$bin" converter serve listen 5010 client 10.83.0.0/16 dest 10.84.0.0/16 threads 1 cookies $tcp
ok "a cookie that holds no longer" app fails 10.84.0.2 7
ok "is not used again" app fails 10.84.0.2 7
ok "but the one that was handed out then is" app app 10.84.0.2 7 tcp 20000 5
$bin -n $c converter add conv 10.83.1.2:5010 cookie 0102030405060708
for _ in 1 2; do ok "one that was configured is kept to" app fails 10.84.0.2 7; done
is "$(field conv last_error)" not_authorized "though it is wrong"
$bin -n $c converter add conv 10.83.1.2:5009
ok "mptcp to a converter that speaks TCP" app app 10.84.0.2 7 mptcp 20000 5
is "$(field conv replied)" 5 "goes through it"

$bin -n $c converter add conv 10.83.1.2:5000
coproc APP { in_ns $c timeout 120 python3 $stub rounds 10.84.0.2 7; }
read -r -t 100 port <&"${APP[0]}"
for seq in 0 0x40000000 0x80000000 0xc0000000; do
	in_ns $v python3 $stub forge 10.83.1.2 5000 10.83.1.1 "$port" $seq
	echo "after $seq" >&"${APP[1]}"
	answer=
	read -r -t 100 answer <&"${APP[0]}"
	is "$answer" echoed "a SYN+ACK from elsewhere, number $seq, disturbs no connection"
done
eval "exec ${APP[1]}>&-"
wait "$APP_PID"
$bin -n $c converter add conv 10.83.1.2:5005
ok "an error again" app fails 10.84.0.2 7
ok "is told by stat too" sh -c "$bin -n $c -j stat | grep -q '\"last_error\":\"not_authorized\"'"
ok "and by the monitor" told '"what":"refuses","reason":"not_authorized"'
in_ns $c ip mptcp limits set subflow 2 add_addr_accepted 2
$bin -n $c converter add conv 10.83.1.2:5000 bypass 2
for dest in 10.84.0.2 fd84::2; do
	ok "mptcp over two subflows to $dest, 20 MB each way" app load $dest 10 mptcp 20000000
done
if_mptcp "a second subflow joined each" test "$(mib MPTcpExtMPJoinSynAckRx)" -ge 2
ok "the converter's host keeps to the window" test "$(mib MPTcpExtNoDSSInWindow)" -lt 50
in_ns $c ip mptcp limits set subflow 0 add_addr_accepted 0
$bin -n $c converter add conv 10.83.1.2:5004 bypass 60
ok "a converter that does not take the request from the SYN is not used" app fails 10.84.0.2 7
is "$(field conv unacked),$(field conv state)" 1,bypassed "and is told"
ok "by the monitor too" told '"what":"bypassed","reason":"does not take'
ok "connections go direct meanwhile" app app 10.84.0.2 7
is "$(field conv bypassed)" 1 "which is counted"
$bin -n $c converter add conv 10.83.1.2:5999 bypass 60
ok "one whose port is closed" app fails 10.84.0.2 7
ok "is bypassed" app app 10.84.0.2 7
is "$(field conv state)" bypassed "and says so"
$bin -n $c converter add conv 10.83.1.2:5000 bypass 0
ip -n $v neigh replace 10.83.1.1 lladdr 02:00:00:00:00:01 dev p1 nud permanent
{ sleep 5; ip -n $v neigh del 10.83.1.1 dev p1; } &
ok "mptcp, when SYNs went unanswered" app app 10.84.0.2 7 mptcp
is "$(field conv dropped)" 0 "as plain TCP, which waits for no DATA_ACK"
if in_ns $c sysctl -qw net.mptcp.blackhole_timeout=3600 2>/dev/null; then
	# The fourth SYN is the first of TCP, and has to be the first that arrives: the way is mended between it and the third.
	for _ in 1 2 3 4 5; do
		before=$(mib TcpExtTCPSynRetrans)
		ip -n $c neigh replace 10.83.1.2 lladdr 02:00:00:00:00:01 dev p1 nud permanent
		{
			until [ "$(mib TcpExtTCPSynRetrans)" -ge $((before + 2)) ]; do sleep 0.1; done
			ip -n $c neigh del 10.83.1.2 dev p1
		} &
		ok "mptcp, when only SYNs of TCP are answered" app app 10.84.0.2 7 mptcp
		kill $! 2>/dev/null
		wait $!
		[ "$(mib MPTcpExtBlackhole)" = 0 ] || break
	done
	ok "and then: the peer is the destination all the same" app app 10.84.0.2 7 mptcp 1000 5
	ok "though the kernel begins no MPTCP for a while" test "$(mib MPTcpExtMPCapableSYNTXDisabled)" -ge 5
else
	skip "net.mptcp.blackhole_timeout" "the peer of an MPTCP socket that begins as TCP"
fi
in_ns $c sysctl -qw net.mptcp.blackhole_timeout=0 2>/dev/null
ok "the rules name them" sh -c "$bin -n $c rule list | grep -q 'convert conv6'"
ok "a converter goes" $bin -n $c converter del conv
ok "with its rule" sh -c "! $bin -n $c rule list | grep -q 'convert conv$'"
ok "and all goes" $bin -n $c unload --all
ok "connections are direct then" app app 10.84.0.2 7 mptcp
done_testing
