#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The transport converter, and the relay that is its client, against those that know RFC 8803 only from its tables: a client, a converter and a destination in namespaces of their own, the
# client with two paths to the converter.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
. tests/lib/converter.sh
hosts cv 81
in_ns $c sysctl -qw net.ipv4.tcp_fastopen=1
in_ns $v sysctl -qw net.ipv4.tcp_fastopen=3
in_ns $c ip mptcp limits set subflow 2 add_addr_accepted 2
in_ns $c ip mptcp endpoint add 10.81.2.1 dev p2 subflow
in_ns $v ip mptcp limits set subflow 2

serve() { start $v "$bin" converter serve threads 2 $tcp "$@"; }
client() { in_ns $c timeout 60 python3 $stub "$@"; }

destinations $d
start $d python3 $stub echo 10.82.0.2 9 proxy
start $d python3 $stub echo 10.82.0.2 8
serve listen 5000 client 10.81.0.0/16 client fd81::/16 dest 10.82.0.0/16 dest fd82::/16 dest 10.99.0.0/16 dest fd99::/16 grace 5
served=${pids[-1]}
serve listen 10.81.1.2:5001 client 0.0.0.0/0 dest 10.82.0.0/16 cookies tcp
with_cookies=${pids[-1]}
serve listen 5002 client 10.81.0.0/16 dest 10.82.0.0/16 mptcp-out max-each 1
serve listen 5003 client 10.81.0.0/16 dest 10.82.0.0/16 proxy-protocol
serve listen 5004 client 10.99.0.0/16 dest 10.82.0.0/16
serve listen 5005 client 10.81.0.0/16
serve listen 5006 client 10.81.0.0/16 dest 10.82.0.0/16 dest 10.99.0.0/16 handshake 3
start $d python3 $stub hold 10.82.0.2 12
# Routes of the destination's that answer by ICMP, or not at all.
in_ns $d sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
ip -n $v route add 10.99.0.0/24 via 10.82.0.2 && ip -n $d route add prohibit 10.99.0.2 && ip -n $d route add unreachable 10.99.0.3 && ip -n $d route add blackhole 10.99.0.4
ip -n $v -6 route add fd99::/64 via fd82::2 && ip -n $d -6 route add prohibit fd99::2
ip -n $v addr add 11.82.0.1/32 dev lo

to="10.81.1.2 5000 10.82.0.2 7"
[ "$mptcp" ] || skip "mptcp_fastopen" "requests in the SYNs of MPTCP"
for kind in "" $mptcp; do
	for case in connect without_fastopen data_behind byte_by_byte info info_too extended; do
		# shellcheck disable=SC2086
		ok "${kind:-tcp}: $case" client $case $to $kind
	done
	ok "${kind:-tcp}: bulk" client bulk 10.81.1.2 5000 10.82.0.2 10 $kind
	ok "${kind:-tcp}: to an IPv6 destination" client connect 10.81.1.2 5000 fd82::2 7 $kind
	ok "${kind:-tcp}: an IPv6 client" client bulk fd81:1::2 5000 fd82::2 10 $kind
	ok "${kind:-tcp}: an IPv6 client, an IPv4 destination" client connect fd81:1::2 5000 10.82.0.2 7 $kind
done
if_mptcp "mptcp: over two subflows" test "$(in_ns $c nstat -asz MPTcpExtMPJoinSynAckRx | awk '/Join/ { print $2 }')" -ge 1
ok "the converter's host keeps to the window" test "$(in_ns $c nstat -asz MPTcpExtNoDSSInWindow | awk '/NoDSS/ { print $2 }')" -lt 50
ok "requests came in SYNs" test "$(counted fastopen)" -ge $((${#mptcp} ? 12 : 6))
if_mptcp "and by MPTCP" test "$(counted mptcp)" -ge 9
for case in urgent version not_convert malformed unsupported unsupported_option refused; do
	# shellcheck disable=SC2086
	ok "$case" client $case $to
done
ok "a destination without a route" client unreachable 10.81.1.2 5000 10.99.1.1 7 0
ok "one that a router prohibits: its ICMP code" client unreachable 10.81.1.2 5000 10.99.0.2 7 13
ok "one that a router does not reach" client unreachable 10.81.1.2 5000 10.99.0.3 7 1
ok "one that a router prohibits: its ICMPv6 code" client unreachable 10.81.1.2 5000 fd99::2 7 1
ok "one that does not answer: in time, so that it is told" client silent 10.81.1.2 5006 10.99.0.4 7
ok "a destination that the list has not" client not_authorized 10.81.1.2 5000 10.83.0.1 7
ok "the converter itself is no destination" client not_authorized 10.81.1.2 5002 10.81.1.2 5002
ok "another address of the converter's, unless the list has it" client not_authorized 10.81.1.2 5005 11.82.0.1 5000
ok "its neighbour may be one" client unreachable 10.81.1.2 5005 11.82.0.2 5000 0
ok "a destination of the other family that the list has not" client not_authorized fd81:1::2 5000 192.168.1.1 7
is "$(counted malformed_message),$(counted connection_reset)" 11,1 "each error is counted"

ok "a cookie is handed out, and opens; a wrong one does not" client cookie 10.81.1.2 5001 10.82.0.2 7
ok "the destination is told the client's address" client proxied 10.81.1.2 5003 10.82.0.2 9
ok "one connection a client where that is the limit" client limited 10.81.1.2 5002 10.82.0.2 7
ok "a client that is not on the list" client not_authorized 10.81.1.2 5004 10.82.0.2 7
ok "no list of clients is an error" sh -c "! $bin converter serve listen 5009 2>$work/err && grep -q 'needs to know who may use it' $work/err"

# The relay: destinations are local here, so connections to them come to it.
ip -n $c route add local 10.82.0.2/32 dev lo
ip -n $c -6 route add local fd82::2/128 dev lo
start $c "$bin" converter client listen 7 to 10.81.1.2:5000 ${mptcp:+fastopen} $tcp threads 1
start $c "$bin" converter client listen 10 to 10.81.1.2:5000 threads 1
start $c "$bin" converter client listen 8 to 10.81.1.2:5001 tcp threads 1
start $c "$bin" converter client listen 11 to 10.81.1.2:5000 threads 1
before=$(counted fastopen)
for kind in "" mptcp; do
	# shellcheck disable=SC2086
	ok "client: ${kind:-tcp}" client app 10.82.0.2 7 $kind 20000 5
	# shellcheck disable=SC2086
	ok "client: ${kind:-tcp}, IPv6" client app fd82::2 7 $kind 20000 5
done
is $(($(counted fastopen) - before)) 20 "client: its requests came in SYNs"
if_mptcp "client: bulk over two subflows" client load 10.82.0.2 10 20000000
ok "client: an error is a reset" client fails 10.82.0.2 11
relay_errors() { in_ns $c "$bin" -j converter stat client port 8 | grep -oE '"(missing_cookie|not_authorized)":[0-9]+' | tr '\n' ' '; }
ok "client: a cookie that is missed is asked for, and nobody notices" client app 10.82.0.2 8 20000 2
is "$(relay_errors)" '"missing_cookie":1 "not_authorized":0 ' "client: once"
kill "$with_cookies"
wait "$with_cookies"
serve listen 10.81.1.2:5001 client 0.0.0.0/0 dest 10.82.0.0/16 cookies tcp
ok "client: one that holds no longer is replaced" client app 10.82.0.2 8 20000 2
is "$(relay_errors)" '"missing_cookie":2 "not_authorized":1 ' "client: by another one"

ok "a client that resets when it has ended its side" client leaves 10.81.1.2 5000 10.82.0.2 12
ok "leaves no session, though the destination stays" ended

ok "half a thousand hostile clients, and honest ones between" client hostile 10.81.1.2 5006 10.82.0.2 7 500
ok "no session stays" ended 5006
ok "the silent ones were ended" test "$(counted late 5006)" -gt 50

ok "no fast open on MPTCP sockets: a relay that is to use it is refused" sh -c "MPTCP_BPF_HIDE=mptcp_fastopen $bin converter client to 10.81.1.2:5000 fastopen 2>$work/err; test \$? = 4 && grep -q 'send nothing in SYNs' $work/err"
start $v env MPTCP_BPF_HIDE=mptcp_fastopen "$bin" converter serve listen 5011 client 10.81.0.0/16 dest 10.82.0.0/16 threads 1
ok "a converter says so" grep -q 'MPTCP listeners of this kernel cannot' "$work/log.$((${#pids[@]} - 1))"
ok "and takes requests behind the handshake" client connect 10.81.1.2 5011 10.82.0.2 7

# A device that comes up later, in a namespace where nothing else serves, and by one that has given its rights away.
at_late() { local i; for ((i = 0; i < 300; i++)); do [ "$(in_ns $d bpftool net show dev late | grep -c convert_serve_in)" = "$1" ] && return; sleep 0.1; done; return 1; }
in_ns $d sysctl -qw net.ipv4.tcp_fastopen=3
start $d "$bin" converter serve listen 5010 client 10.82.0.0/16 user nobody threads 1
ip -n $d link add late type veth peer name later
ok "windows are mended at no device that is down" at_late 0
ip -n $d link set late up
if_mptcp "and at one that comes up later" at_late 1
kill "${pids[-1]}"
wait "${pids[-1]}"
ok "until it ends" at_late 0

kill "$served"
wait "$served"
is $? 0 "it ends when told"
ok "and is gone" sh -c "! nsenter --net=/run/netns/$v $bin converter stat port 5000"
done_testing
