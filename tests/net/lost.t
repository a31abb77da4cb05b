#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A subflow that is lost while its connection lives is made anew, again and again; one whose endpoint the administrator has taken out is not.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=lo$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
port_of() { client ss -tnH state established "dport = :$1 and src $2" | awk '{ sub(/.*:/, "", $3); print $3 }'; } # PORT ADDRESS: the subflow's own
from() { [ -n "$(port_of "$@")" ]; }
gone() { ! from "$@"; }
anew() { local port; port=$(port_of 5001 10.77.2.1); [ -n "$port" ] && [ "$port" != "$was" ]; }
lose() {
	was=$(port_of 5001 10.77.2.1)
	client ss -KtnH "src 10.77.2.1 and sport = :$was" | grep -q .
}

up --path 20mbit,10ms --path 20mbit,20ms
begin 10.77.1.2 5001 -r 100000 -d 600
ok "two subflows" until_true joined
agent client margin_ms=$((3000 * slow)) # what lives is known to it now
lose
ok "one is lost: its endpoint is renewed" until_true told renewed 10.77.2.1
ok "and the connection has a new one" until_true anew
lose
ok "lost again: and made anew again" until_true anew
ok "the administrator takes the endpoint out" ip -n $lab-client mptcp endpoint delete id 2
ok "which closes it" until_true gone 5001 10.77.2.1
sleep $((3 * slow))
ok "it stays so" gone 5001 10.77.2.1
ok "nobody puts the endpoint back" lacks 10.77.2.1
over 5001
done_testing
