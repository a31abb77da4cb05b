#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The controller against the running kernel: load, list, tune, unload, their errors, and that nothing stays.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
a=load$$a
b=load$$b
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "for ns in $a $b; do $bin -n \$ns unload --all; ip netns del \$ns; done 2>/dev/null"
ip netns add $a && ip netns add $b || bail "no network namespaces"
ip link add v0 netns $a type veth peer name v0 netns $b
ip link add v1 netns $a type veth peer name v1 netns $b
for ns in $a $b; do for dev in lo v0 v1; do ip -n $ns link set $dev up; done; done

# json NS FILTER...: a value out of `list -j`; the filter is Perl on $p, the policy NAME.
field() { $bin -n "$1" -j list | perl -MJSON::PP -e 'my ($n, $e) = @ARGV; my ($p) = grep { $_->{name} eq $n } @{decode_json(<STDIN>)}; print eval $e' "$2" "$3"; }
# fails STATUS REGEX CMD...: exit status and stderr of a refusal
fails() {
	local want=$1 regex=$2 got=0
	shift 2
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ $got = "$want" ] && grep -Eq "$regex" "$work/err" && [ ! -s "$work/out" ] || { echo "exit $got, stderr:"; cat "$work/err"; return 1; }
}

tc=$($bin features | awk '$1 == "tcx" { print ($2 == "yes" ? "tcx" : "clsact") }') # what this kernel has

pins() { find /sys/fs/bpf/mptcp-bpf 2>/dev/null; } # somebody else may use the product meanwhile
pins_before=$(pins)

ok "list shows the embedded policies" test "$(field $a prio_strip '$p->{kind}.($p->{loaded} ? 1 : 0)')" = opt0
ok "load" $bin -n $a load prio_pin
is "$(field $a prio_pin 'join ",", sort @{$p->{devs}}')" v0,v1 "all devices that are up, not lo"
is "$(field $a prio_pin 'join ",", sort map { "$_->{dev}-$_->{dir}-$_->{hook}" } @{$p->{attachments}}')" v0-in-$tc,v0-out-$tc,v1-in-$tc,v1-out-$tc "both directions at $tc"
is "$(field $b prio_pin '$p->{loaded} ? 1 : 0')" 0 "another namespace has nothing loaded"
ok "a second load is refused" fails 1 'prio_pin: loaded already' $bin -n $a load prio_pin
ok "tune" $bin -n $a tune prio_pin action=2 action@v1=3
is "$(field $a prio_pin '$p->{tunables}[0]{value}.$p->{tunables}[0]{devs}{v1}')" 23 "tuned, live, per device"
ok "a value out of range names the range" fails 2 "'9' is not a number in 0..3" $bin -n $a tune prio_pin action=9
ok "an unknown tunable names those there are" fails 2 "no tunable 'acton'; it has action" $bin -n $a tune prio_pin acton=1
ok "all or nothing: one bad setting changes none" fails 2 . $bin -n $a tune prio_pin action=1 action=x
is "$(field $a prio_pin '$p->{tunables}[0]{value}')" 2 "the good one was not made"
ok "a device that the policy is not on" fails 1 'lo: prio_pin is not attached' $bin -n $a tune prio_pin action@lo=1

ok "load on one device" $bin -n $a load addr_hide dev v0 dir in echo=1
is "$(field $a addr_hide 'join ",", map { "$_->{dev}-$_->{dir}" } @{$p->{attachments}}')" v0-in "there and nowhere else"
ok "a further device" $bin -n $a load addr_hide dev v1
is "$(field $a addr_hide 'join ",", sort @{$p->{devs}}')" v0,v1 "is added"
ok "a device it is on already" fails 1 'attached to v1 already' $bin -n $a load addr_hide dev v1
ok "a device that is not there" fails 1 'nodev: no such device' $bin -n $a load opt_count dev v0,nodev
is "$(field $a opt_count '$p->{loaded} ? 1 : 0')" 0 "nothing is loaded then"
ok "an unknown policy" fails 1 'nothing: no such policy' $bin -n $a load nothing
ok "an unknown verb" fails 2 'unknown verb' $bin frobnicate
ok "an unknown namespace" fails 1 'cannot open the network namespace' $bin -n no$$ list
ok "XDP has no way out" fails 2 'XDP sees incoming packets only' $bin -n $a load opt_count hook xdp dir both
ok "--max-subflows after the first load" fails 2 'counts at the first load' $bin -n $a load opt_count --max-subflows 10
$bin -n $a -j load nothing >"$work/json" 2>"$work/err"
is "$(perl -MJSON::PP -e 'my $o = decode_json(join "", <>); print $o->{error}{what}, ":", $o->{error}{why}' "$work/json")" "nothing:no such policy" "-j: the error is JSON on stdout"
ok "-j: and nothing on stderr" test ! -s "$work/err"

export MPTCP_BPF_HIDE=xdp_dispatcher
ok "XDP by a plain link" $bin -n $a load prio_strip hook xdp dev v0
is "$(field $a prio_strip 'join ",", map { "$_->{hook}-$_->{mode}" } @{$p->{attachments}}')" xdp-native "native on veth"
ok "a second XDP policy on the device" fails 4 'another XDP program' $bin -n $a load opt_count hook xdp dev v0
is "$(field $a opt_count '$p->{loaded} ? 1 : 0')" 0 "nothing of it is left"

ok "nor where the first of two devices went well" fails 4 'v0: another XDP program' $bin -n $a load opt_count hook xdp dev v1,v0
is "$(ip -n $a link show dev v1 | grep -c xdp)$(field $a opt_count '$p->{loaded} ? 1 : 0')" 00 "nothing is left on the first"
unset MPTCP_BPF_HIDE
is "$($bin -n $a -j features | perl -MJSON::PP -e 'print join ",", map { $_->{name} } grep { !$_->{available} && !($_->{reason} && $_->{hint}) } @{decode_json(<STDIN>)}')" "" \
	"features: every no has its reason and a hint"
is "$(MPTCP_BPF_HIDE=tcx,clsact $bin -n $b load opt_count 2>&1 | head -n 1)" "mptcp-bpf: opt_count: this kernel has neither tcx nor clsact" "a kernel without any hook at tc is told so"

# A device that vanishes is not an error.
ip -n $a link del v1
ok "list after a device vanished" test "$(field $a prio_pin 'join ",", @{$p->{devs}}')" = v0
ok "unload of one" $bin -n $a unload addr_hide
ok "unload of what is not loaded" fails 1 'addr_hide: not loaded' $bin -n $a unload addr_hide
ok "unload --all" $bin -n $a unload --all
ok "unload --all again" $bin -n $a unload --all
ok "no pin is left" test "$(pins)" = "$pins_before"

# Without tcx: clsact, made and removed by us; one that was there before stays, as do other filters.
export MPTCP_BPF_HIDE=tcx
ok "without tcx" $bin -n $a load opt_count dev v0
is "$(field $a opt_count 'join ",", sort map { "$_->{dir}-$_->{hook}" } @{$p->{attachments}}')" in-clsact,out-clsact "clsact serves"
ok "two policies" $bin -n $a load prio_pin dev v0
is "$(tc -n $a filter show dev v0 ingress | grep -c direct-action)" 2 "two filters"
is "$(tc -n $a filter show dev v0 ingress | grep -o 'opt_count_in\|prio_pin_in' | uniq | tr '\n' ' ')" "opt_count_in prio_pin_in " "in order of loading"
ok "one goes" $bin -n $a unload opt_count
is "$(tc -n $a filter show dev v0 ingress | grep -c direct-action)" 1 "the other stays"
ok "all go" $bin -n $a unload --all
ok "and the qdisc with them" test -z "$(tc -n $a qdisc show dev v0 clsact | grep clsact)"
tc -n $a qdisc add dev v0 clsact
ok "with a clsact of somebody else" $bin -n $a load opt_count dev v0
ok "all go" $bin -n $a unload --all
ok "it stays" test -n "$(tc -n $a qdisc show dev v0 | grep clsact)"
# A filter lives without its pins.
tc -n $a filter add dev v0 ingress prio 2000 bpf bytecode '1,6 0 0 0' flowid 1:1
pins >"$work/before"
ok "two policies" eval "$bin -n $a load opt_count dev v0 && $bin -n $a load prio_pin dev v0"
pins | grep -vxFf "$work/before" | sort -r | while read -r pin; do rm -d "$pin"; done
is "$(tc -n $a filter show dev v0 ingress | grep -c direct-action)" 2 "their pins are removed: the filters stay"
ok "unload --all" $bin -n $a unload --all
is "$(tc -n $a filter show dev v0 ingress | grep -c direct-action)$(tc -n $a filter show dev v0 egress | grep -c direct-action)" 00 "takes them away"
is "$(tc -n $a filter show dev v0 ingress | grep -c bytecode)" 1 "and nobody else's"
unset MPTCP_BPF_HIDE

# Maps of another version.
ok "load" $bin -n $a load opt_count dev v0
conns=$(pins | grep -vxF "$pins_before" | grep mpb_conns)
rm "$conns" && bpftool map create "$conns" type hash key 4 value 8 entries 1 name mpb_conns
for verb in "stat" "load prio_pin" "unload --all"; do
	# shellcheck disable=SC2086 # words
	ok "$verb: entries that are not ours are refused" fails 1 'another version of mptcp-bpf: the entries of mpb_conns have 4 \+ 8 bytes' $bin -n $a $verb
done
rm -r "${conns%/*}"
# alone CALL...: with a PID 1 and a bpffs of its own, in which the namespaces' counters are another version's
alone() {
	unshare --mount --pid --fork --mount-proc sh -c 'mount -t bpf bpf /sys/fs/bpf && mkdir -p /sys/fs/bpf/mptcp-bpf/global/observe &&
		bpftool map create /sys/fs/bpf/mptcp-bpf/global/observe/mpb_ns type hash key 8 value 1024 entries 1 name mpb_ns && exec "$@"' sh "$@"
}
ok "nor are counters that all namespaces share" fails 1 'global: made by another version of mptcp-bpf: the entries of mpb_ns have 8 \+ 1024 bytes' alone $bin -n $a stat
ok "they are removed: load" $bin -n $a load opt_count dev v0
ok "unload --all" $bin -n $a unload --all
ok "no pin is left" test "$(pins)" = "$pins_before"

# A namespace that ends with policies loaded is cleaned up after by the next call anywhere.
ok "load in another namespace" $bin -n $b load opt_count
ip netns del $b
ip netns add $b
ip link add d0 netns $a type dummy 2>/dev/null || ip link add d0 netns $a type veth peer name d1 netns $a
ip -n $a link set d0 up
for _ in $(seq 50); do sleep 0.1 && $bin -n $a load opt_count dev d0 && $bin -n $a unload --all && [ "$(pins)" = "$pins_before" ] && break; done 2>/dev/null
ok "what a dead namespace left is swept" test "$(pins)" = "$pins_before"
done_testing
