#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices that appear while the agent follows a file: policies on all devices are put on them.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=$(realpath "${MPTCP_BPF:-build/mptcp-bpf}")
ns=hotplug$$
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
at_exit 'kill $agent'
ip netns add $ns || bail "no network namespaces"
plug() { ip -n $ns link add "$1" type veth peer name "$1.peer" && ip -n $ns link set "$1" up; }
on() { # POLICY DEV,...
	[ "$($bin -n $ns -j list | perl -MJSON::PP -e 'my ($p) = grep { $_->{name} eq $ARGV[0] } @{decode_json(join "", <STDIN>)}; print join ",", sort @{$p->{devs}}' "$1")" = "$2" ]
}
agent=
plug one && plug two || bail "no veth"
cat >"$work/agent.yaml" <<-END
	policies:
	  - prio_pin
	  - {load: opt_count, dev: [one]}
	  - minrtt
END
$bin -n $ns -j run -c "$work/agent.yaml" >"$work/out" 2>"$work/err" &
agent=$!
ok "the agent begins" until_true grep -q watching "$work/err"
ok "a policy without devices is on all" on prio_pin one,two
plug three
ok "a third device: it gets the policy" until_true on prio_pin one,three,two
ok "the scheduler too" until_true on minrtt one,three,two
ok "a policy of named devices stays where it is" on opt_count one
ok "which is told" until_true grep -q 'attach.*three\|three.*attach' "$work/out"
ip -n $ns link del two
ok "a device goes" until_true on prio_pin one,three
plug two
ok "and comes back" until_true on prio_pin one,three,two
for i in {1..20}; do plug "dev$i"; done
all() { [ "$($bin -n $ns -j list | perl -MJSON::PP -e 'my ($p) = grep { $_->{name} eq "prio_pin" } @{decode_json(join "", <STDIN>)}; print scalar @{$p->{devs}}')" = 23 ]; }
ok "twenty at once" until_true all
kill -0 $agent || echo "# the agent is gone"
kill $agent
wait $agent
is $? 0 "the agent ends"
$bin -n $ns unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
