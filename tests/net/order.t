#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The scheduler runtime sees what option policies leave, whichever was loaded first: at tcx, at clsact, and on real MP_PRIO.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=order$$
ns=$lab-server
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'
scripts/lab up $lab --path none --path none || bail "no lab"

# chain DIR: the programs on path1 in their order
chain() {
	if [ "${MPTCP_BPF_HIDE-}" = tcx ]; then
		tc -n $ns filter show dev path1 "${1}gress" | sed -n 's/.* name \([a-z_]*\) tag .*/\1/p'
	else
		nsenter --net=/run/netns/$ns bpftool net show dev path1 | sed -n "s/.* tcx\/${1}gress \([a-z_]*\) .*/\1/p"
	fi | tr '\n' ' '
}

for hide in '' tcx; do
	export MPTCP_BPF_HIDE=$hide
	at=${hide:+clsact}
	at=${at:-tcx}
	[ $at = clsact ] || $bin features | grep -q '^tcx *yes' || { skip "tcx" "the order there" && continue; }
	for policy in opt_count minrtt prio_pin addr_hide; do ok "$at: load $policy" $bin -n $ns load $policy; done
	is "$(chain in)" "opt_count_in prio_pin_in addr_hide_in steer_in " "$at: the runtime is the last at ingress, the others stand in order of loading"
	is "$(chain e)" "opt_count_out prio_pin_out addr_hide_out steer_out " "$at: and at egress"
	$bin -n $ns unload prio_pin
	$bin -n $ns load prio_pin
	is "$(chain in)" "opt_count_in addr_hide_in prio_pin_in steer_in " "$at: loaded again: behind the others, before the runtime"
	ok "$at: unload --all" $bin -n $ns unload --all
done
is "$(tc -n $ns qdisc show dev path1 clsact | grep -c clsact)" 0 "the qdisc is gone"
unset MPTCP_BPF_HIDE

count() { nsenter --net="/run/netns/$1" nstat -asz "MPTcpExt$2" | awk '/MPTcp/ { print $2 }'; }
# flip: the client asks for path2 to be backup, and not, on a connection of its own
flip() {
	local listener holder how before
	rm -f "$work/err" "$work/held"
	nsenter --net=/run/netns/$ns build/tests/mpio recv 10.77.1.2 5001 >/dev/null 2>"$work/err" &
	listener=$!
	pids+=("$listener")
	until_true grep -q listening "$work/err"
	nsenter --net=/run/netns/$lab-client build/tests/mpio hold -c 1 10.77.1.2 5001 >"$work/held" &
	holder=$!
	pids+=("$holder")
	until_true says 2 subflows
	for how in backup nobackup; do
		before=$(count $lab-client MPPrioTx)
		ip -n $lab-client mptcp endpoint change id 2 $how
		until_true moved "$before"
	done
	kill $holder
	wait $holder $listener
} 2>/dev/null
moved() { [ "$(count $lab-client MPPrioTx)" != "$1" ]; }
subflows() { nsenter --net=/run/netns/$lab-client ss -tHn state established dport = :5001 | wc -l; }
heard() { count $ns MPPrioRx; }
wishes() { $bin -n $ns -j stat | perl -MJSON::PP -e 'print decode_json(<STDIN>)->{steer}{wishes}'; }

ok "the runtime first" $bin -n $ns load standby
ok "then what drops MP_PRIO" $bin -n $ns load prio_pin dir in action=1
flip
is "$(wishes) $(heard)" "0 0" "the peer's MP_PRIO comes neither to the runtime nor to the kernel"
$bin -n $ns tune prio_pin action=0
flip
ok "let through, it comes to both" test "$(wishes)" -gt 0 -a "$(heard)" -gt 0
done_testing
