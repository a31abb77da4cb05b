#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# 200 devices in one namespace: a policy and a scheduler on all of them; some end meanwhile; all is taken down.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
ns=devices$$
at_exit "$bin -n $ns unload --all; ip netns del $ns"
ip netns add $ns || bail "no network namespaces"
for i in $(seq 0 2 199); do printf '%s\n' "link add v$i type veth peer name v$((i + 1))" "link set v$i up" "link set v$((i + 1)) up"; done | ip -n $ns -batch - || bail "no veth"

took() {
	local start=$EPOCHREALTIME
	ok "${*:4}" "$@"
	echo "# $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
}
# on POLICY: devices and attachments that list knows
on() { $bin -n $ns -j list | perl -MJSON::PP -e 'my ($p) = grep { $_->{name} eq $ARGV[0] } @{decode_json(<STDIN>)}; print scalar @{$p->{devs}}, " ", scalar @{$p->{attachments}}' "$1"; }
# attached REGEX: programs that the kernel has at tcx, or as filters of clsact (NAME:[ID])
attached() { nsenter --net=/run/netns/$ns bpftool net show | grep -cE " (tcx|clsact)/[a-z]+ ($1)(:\\[[0-9]+\\])? "; }

took $bin -n $ns load prio_pin dir in
is "$(on prio_pin)" "200 200" "on each of 200 devices"
is "$(attached prio_pin_in)" 200 "the kernel says so too"
took $bin -n $ns load minrtt
is "$(attached steer_in)" 200 "the scheduler runtime too"
for i in 0 1 2 3 4; do values+=" action@v$((i * 7))=$((i % 4))"; done
# shellcheck disable=SC2086 # words
took $bin -n $ns tune prio_pin $values
took $bin -n $ns stat
for i in $(seq 0 2 18); do echo "link del v$i"; done | ip -n $ns -batch -
is "$(on prio_pin)" "180 180" "twenty devices ended: those that are left"
took $bin -n $ns unload prio_pin
is "$(attached prio_pin_in) $(attached steer_in)" "0 180" "off all of them, the scheduler stays"
took $bin -n $ns unload --all
is "$(attached '[a-z_]*')" 0 "nothing is attached"
done_testing
