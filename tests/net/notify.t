#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What the agent tells a service manager: that it is ready, reloads, ends, and that its loop goes round.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=$(realpath "${MPTCP_BPF:-build/mptcp-bpf}")
ns=notify$$
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
at_exit 'kill $(cat "$work"/*.pid)'
ip netns add $ns || bail "no network namespaces"
ip -n $ns link set lo up
ip -n $ns link add dev0 type veth peer name dev1 && ip -n $ns link set dev0 up && ip -n $ns link set dev1 up || bail "no veth"
told() { # LINE [TIMES]
	[ "$(grep -cE "^$1\$" "$work/told")" -ge "${2:-1}" ]
}
# shellcheck disable=SC2016 # Perl
manager() { # NAME: writes down what it is told
	: >"$work/told"
	perl -MSocket -e '$| = 1; my $name = shift; $name =~ s/^\@/\0/; socket(my $s, AF_UNIX, SOCK_DGRAM, 0); bind($s, pack_sockaddr_un($name)) or die $!;
		print "bound\n"; while (defined recv($s, my $text, 4096, 0)) { print "$text\n" }' "$1" >"$work/told" 2>&1 &
	manager=$!
	echo $manager >"$work/manager.pid"
	until_true told bound || bail "no socket: $(cat "$work/told")"
}
agent() { # VARIABLE=VALUE...
	env "$@" $bin -n $ns run -c "$work/agent.yaml" >"$work/out" 2>"$work/err" &
	agent=$!
	echo $agent >"$work/agent.pid"
	until_true grep -q watching "$work/err"
}
echo 'policies: [opt_count]' >"$work/agent.yaml"

manager "$work/socket"
agent NOTIFY_SOCKET="$work/socket"
ok "ready" until_true told READY=1
is "$(grep -c RELOADING "$work/told")" 0 "no reload yet"
kill -HUP $agent
ok "SIGHUP: it reloads" until_true told RELOADING=1
ok "since a moment on the monotonic clock" until_true told 'MONOTONIC_USEC=[0-9]+'
ok "and is ready again" until_true told READY=1 2
echo 'policies: nonsense' >"$work/agent.yaml"
ok "a file with an error: ready all the same, as before" until_true told READY=1 3
is "$(grep -c WATCHDOG "$work/told")" 0 "no watchdog was asked for"
reloads() { grep -c RELOADING "$work/told"; }
before=$(reloads)
began=$SECONDS
for _ in {1..1000}; do printf '%s\n' 'link set dev0 down' 'link set dev0 up'; done | ip -n $ns -batch - || echo "# no storm"
more() { [ "$(reloads)" -gt "$before" ]; }
ok "a device comes up 1000 times: it reloads" until_true more
ok "once a second at most" test $(($(reloads) - before)) -le $((SECONDS - began + 2))
kill $agent
wait $agent
is $? 0 "the agent ends"
ok "which is told" until_true told STOPPING=1
kill $manager

echo 'policies: [opt_count]' >"$work/agent.yaml"
manager "@$ns"
agent NOTIFY_SOCKET="@$ns" WATCHDOG_USEC=200000
ok "a socket by an abstract name, of the namespace that it is started in" until_true told READY=1
ok "the watchdog hears that the loop goes round" until_true told WATCHDOG=1 3
kill $agent
wait $agent
agent NOTIFY_SOCKET="@$ns" WATCHDOG_USEC=200000 WATCHDOG_PID=1
ok "ready" until_true told READY=1 2
heard=$(grep -c WATCHDOG "$work/told")
kill $agent
wait $agent
ok "ended" until_true told STOPPING=1 2
is "$(grep -c WATCHDOG "$work/told")" "$heard" "a watchdog of another process hears nothing"
kill $manager

agent NOTIFY_SOCKET="$work/nobody"
ok "nobody listens: that is said, and the agent works" grep -q 'not told: cannot reach' "$work/err"
kill $agent
wait $agent
is $? 0 "it ends"
$bin -n $ns unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
