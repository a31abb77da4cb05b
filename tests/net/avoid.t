#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# New connections do not begin on a path that is known to be dead: to a peer that a path has just died to, or whose first SYN was not answered there; of the
# others they take the one that has answered with the least round trip. What has chosen its address, and other peers, are not concerned; and they begin as
# before when the path works. IPv4, IPv6, and IPv4 peers of IPv6 sockets.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=av$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow)))
from() { client ss -tnH state established "dport = :$1" | awk '{ sub(/:[0-9]+$/, "", $3); gsub(/[][]|::ffff:/, "", $3); sub(/%.*/, "", $3); print $3 }' | grep -qxF "$2"; } # PORT ADDRESS
by() { ip -n $lab-client route get "$1" ipproto 6 dport 80 "${@:3}" | grep -q " dev $2 "; } # PEER DEV ARGS...
elsewhere() { by "$1" path2 || by "$1" path3; } # PEER
rules() { echo "$(ip -n $lab-client rule | wc -l) $(ip -6 -n $lab-client rule | wc -l)"; }
retried() { grep -c '"event":"\(retried\|avoided\)"' "$work/agent.out"; }
subflows() { [ "$(look client 'scalar grep { $_->{srtt_us} } @{$c->{subflows}}')" = "$1" ]; }
over_with() { # PORT...: once each carries data, since one that is interrupted before has no payload, they end whole
	ok "data arrive" going "$@"
	stop "$@"
	for port; do ok "the payload is whole" finish "$port"; done
}

up --path 20mbit,10ms --path 20mbit,150ms --path 20mbit,20ms
client sysctl -qw net.mptcp.blackhole_timeout=0 2>/dev/null # else a late SYN without MP_CAPABLE ends MPTCP for an hour
before=$(rules)
for net in 10.77. fd77:; do
	a() { if [ $net = fd77: ]; then echo "fd77:$1::$2"; else echo "10.77.$1.$2"; fi; } # PATH END
	peer=$(a 1 2) first=$(a 1 1) third=$(a 3 1)
	agent client syn_ms=5000 # for SYNs that are answered, however slowly
	begin "$peer" 5001 -r 100000 -d 600
	ok "to $peer, three subflows" until_true subflows 3
	ok "routes lead by path 1" by "$peer" path1
	path 1 down
	ok "path 1 dies" until_true told evacuated "$first" 'silent for'
	ok "to this peer they lead by path 3, which answers faster than path 2" until_true by "$peer" path3
	ok "not to another" by "$(a 1 3)" path1
	ok "nor from an address that was chosen" by "$peer" path1 from "$first"
	begin "$peer" 5002 -r 100000 -d 600
	ok "a new connection begins there" until_true from 5002 "$third"
	if [ $net = 10.77. ]; then
		begin ::ffff:"$peer" 5003 -r 100000 -d 600
		ok "so does one of an IPv6 socket" until_true from 5003 "$third"
		ok "data arrive" going 5003
	fi
	is "$(retried)" 0 "with their first SYN"
	ok "data arrive" going 5001 5002
	path 1 up
	ok "path 1 works" until_true has "$first" '[0-9]*'
	ok "routes are as before" until_true by "$peer" path1
	soon "$before" "and rules" rules
	begin "$peer" 5004 -r 100000 -d 600
	ok "a new connection begins on path 1" until_true from 5004 "$first"
	[ $net = fd77: ] || over_with 5003
	over_with 5001 5002 5004
	agent_end TERM
done

agent client margin_ms=10000
path 1 down
begin 10.77.1.2 5005 -r 100000 -d 600
ok "a first SYN meets no answer on path 1" until_true told retried 10.77.1.1 'next one from 10.77.2.1'
ok "the next connection would begin on path 2" until_true by 10.77.1.2 path2
ok "this one does" until_true from 5005 10.77.2.1
begin fd77:1::2 5006 -r 100000 -d 600
ok "a first SYN by IPv6 meets none either" until_true told avoided fd77:1::1 'next connection from fd77:2::1'
begin fd77:1::2 5007 -r 100000 -d 600
ok "the next connection begins on path 2" until_true from 5007 fd77:2::1
path 1 up
ok "the first one where it began" until_true from 5006 fd77:1::1
ok "a while later path 1 is tried again" until_true by 10.77.1.2 path1
ok "by IPv6 too" until_true by fd77:1::2 path1
soon "$before" "without rules" rules
over_with 5005 5006 5007
path 1 down
begin 10.77.1.2 5008 -r 100000 -d 600
ok "not answered again" until_true elsewhere 10.77.1.2
begin fd77:1::2 5009 -r 100000 -d 600
ok "nor by IPv6" until_true elsewhere fd77:1::2
agent_end KILL
agent client
is "$(rules)" "$before" "the agent is killed; the next one leaves no rule of it"
agent_end TERM
is "$(cat "$work/agent.status") $(rules)" "0 $before" "it ends, and leaves none"
mb unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
