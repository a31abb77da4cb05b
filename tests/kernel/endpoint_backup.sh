#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A subflow that the own endpoint made backup stays it: that is a flag of its own, which an MP_PRIO that arrives does not clear.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
hosts
second 10.0.2.1 backup
start "$work/got" $server flow serve 10.0.1.2 5000
# The subflow will be idle: the acknowledgement of its handshake is what the MP_PRIO is made of.
coproc CRAFT { exec nsenter --net="/run/netns/$server" craft path2 5000 2>/dev/null; }
pids+=($!)
within 20 bound $server
beside $client flow send -p 2 100000000 10.0.1.2 5000
ok "the second subflow is there" within 20 has 2 e
ok "its own endpoint made it backup" has 2 b
ok "it carries no data" within 20 idle 2
echo 1e0350 >&"${CRAFT[1]}"
answer=none
read -r -t 30 -u "${CRAFT[0]}" answer
ok "MP_PRIO, no backup" test "$answer" = sent
heard() { [ "$(counter $client MPTcpExtMPPrioRx)" -ge 1 ]; }
within 20 heard
ok "the flag stays" has 2 b
ok "it carries no data still" idle 2
ip -n $client link set path1 down
ok "when the other path is down it carries them" within 20 flows 2
finish
