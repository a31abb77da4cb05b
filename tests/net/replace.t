#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# swap of option policies: at every hook of the old one, in its place of the chain, with the tunables given; under traffic; and what is refused.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=replace$$
ns=$lab-client
work=$(mktemp -d)
swaps=${SWAPS:-50}
pids=()
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'
scripts/lab up $lab --path none --path none || bail "no lab"

tc=$($bin features | awk '$1 == "tcx" { print ($2 == "yes" ? "tcx" : "clsact") }') # what this kernel has
chain() { nsenter --net=/run/netns/$ns bpftool net show dev "${2:-path1}" | sed -n "s/.* $tc\/${1}gress \([a-z_]*\)[: ].*/\1/p" | tr '\n' ' '; }
filters() { for side in ingress egress; do nsenter --net=/run/netns/$ns tc filter show dev path1 $side | sed -n "s/.* pref \([0-9]*\) .* handle \([^ ]*\) \([a-z_]*\).*/$side \1 \2 \3/p"; done; }
# of NAME EXPR: of `list -j`, the policy as $p
of() { $bin -n $ns -j list | perl -MJSON::PP -e 'my ($n, $e) = @ARGV; my ($p) = grep { $_->{name} eq $n } @{decode_json(<STDIN>)}; print eval $e' "$1" "$2"; }
places='join ",", sort map { "$_->{dev}-$_->{dir}-$_->{hook}" } @{$p->{attachments}}'
fails() {
	local want=$1 regex=$2 got=0
	shift 2
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ $got = "$want" ] && grep -Eq "$regex" "$work/err" && [ ! -s "$work/out" ] || { echo "exit $got, stderr:"; cat "$work/err"; return 1; }
}

nsenter --net=/run/netns/$lab-server build/tests/mpio recv 10.77.1.2 5001 >/dev/null 2>"$work/listening" &
pids+=($!)
until_true grep -q listening "$work/listening"
nsenter --net=/run/netns/$ns build/tests/mpio send -d 600 -r 40000000 10.77.1.2 5001 >/dev/null &
sender=$!
pids+=("$sender")

$bin -n $ns load opt_count dev path1 dir in
$bin -n $ns load prio_strip dev path1 dir both
MPTCP_BPF_HIDE=xdp_dispatcher $bin -n $ns load prio_strip dev path2 hook xdp
$bin -n $ns load addr_hide dev path1
was=$(of prio_strip "$places")
ok "swap" $bin -n $ns swap prio_strip prio_pin action=2
is "$(of prio_pin "$places")" "$was" "the new one is wherever the old one was"
is "$was" "path1-in-$tc,path1-out-$tc,path2-in-xdp" "at $tc and at XDP"
is "$(chain in)| $(chain e)" "opt_count_in prio_pin_in addr_hide_in | prio_pin_out addr_hide_out " "in the old one's place of the chain"
is "$(of prio_pin '$p->{tunables}[0]{value}')" 2 "with the setting"
is "$(of prio_strip '$p->{loaded} ? 1 : 0')" 0 "the old one is gone"
bad=0
for _ in $(seq $((swaps / 2))); do $bin -n $ns swap prio_pin prio_strip && $bin -n $ns swap prio_strip prio_pin || bad=$((bad + 1)); done
is $bad 0 "$swaps swaps under traffic"
ok "the connection lives" kill -0 $sender
is "$(nsenter --net=/run/netns/$ns bpftool net show | grep -cE '(prio_pin|prio_strip)_')" 2 "nothing doubled at $tc"
ok "a policy that is loaded is no replacement" fails 1 'addr_hide: loaded already' $bin -n $ns swap opt_count addr_hide
ok "one of another kind neither" fails 1 'minrtt: is of kind sched' $bin -n $ns swap opt_count minrtt
ok "nor the same" fails 1 'in its own place already' $bin -n $ns swap opt_count opt_count
ok "an old one that is not loaded" fails 1 'prio_strip: not loaded' $bin -n $ns swap prio_strip prio_pin
ok "a setting out of range" fails 2 "not a number in 0..3" $bin -n $ns swap opt_count prio_pin action=9
ok "a setting of one device" fails 2 "'tune' what holds for one" $bin -n $ns swap addr_hide prio_strip echo@path1=1
is "$(chain in)" "opt_count_in prio_pin_in addr_hide_in " "nothing has changed"
ok "unload of the new one" $bin -n $ns unload prio_pin
is "$(chain in)| $(ip -n $ns link show dev path2 | grep -c 'xdp')" "opt_count_in addr_hide_in | 0" "takes it off everywhere"
everywhere() { for dev in path1 path2; do chain in $dev; chain e $dev; done; }
$bin -n $ns load prio_strip dev path1,path2
was=$(everywhere)
if [ $tc = tcx ]; then # links, of which the third of four cannot be updated
	ok "an update that fails half-way" fails 1 'cannot be replaced: Input/output error' env LD_PRELOAD="$PWD/build/tests/refuse.so" $bin -n $ns swap prio_strip prio_pin
	is "$(everywhere)" "$was" "leaves the old programs: $was"
	is "$(of prio_strip "$places")$(of prio_pin '$p->{loaded} ? 1 : 0')" "path1-in-tcx,path1-out-tcx,path2-in-tcx,path2-out-tcx0" "and the old policy alone"
else
	skip "tcx" "an update that fails half-way"
fi
ok "and later it goes" $bin -n $ns swap prio_strip prio_pin
$bin -n $ns unload prio_pin
$bin -n $ns unload opt_count
ok "swap to one that counts" $bin -n $ns swap addr_hide opt_count
for _ in $(seq 100); do seen=$(of opt_count 'my $n = 0; $n += $_ for map { values %{$_->{counters}} } @{$p->{attachments}}; $n') && [ "$seen" -gt 0 ] && break; sleep 0.05; done
ok "it counts: $seen" test "$seen" -gt 0
$bin -n $ns unload --all
MPTCP_BPF_HIDE=tcx $bin -n $ns load opt_count dev path1
MPTCP_BPF_HIDE=tcx $bin -n $ns load addr_hide dev path1
was=$(filters)
is "$(wc -l <<<"$was")" 4 "four filters at clsact"
ok "a swap there" $bin -n $ns swap opt_count prio_pin
is "$(of prio_pin "$places")$(of opt_count '$p->{loaded} ? 1 : 0')" "path1-in-clsact,path1-out-clsact0" "the new one is wherever the old one was"
is "$(filters)" "${was//opt_count/prio_pin}" "in the old one's place of the chain: ${was//$'\n'/, }"
bad=0
for _ in $(seq $((swaps / 2))); do $bin -n $ns swap prio_pin opt_count && $bin -n $ns swap opt_count prio_pin || bad=$((bad + 1)); done
is $bad 0 "$swaps swaps under traffic"
ok "the connection lives" kill -0 $sender
$bin -n $ns unload --all
is "$(nsenter --net=/run/netns/$ns tc qdisc show dev path1 | grep -c clsact)" 0 "unload takes all of it"
done_testing
