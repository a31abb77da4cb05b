#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The congestion control of an MPTCP socket is that of its subflows: of the first, of those that join later, and, for a listener, of those that are accepted. One
# that does not exist is found out only when a subflow is made.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
hosts
second 10.0.2.1
other=reno
[ "$(at $client sysctl -n net.ipv4.tcp_congestion_control)" = reno ] && other=cubic
start "$work/got" $server flow serve -C $other 10.0.1.2 5000
beside $client flow send -C $other -p 2 100000000 10.0.1.2 5000
ok "the second subflow is there" within 20 has 2 e
ccs() { at "$1" ss -tinH "$2" | grep -cE "[[:space:]]${other}[[:space:]].*cwnd"; }
ok "the client's two run $other" within 20 eval '[ "$(ccs $client "dport = :5000")" = 2 ]'
ok "the server's two run $other" within 20 eval '[ "$(ccs $server "sport = :5000")" = 2 ]'
said=$(at $client flow cc no_such_cc)
case $said in
taken) ok "an unknown name is taken before connect()" true ;;
*) ok "an unknown name is refused before connect(): $said" test "$said" = "No such file or directory" ;;
esac
finish
