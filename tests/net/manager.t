#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Connections whose paths are managed in user space: a path that dies is left by closing its subflow, and endpoints, which mean nothing to them, stay.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=mg$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
token() { look client '$c->{token}'; }
subflows() { [ "$(look client 'scalar @{$c->{subflows}}')" = "$1" ]; }
# What a path manager does (MPTCP_PM_CMD_SUBFLOW_CREATE): a subflow of a connection from an address to another.
# shellcheck disable=SC2016 # Perl
subflow() { # TOKEN LOCAL REMOTE PORT
	client perl -MSocket -e 'my ($token, $local, $remote, $port) = @ARGV;
		sub attr { my ($type, $data) = @_; my $n = 4 + length $data; pack("SS", $n, $type) . $data . "\0" x (-$n & 3) }
		sub ask { my ($s, $type, $cmd, $attrs) = @_; my $m = pack("CCS", $cmd, 1, 0) . $attrs; my $r;
			syswrite($s, pack("LSSLL", 16 + length $m, $type, 5, 1, 0) . $m) or die $!; sysread($s, $r, 65536) or die $!; $r }
		socket(my $s, 16, SOCK_RAW, 16) or die $!;
		my $family = ask($s, 16, 3, attr(2, "mptcp_pm\0")); sysread($s, my $ack, 65536);
		my ($id, $at) = (0, 20); while ($at + 4 <= length $family) { my ($n, $t) = unpack "x$at SS", $family; if ($t == 1) { ($id) = unpack "x$at x4 S", $family } $at += ($n + 3) & ~3 }
		my $from = attr(1, pack "S", 2) . attr(2, pack "C", 7) . attr(3, inet_aton $local);
		my $to = attr(1, pack "S", 2) . attr(3, inet_aton $remote) . attr(5, pack "S", $port);
		my ($error) = unpack "x16 l", ask($s, $id, 10, attr(4, pack "L", hex $token) . attr(0x8001, $from) . attr(0x8006, $to));
		$! = -$error; die "no subflow: $!\n" if $error' "$@"
}

up --path 20mbit,10ms --path 20mbit,20ms
client sysctl -qw net.mptcp.pm_type=1 || { skip "this kernel has no path management in user space" "paths managed in user space"; done_testing; }
endpoints=$(ip -n $lab-client mptcp endpoint)
agent client margin_ms=$((300 * slow)) demand=1
ok "the agent says what it leaves to others" grep -q 'managed in user space' "$work/agent.err"
mb path add dev path2 cost 10
begin 10.77.1.2 5001 -r 300000 -d 600
ok "data arrive" going 5001
ok "the manager makes a subflow" subflow "$(token)" 10.77.2.1 10.77.1.2 5001
ok "there are two" until_true joined
path 1 down
ok "path 1 dies: its subflow is closed" until_true told closed 10.77.1.1 'silent for'
ok "it is gone" until_true subflows 1
ok "data arrive" going 5001
is "$(ip -n $lab-client mptcp endpoint)" "$endpoints" "endpoints are as they were"
over 5001
done_testing
