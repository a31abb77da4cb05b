#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A first SYN on a path that is dead leaves by the other one when it is sent again, and the connection lives there; one that the application bound to an
# address stays; all paths dead is what it is without the agent; nothing is left behind.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=sy$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
settings=(margin_ms=$((300 * slow)))
times() { grep -c "\"event\":\"$1\"" "$work/agent.out"; }
end_agent() {
	agent_end TERM
	is "$(cat "$work/agent.status")" 0 "the agent ends"
}
rules() { ip -n $lab-client rule | wc -l; }
led() { ip -n $lab-client rule | grep -q ' dport '; } # for the ports of a connection
unled() { ! led; }
dynaddr() { client cat /proc/sys/net/ipv4/ip_dynaddr; }
local_of() { client ss -tnH state established "dport = :$1" | awk '{ sub(/:.*/, "", $3); print $3 }'; } # PORT
from() { local_of "$1" | grep -qxF "$2"; }
# The time that connect() took, in ms; "failed", and why.
# shellcheck disable=SC2016 # Perl
connect() { # PEER PORT [OWN ADDRESS]
	client perl -MSocket -MTime::HiRes=time -e 'my ($peer, $port, $own, $wait) = @ARGV; socket(my $s, AF_INET, SOCK_STREAM, 262) or die $!;
		!$own || bind($s, pack_sockaddr_in(0, inet_aton($own))) or die $!; my $began = time; $SIG{ALRM} = sub { print "failed: late\n"; exit };
		alarm $wait; connect($s, pack_sockaddr_in($port, inet_aton($peer))) or do { print "failed: $!\n"; exit }; printf "%d\n", (time - $began) * 1000' \
		"$1" "$2" "${3:-}" "${wait:-30}"
}

up --path 20mbit,10ms --path 20mbit,20ms
client sysctl -qw net.mptcp.blackhole_timeout=0 2>/dev/null # else a late SYN without MP_CAPABLE ends MPTCP for an hour
before=$(rules)
agent client
begin 10.77.1.2 5001 -r 100000 -d 600
ok "a path that works: the connection begins there" until_true from 5001 10.77.1.1
ok "data arrive" going 5001
is "$(times retried) $(rules)" "0 $before" "and nothing is done"
kill -INT "$(cat "$work/send.5001.pid")"
ok "the payload is whole" finish 5001

path 1 down
begin 10.77.1.2 5002 -r 100000 -d 600
ok "path 1 is dead: the SYN goes by path 2" until_true told retried 10.77.1.1 'next one from 10.77.2.1'
ok "the connection is set up from there" until_true from 5002 10.77.2.1
ok "data arrive" going 5002
ok "its rules are gone" until_true unled
is "$(wait=4 connect 10.77.1.2 5003 10.77.1.1)" "failed: late" "a SYN that is bound to an address is not led elsewhere"
is "$(times retried)" 1 "which nothing tried"
path 1 up
kill -INT "$(cat "$work/send.5002.pid")"
ok "the payload is whole" finish 5002
is "$(connect 10.77.1.2 5999)" "failed: Connection refused" "a refusal is told as it is"

path 1 down
path 2 down
is "$(wait=$((8 * slow)) connect 10.77.1.2 5004)" "failed: late" "all paths are dead: so it is without the agent"
ok "another path was tried" until_true told retried 10.77.2.1 'next one from 10.77.1.1'
ok "the application gives up: its rules are gone" until_true unled
end_agent
is "$(dynaddr) $(rules)" "0 $before" "it leaves the namespace as it was"
agent client syn_ms=0
path 2 up
is "$(wait=2 connect 10.77.1.2 5005)" "failed: late" "syn_ms=0: no other path"
is "$(times retried)" 0 "is tried"
end_agent
agent client
begin 10.77.1.2 5006 -r 100000 -d 600
ok "a SYN is led elsewhere" until_true told retried 10.77.1.1
agent_end KILL
ok "the agent is killed; the connection is set up" until_true from 5006 10.77.2.1
agent client
is "$(rules)" "$before" "a new agent takes away the rules of the old one"
end_agent

# killed: while a SYN is led elsewhere, and the sysctl is 1
killed() {
	local pid
	pid=$(cat "$work/agent.pid")
	kill -STOP "$pid"
	until_true grep -q '^State:.T' "/proc/$pid/status"
	[ "$(dynaddr)" = 1 ] && led && agent_end KILL && return
	kill -CONT "$pid"
	return 1
}
for kind in "0 a new agent" "1 a new agent" "0 unload --all"; do
	was=${kind%% *}
	path 1 down
	path 2 down
	client sysctl -qw net.ipv4.ip_dynaddr="$was"
	agent client syn_ms=1 # so all the time
	spawn waiting client build/tests/mpio send -d 100 10.77.1.2 5007
	ok "ip_dynaddr is $was: the agent is killed while a SYN is led elsewhere" until_true killed
	if [ "${kind#* }" = "a new agent" ]; then agent client; else mb unload --all; fi
	is "$(dynaddr) $(rules)" "$was $before" "after ${kind#* } it is so again"
	[ "${kind#* }" != "a new agent" ] || end_agent
	kill "$(cat "$work/waiting.pid")"
done
client sysctl -qw net.ipv4.ip_dynaddr=0
path 1 up
path 2 up
mb unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
