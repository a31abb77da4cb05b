#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A subflow that is lost while its connection lives is made anew, again and again; one whose endpoint the administrator has taken out is not.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=lo$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
renewed() { [ "$(grep -c '"event":"renewed".*"address":"10.77.2.1"' "$work/agent.out")" -ge "$1" ]; }
from() { client ss -tnH state established "dport = :$1" | grep -qF " $2"; } # PORT ADDRESS
gone() { ! from "$@"; }
lose() { client ss -KtnH "src 10.77.2.1" >/dev/null; }

up --path 20mbit,10ms --path 20mbit,20ms
agent client margin_ms=$((3000 * slow))
begin 10.77.1.2 5001 -r 100000 -d 100
ok "two subflows" until_true joined
sleep 5 # the agent has seen them
ok "one is lost" lose
ok "its endpoint is renewed" until_true renewed 1
ok "and the connection has a new one" until_true from 5001 10.77.2.1
sleep 5
ok "lost again" lose
ok "renewed again" until_true renewed 2
ok "and made anew" until_true from 5001 10.77.2.1
ok "the administrator takes the endpoint out" ip -n $lab-client mptcp endpoint delete id 2
ok "which closes it" until_true gone 5001 10.77.2.1
sleep 3
ok "it stays so" gone 5001 10.77.2.1
is "$(ip -n $lab-client mptcp endpoint | grep -c '^10.77.2.1 ')" 0 "nobody puts it back"
kill -INT "$(cat "$work/send.5001.pid")"
ok "the payload is whole" finish 5001
agent_end TERM
is "$(cat "$work/agent.status")" 0 "the agent ends"
mb unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
