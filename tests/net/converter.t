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

serve() { start $v "$bin" converter serve threads 2 "$@"; }
client() { in_ns $c timeout 60 python3 $stub "$@"; }

destinations $d
start $d python3 $stub echo 10.82.0.2 9 proxy
start $d python3 $stub echo 10.82.0.2 8
serve listen 5000 client 10.81.0.0/16 client fd81::/16 dest 10.82.0.0/16 dest fd82::/16 dest 10.99.0.0/16 handshake 2 grace 5
served=${pids[-1]}
serve listen 10.81.1.2:5001 client 0.0.0.0/0 dest 10.82.0.0/16 cookies tcp
serve listen 5002 client 10.81.0.0/16 dest 10.82.0.0/16 mptcp-out max-each 1
serve listen 5003 client 10.81.0.0/16 dest 10.82.0.0/16 proxy-protocol
serve listen 5004 client 10.99.0.0/16 dest 10.82.0.0/16

to="10.81.1.2 5000 10.82.0.2 7"
# A stock client that asks in its SYN over MPTCP can stall on two subflows: the last test says so. Here it has one.
in_ns $c ip mptcp limits set subflow 0
for kind in "" mptcp; do
	for case in connect without_fastopen data_behind byte_by_byte info extended; do
		# shellcheck disable=SC2086
		ok "${kind:-tcp}: $case" client $case $to $kind
	done
	ok "${kind:-tcp}: bulk" client bulk 10.81.1.2 5000 10.82.0.2 10 $kind
	ok "${kind:-tcp}: to an IPv6 destination" client connect 10.81.1.2 5000 fd82::2 7 $kind
	ok "${kind:-tcp}: an IPv6 client" client bulk fd81:1::2 5000 fd82::2 10 $kind
	ok "${kind:-tcp}: an IPv6 client, an IPv4 destination" client connect fd81:1::2 5000 10.82.0.2 7 $kind
done
in_ns $c ip mptcp limits set subflow 2
ok "requests came in SYNs" test "$(counted fastopen)" -ge 12
ok "and by MPTCP" test "$(counted mptcp)" -ge 9
for case in version not_convert malformed unsupported unsupported_option refused; do
	# shellcheck disable=SC2086
	ok "$case" client $case $to
done
ok "a destination without a route" client unreachable 10.81.1.2 5000 10.99.0.1 7
ok "a destination that the list has not" client not_authorized 10.81.1.2 5000 10.83.0.1 7
ok "the converter itself is no destination" client not_authorized 10.81.1.2 5002 10.81.1.2 5002
ok "a destination of the other family that the list has not" client not_authorized fd81:1::2 5000 192.168.1.1 7
is "$(counted malformed_message),$(counted connection_reset)" 11,1 "each error is counted"

ok "a cookie is handed out, and opens" client cookie 10.81.1.2 5001 10.82.0.2 7
ok "the destination is told the client's address" client proxied 10.81.1.2 5003 10.82.0.2 9
ok "one connection a client where that is the limit" client limited 10.81.1.2 5002 10.82.0.2 7
ok "a client that is not on the list" client not_authorized 10.81.1.2 5004 10.82.0.2 7
ok "no list of clients is an error" sh -c "! $bin converter serve listen 5009 2>$work/err && grep -q 'needs to know who may use it' $work/err"

# The relay: destinations are local here, so connections to them come to it.
ip -n $c route add local 10.82.0.2/32 dev lo
ip -n $c -6 route add local fd82::2/128 dev lo
start $c "$bin" converter client listen 7 to 10.81.1.2:5000 fastopen threads 1
start $c "$bin" converter client listen 10 to 10.81.1.2:5000 threads 1
start $c "$bin" converter client listen 8 to 10.81.1.2:5001 tcp threads 1
before=$(counted fastopen)
for kind in "" mptcp; do
	# shellcheck disable=SC2086
	ok "client: ${kind:-tcp}" client app 10.82.0.2 7 $kind 20000 5
	# shellcheck disable=SC2086
	ok "client: ${kind:-tcp}, IPv6" client app fd82::2 7 $kind 20000 5
done
is $(($(counted fastopen) - before)) 20 "client: its requests came in SYNs"
ok "client: bulk over two subflows" client load 10.82.0.2 10 20000000
ok "client: an error is a reset" client fails 10.82.0.2 8
is "$(in_ns $c "$bin" -j converter stat client port 8 | grep -o '"missing_cookie":1')" '"missing_cookie":1' "client: which is counted"
ok "client: the cookie that it brought opens" client app 10.82.0.2 8

ok "half a thousand hostile clients, and honest ones between" client hostile 10.81.1.2 5000 10.82.0.2 7 500
ok "no session stays" ended
ok "the silent ones were ended" test "$(counted late)" -gt 50

todo "the converter's kernel takes the window of a SYN with data for a scaled one" "mptcp: bulk over two subflows" in_ns $c timeout 5 python3 $stub bulk 10.81.1.2 5000 10.82.0.2 10 mptcp

kill "$served"
wait "$served"
is $? 0 "it ends when told"
ok "and is gone" sh -c "! nsenter --net=/run/netns/$v $bin converter stat port 5000"
done_testing
