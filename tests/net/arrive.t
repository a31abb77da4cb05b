#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Addresses and devices that come while connections live: an endpoint whose address was not there is taken up, also when its routes come later, and when its
# device is another one than before.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=ar$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
from() { client ss -tnH state established "dport = :$1" | grep -qF " $2"; } # PORT ADDRESS
address() { ip -n $lab-client addr "$1" 10.77.2.1/24 dev path2; }
routes() { ip -n $lab-client route replace default via 10.77.2.2 dev path2 table 102; }
plug() {
	ip -n $lab-client link add lte type veth peer name lte netns $lab-server &&
		ip -n $lab-server addr add 10.88.0.2/24 dev lte && ip -n $lab-server link set lte up &&
		ip -n $lab-client addr add 10.88.0.1/24 dev lte && ip -n $lab-client link set lte up &&
		ip -n $lab-client route replace default via 10.88.0.2 dev lte table 188
}
unplug() { ip -n $lab-client link del lte; }
index() { ip -n $lab-client -o link show lte | cut -d: -f1; }

up --path 20mbit,10ms --path 20mbit,20ms
address del
agent client margin_ms=$((3000 * slow))
begin 10.77.1.2 5001 -r 100000 -d 600
ok "an address is not there: the connection has one path" going 5001
ok "its endpoint stays" has 10.77.2.1 2
sleep 1
address add
ok "the address comes, without a route yet" until_true told renewed 10.77.2.1
routes
ok "the route comes later: the connection has the path" until_true from 5001 10.77.2.1
address del
ok "the address goes again: that is told" until_true told evacuated 10.77.2.1
ok "and the endpoint is away" until_true lacks 10.77.2.1
address add
routes
ok "it comes back: so does the endpoint" until_true has 10.77.2.1 2
ok "and the connection uses it" until_true from 5001 10.77.2.1

ok "a modem is plugged in" plug
ip -n $lab-client rule add from 10.88.0.1 lookup 188
ip -n $lab-client mptcp endpoint add 10.88.0.1 subflow dev lte id 9
ok "the connection uses it" until_true from 5001 10.88.0.1
before=$(index)
unplug
ok "it is unplugged: that is told" until_true told evacuated 10.88.0.1
ok "plugged in again" plug
[ "$(index)" != "$before" ] || echo "# the device has the same number again"
ok "the endpoint is back" until_true has 10.88.0.1 9
ok "on the device that there is now" eval 'ip -n $lab-client mptcp endpoint | grep -q "^10.88.0.1 .*dev lte"'
ok "and the connection uses it" until_true from 5001 10.88.0.1
ok "data arrive" going 5001
kill -INT "$(cat "$work/send.5001.pid")"
ok "the payload is whole" finish 5001

unplug
begin 10.77.1.2 5002 -r 100000 -d 600
ok "a connection while it is unplugged" going 5002
ok "plugged in" plug
ok "the connection uses it" until_true from 5002 10.88.0.1
over 5002
done_testing
