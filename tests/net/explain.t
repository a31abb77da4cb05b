#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# explain: why a connection uses its paths as it does, next to what this test made the cause: rules, costs, backup flags, a reader that does not read, a small
# window, nothing to send.
cd "$(dirname "$0")/../.." || exit 1
lab=expl$$
. tests/lib/tap.sh
. tests/lib/transfer.sh
# tells SIDE EXPRESSION: Perl on $e, what `explain -j` says of that side's only connection; @s its subflows, that of path 1 first
tells() {
	local token
	token=$(look "$1" '$c->{token}')
	$bin -n "$lab-$1" -j explain "$token" | perl -MJSON::PP -e 'my $e = decode_json(<STDIN>); my @s = sort { $a->{dev} cmp $b->{dev} } @{$e->{subflows}};
		my $r = eval $ARGV[0]; print $@ || $r' "$2"
}
says() { [ "$(tells "$1" "($2) ? 1 : 0")" = 1 ]; }
explained() { mb explain "$(look client '$c->{token}')"; }
# over ONE OTHER: by path ONE ten times as many bytes go as by path OTHER, says ss
over() {
	local one other
	one=$(acked "$1")
	other=$(acked "$2")
	sleep 0.5
	[ $(($(acked "$1") - one)) -gt $((10 * ($(acked "$2") - other))) ]
}
acked() { client ss -tniH | grep -A1 "10.77.$1.1[:%]" | grep -o 'bytes_acked:[0-9]*' | cut -d: -f2 | head -n 1; }

up --path 20mbit,10ms --path 20mbit,30ms
client sysctl -qw net.ipv4.tcp_congestion_control=reno
ok "without a token" fails 2 'needs the token' mb explain
ok "a token that nobody has" fails 1 'no connection has this token here' mb explain 0x1
ok "a token that is none" fails 2 'token' mb explain 1x

rmem=$(server cat /proc/sys/net/ipv4/tcp_rmem)
server sysctl -qw net.ipv4.tcp_rmem="4096 65536 131072" # a window that is full soon
begin 10.77.1.2 5001 -r 2000000 -d 600
ok "two subflows" until_true joined
is "$(tells client '"$e->{sched} $e->{backend} " . (exists $e->{decision} || exists $e->{rule} ? 1 : 0) . " " . grep { $_->{stock_choice} } @s')" "default stock 0 1" \
	"nothing loaded: the stock scheduler has one choice"
ok "in words" grep -q 'no policy of ours decides on it' <(explained)
client ip mptcp endpoint change id 2 backup
ok "backup by the own endpoint, as it is" until_true says client '$s[1]{limit} eq "backup by the own endpoint" && $s[0]{stock_choice}'
ok "and by the peer, as the other end sees it" until_true says server 'grep { $_->{limit} eq "backup" } @s'
client ip mptcp endpoint change id 2 nobackup
ok "no longer" until_true says client '!grep { $_->{limit} =~ /backup/ } @s'

# The policy's view, its choice and the rule.
mb path add dev path1 cost 5
mb path add dev path2 cost 7
mb load standby
mb rule add peer 10.99.0.0/16 sched standby prio 10
mb rule add peer 10.77.1.0/24 peer-port 5001 sched standby prio 20
ok "steered, by the second rule" until_true says client '$e->{sched} eq "standby" && $e->{backend} eq "steer" && $e->{rule} == 2'
is "$(mb -j rule list | perl -MJSON::PP -e 'print decode_json(<STDIN>)->[1]{"peer-port"}')" 5001 "which that is"
ok "the cheaper path is chosen" until_true says client '$s[0]{view}{chosen} && !$s[1]{view}{chosen}'
is "$(tells client 'join ",", map { "$_->{view}{cost}" } @s')" "5,7" "the policy knows the costs"
ok "and carries the data" until_true over 1 2
mb path add dev path1 cost 9
ok "another cost: the other path is chosen" until_true says client '!$s[0]{view}{chosen} && $s[1]{view}{chosen}'
ok "with a reason" says client 'length $e->{decision}{reason} && $e->{decision}{reason} ne "unsaid"'
ok "and carries the data" until_true over 2 1
ok "the other one is held back" until_true says client '$s[0]{limit} eq "backup"'
ok "in words" eval 'explained | grep -q "path1: held back.*limited by: backup" && explained | grep -q "as rule 2 says"'
mb unload --all
ok "unloaded: it decides no longer" until_true says client '$e->{backend} eq "stock" && !exists $e->{decision}'

# What limits a subflow.
recv=$(cat "$work/recv.5001.pid")
kill -STOP "$recv"
ok "a reader that does not read: the receive window" until_true says client '2 == grep { $_->{limit} =~ /^receive window/ } @s'
kill -CONT "$recv"
ok "no longer" until_true says client '!grep { $_->{limit} =~ /^receive window/ } @s'
stop 5001
ok "the payload is whole" finish 5001
server sysctl -qw net.ipv4.tcp_rmem="$rmem"
for i in 1 2; do scripts/lab path $lab $i rate=2mbit; done # which no machine is too slow to fill
begin 10.77.1.2 5002 -d 600
ok "two subflows" until_true joined
ok "bulk: the congestion window" until_true says client '$s[0]{limit} =~ /^congestion window/'
stop 5002
ok "the payload is whole" finish 5002
for i in 1 2; do scripts/lab path $lab $i rate=20mbit; done
spawn echo server build/tests/mpio echo 10.77.1.2 5003
until_true grep -q listening "$work/echo.err"
spawn hold client build/tests/mpio hold -c 1 10.77.1.2 5003
ok "two subflows" until_true joined
ok "nothing to send: the application" until_true says client '2 == grep { $_->{limit} eq "application" } @s'
kill "$(cat "$work/hold.pid")"
ok "it ends" until_true ended hold

# The path that a scheduler has chosen dies: its reason in stat and monitor; a swap; series by connection, when they are asked for.
told() { perl -MJSON::PP -e 'my $n = 0; while (<STDIN>) { my $e = decode_json($_); $n++ if eval $ARGV[0] } exit !$n' "$1" <"$work/monitor.out"; }
failed() { [ "$(look client '(grep { $_->{dev} eq "path1" } @{$c->{subflows}})[0]{last_reason}')" = "path failed" ]; }
none() { [ -z "$(look client '$c')" ]; }
bytes() { mb stat --openmetrics "$@" | grep "^mptcp_bpf_subflow_sent_bytes_total{token=\"$(look client '$c->{token}')\".*} "; }
ok "no connection is left" until_true none
mb path add dev path1 cost 9
mb path add dev path2 cost 7
mb load standby
watch client event decision,swap
begin 10.77.1.2 5004 -r 2000000 -d 600
ok "two subflows" until_true joined
is "$(bytes --connections | wc -l) $(bytes | wc -l)" "2 0" "series of each subflow, when they are asked for"
ok "the cheaper path carries the data" until_true over 2 1
scripts/lab path $lab 2 down
ok "it dies: the other one is chosen" until_true says client '$s[0]{view}{chosen}'
ok "for this reason" until_true failed
ok "which monitor told" until_true told '$e->{event} eq "decision" && $e->{sched} eq "standby" && $e->{reason} eq "path failed" && grep { /^10.77.1.1/ } @{$e->{after}}'
mb swap standby priority
ok "monitor tells the swap" until_true told '$e->{event} eq "swap" && $e->{from} eq "standby" && $e->{to} eq "priority"'
ok "nothing else was asked of it" eval '! told "\$e->{event} !~ /^(decision|swap)\$/"'
done_testing
