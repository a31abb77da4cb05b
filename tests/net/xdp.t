#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# XDP beside other people's programs, through libxdp's dispatcher: two policies and a foreign program on one device, on real traffic; what leaves goes alone;
# killed calls, devices and namespaces that vanish. And, where the kernel cannot run the dispatcher, a plain link that says so.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=beside$$
ns=$lab-client
work=$(mktemp -d)
receiver=
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; scripts/lab down $lab"
at_exit 'kill $receiver'
scripts/lab up $lab --path veth --path veth || bail "no lab"
client() { nsenter --net=/run/netns/$ns "$@"; }
server() { nsenter --net=/run/netns/$lab-server "$@"; }
foreign() { client build/tests/foreign "$@"; }
# of NAME EXPR: of `list -j`, the policy as $p
of() { $bin -n $ns -j list | perl -MJSON::PP -e 'my ($n, $e) = @ARGV; my ($p) = grep { $_->{name} eq $n } @{decode_json(<STDIN>)}; print eval $e' "$1" "$2"; }
# count POLICY COUNTER: on path1
count() { of "$1" '(map { $_->{counters}{'"$2"'} } grep { $_->{dev} eq "path1" } @{$p->{attachments}})[0] // 0'; }
fails() {
	local want=$1 regex=$2 got=0
	shift 2
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ $got = "$want" ] && grep -Eq "$regex" "$work/err" && [ ! -s "$work/out" ] || { echo "exit $got, stderr:"; cat "$work/err"; return 1; }
}
transfer() {
	rm -f "$work/log"
	nsenter --net=/run/netns/$lab-server build/tests/mpio recv 10.77.1.2 5001 >"$work/received" 2>"$work/log" &
	receiver=$!
	until_true grep -q listening "$work/log"
	build/tests/mpio gen -b 4000000 -s 7 | tee "$work/sent" | client build/tests/mpio send 10.77.1.2 5001 >/dev/null && wait $receiver && cmp "$work/sent" "$work/received"
}
answers() { client ping -c 2 -i 0.2 -W 1 -q 10.77.1.2; }
echoless() { ! answers; }
pins() { find /sys/fs/bpf/xdp -mindepth 1 -maxdepth 1 ! -name globals | wc -l; } # libxdp's; globals is iproute2's

server ip mptcp endpoint add 10.77.2.2 dev path2 signal
why=$($bin features | sed -n 's/^xdp_dispatcher *no .*: \(freplace: [^;]*\);.*/\1/p')
if [ -n "$why" ]; then
	ok "a plain link" $bin -n $ns load addr_hide hook xdp dev path1
	is "$(of addr_hide 'join ",", map { "$_->{mode} $_->{by} $_->{why}" } @{$p->{attachments}}')" "native link $why" "list says which, and why"
	ok "in words too" grep -q "path1 in xdp native by link: no dispatcher, $why" <($bin -n $ns list opt)
	ok "a second policy is refused" fails 4 'path1: another XDP program is attached' $bin -n $ns load opt_count hook xdp dev path1
	ok "the first one works: data arrive" transfer
	ok "and addresses are hidden: $(count addr_hide hidden)" test "$(count addr_hide hidden)" -gt 0
	skip_known "$why" "the dispatcher"
	done_testing
fi

ok "a foreign program, through libxdp" foreign on build/tests/tools/foreign.bpf.o path1
ok "it drops ICMP" echoless
ok "a policy beside it" $bin -n $ns load addr_hide hook xdp dev path1
ok "and another one" $bin -n $ns load opt_count hook xdp dev path1
is "$(foreign list path1 | tr '\n' ' ')" "foreign addr_hide_xdp opt_count_xdp " "in order of loading, behind what was there"
is "$(of opt_count 'join ",", map { "$_->{mode} $_->{by}" } @{$p->{attachments}}')" "native dispatcher" "list says which"
ok "data arrive" transfer
ok "addresses were hidden: $(count addr_hide hidden)" test "$(count addr_hide hidden)" -gt 0
seen() { client nstat -asz MPTcpExtAddAddr | awk '/AddAddr/ { print $2 }'; }
is "$(seen)" 0 "the kernel saw none"
ok "opt_count sees DSS: $(count opt_count dss)" test "$(count opt_count dss)" -gt 0
is "$(client nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "no wrong checksum"
ok "the foreign program still drops ICMP" echoless
ok "a further device" $bin -n $ns load opt_count dev path2 hook xdp
ok "has a dispatcher of its own" test "$(foreign list path2)" = opt_count_xdp
ok "a swap in one step it is not" fails 4 "does not change a program in one step" $bin -n $ns swap opt_count prio_pin
is "$(foreign list path1 | tr '\n' ' ')" "foreign addr_hide_xdp opt_count_xdp " "nothing has changed"

ok "unload of one" $bin -n $ns unload addr_hide
is "$(foreign list path1 | tr '\n' ' ')" "foreign opt_count_xdp " "leaves the others"
before=$(count opt_count dss)
ok "data arrive" transfer
ok "opt_count counts on: $before, $(count opt_count dss)" test "$(count opt_count dss)" -gt "$before"
ok "and the kernel sees addresses now: $(seen)" test "$(seen)" -gt 0
ok "the foreign program drops ICMP" echoless
ok "it goes by itself" foreign off path1
ok "ICMP passes" answers
is "$(foreign list path1)" opt_count_xdp "the policy stays"
ok "unload of the last" $bin -n $ns unload opt_count
is "$(ip -n $ns link | grep -c xdp)$(pins)" 00 "nothing is attached, nothing is pinned"
config() { printf 'policies:\n  - {load: opt_count, hook: xdp, dev: [%s]}\n' "$1" | $bin -n $ns apply -; }
ok "a file with one device" config path1
ok "and with a further one" config path1,path2
is "$(foreign list path1) $(foreign list path2)" "opt_count_xdp opt_count_xdp" "is attached to both"
ok "unload" $bin -n $ns unload opt_count

# What is not of the dispatcher.
client ip link set dev path1 xdpdrv obj build/tests/tools/foreign.bpf.o sec xdp
ok "a foreign program by itself is not disturbed" fails 1 "path1: another XDP program is attached, and not through libxdp" $bin -n $ns load opt_count hook xdp dev path2,path1
is "$(of opt_count '$p->{loaded} ? 1 : 0')$(foreign list path2)" 0 "all or nothing"
ok "it drops ICMP" echoless
client ip link set dev path1 xdpdrv off

# Calls that are killed at any moment, beside the foreign program.
foreign on build/tests/tools/foreign.bpf.o path1
kills=${KILLS:-10}
bad=0
for ((i = 0; i < kills; i++)); do
	$bin -n $ns load prio_pin hook xdp dev path1 2>/dev/null &
	pid=$!
	perl -e 'select undef, undef, undef, rand 0.3 * $ARGV[0]' "${SLOW:-1}"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	$bin -n $ns unload --all || bad=$((bad + 1))
	[ "$(foreign list path1)" = foreign ] && [ "$(pins)" = 1 ] || bad=$((bad + 1))
done 2>/dev/null
is $bad 0 "$kills loads killed: the next call removes what they left, and nothing else"
foreign off path1

# Devices and namespaces that vanish.
ip link add gone netns $ns type veth peer name gone netns $lab-server
ip -n $ns link set gone up
$bin -n $ns load opt_count hook xdp dev gone
ip -n $ns link del gone
ok "list after the device vanished" test "$(of opt_count 'scalar @{$p->{attachments}}')" = 0
ok "unload" $bin -n $ns unload opt_count
is "$(pins)" 0 "nothing is pinned"
$bin -n $ns load opt_count hook xdp
scripts/lab down $lab
for _ in $(seq 50); do
	$bin load prio_pin dev lo && $bin unload prio_pin
	[ "$(pins)" = 0 ] && break
	sleep 0.2
done
is "$(pins)$(find /sys/fs/bpf/mptcp-bpf 2>/dev/null | wc -l)" 00 "a namespace that is gone: the next call removes it all"
done_testing
