#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# CO-RE: every field and kernel function that the objects need is in this kernel's types; and where a field has another name, what is loaded says which one it
# misses, with exit status 4, and nothing is left. FIELDS (default all) limits the number of fields that are tried so.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
types=build/tests/types
btf=/sys/kernel/btf/vmlinux
ns=types$$
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
ip netns add $ns && ip link add v0 netns $ns type veth peer name v1 netns $ns || bail "no network namespaces"
ip -n $ns link set v0 up

for object in build/bpf/*/*.bpf.o; do
	name=${object#build/bpf/}
	name=${name%.bpf.o}
	$types needs "$object" | sort -u >"$work/needs"
	$types check $btf <"$work/needs" >"$work/checked"
	is "$(grep 'missing$' "$work/checked" | grep -v if-there)" "" "$name: $(wc -l <"$work/needs") fields and functions"
	case $name in
	*/redundant) ;; # is not loaded here
	opt/* | sched/* | cc/*) verb="load ${name#*/}" ;;
	probe/observe) verb="load opt_count" ;;
	probe/snapshot) verb=stat ;;
	run/steer) verb="load minrtt" ;;
	*) continue ;; # pace and move need a connection to work on
	esac
	grep '^field' "$work/needs" | grep -v if-there | sed "s,\$, $verb," >>"$work/all"
done

misses() { # FIELD WORDS...
	local got=0
	MPTCP_BPF_BTF=$work/btf $bin -n $ns "${@:2}" >"$work/said" 2>&1 || got=$?
	[ $got = 4 ] && grep -q "this kernel has no .*\.${1##*.}, which it reads" "$work/said" || { echo "exit $got:"; cat "$work/said"; return 1; }
}
# Each field once, with the first thing that needs it.
sort -u -k 2,2 "$work/all" | shuf --random-source=$types | head -n "${FIELDS:-1000}" >"$work/fields"
while read -r _ field words <&3; do
	$types rename "$field" $btf "$work/btf" || bail "cannot rename $field"
	# shellcheck disable=SC2086 # a verb and its words
	ok "without $field: $words" misses "$field" $words
	$bin -n $ns unload --all
done 3<"$work/fields"
is "$($bin -n $ns -j list | grep -c '"loaded": *true')" 0 "nothing is loaded"
is "$(cp $btf "$work/btf" && MPTCP_BPF_BTF=$work/btf $bin -n $ns load opt_count 2>&1)" "" "with the types as they are it loads"
done_testing
