#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Payload of a SYN is in neither sequence space of MPTCP (RFC 8684 section 3.3.1 with erratum 6609; the kernel's ssn_offset): the first mapping has subflow sequence
# number 1, and the next ones count from there.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
hosts
second 10.0.2.1
at $client sysctl -qw net.ipv4.tcp_fastopen=0x207
at $server sysctl -qw net.ipv4.tcp_fastopen=0x207
start "$work/got" $server flow serve -F 10.0.1.2 5000 || skip_all "no TCP_FASTOPEN on MPTCP listeners: $(cat "$work/got.err")"
start "$work/map" $client flow map path1 5000
at $client flow send -F 3000000 10.0.1.2 5000 2>"$work/send" || skip_all "no MSG_FASTOPEN on MPTCP: $(cat "$work/send")"
within 20 test -s "$work/got"
within 20 test -s "$work/map"
read -r _ syn _ first _ ssn _ seq <"$work/map"
[ "$syn" -gt 0 ] || skip_all "the kernel sends no data in the SYN of MPTCP"
ok "the SYN had $syn bytes" test "$syn" = 100
ok "the first mapping begins at subflow sequence number $first" test "$first" = 1
ok "the second at $ssn, $seq bytes from the SYN on" test $((seq - ssn)) = "$syn"
ok "all arrives: $(cat "$work/got")" grep -qx "3000000 intact" "$work/got"
ok "over MPTCP" test "$(counter $server MPTcpExtMPCapableACKRX)" = 1
ok "the server took the data of the SYN" test "$(counter $server TcpExtTCPFastOpenPassive)" = 1
finish
