#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Congestion controls on real traffic: in force on every subflow, coupled, swapped and unloaded under it; across namespaces; killed half-way; payload intact
# throughout.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=cct$$
other=cct$$x
work=$(mktemp -d)
sender=
receiver=
at_exit "rm -rf $work"
at_exit "ip netns del $other"
at_exit "for ns in $lab-client $lab-server $other; do $bin -n \$ns unload --all; done; scripts/lab down -q $lab"
at_exit 'kill -KILL $sender $receiver'
scripts/lab up $lab --path 50mbit,5ms --path 50mbit,5ms || bail "no lab"
ip netns add $other || bail "no network namespaces"
client() { nsenter --net=/run/netns/$lab-client "$@"; }
$bin features | grep '^struct_ops_cc' | grep -qw yes || { skip "struct_ops congestion control" "all of it" && done_testing; }
for cc in lia olia balia wvegas; do grep -qw $cc /proc/sys/net/ipv4/tcp_available_congestion_control && { skip_known "$cc is registered already, and shared by all" "all of it" && done_testing; }; done

port=5000
# transfer BYTES OPTION...: a sender and a receiver that says what it got; at the end, intact.
transfer() {
	port=$((port + 1))
	bytes=$1
	rm -f "$work/err" "$work/sum"
	nsenter --net=/run/netns/$lab-server build/tests/mpio recv 10.77.1.2 $port 2>"$work/err" > >(tee >(wc -c >"$work/bytes") | sha256sum >"$work/sum") &
	receiver=$!
	until_true grep -q listening "$work/err"
	nsenter --net=/run/netns/$lab-client build/tests/mpio send -b "$bytes" -s $port "${@:2}" 10.77.1.2 $port >/dev/null &
	sender=$!
}
intact() {
	wait "$sender" "$receiver"
	until_true test -s "$work/sum"
	is "$(cat "$work/sum")" "$(build/tests/mpio gen -b "$bytes" -s $port | sha256sum)" "$1: the payload is intact"
}
sockets() { client ss -tniH "dport = :$port" | grep -c "^[[:space:]]*$1 .*cwnd"; }
# on CC N: N sockets of the transfer run CC
on() { until_true says "$2" sockets "$1" && return; client ss -tniH "dport = :$port"; return 1; }
members() { bpftool -j map dump pinned "/sys/fs/bpf/mptcp-bpf/global/cc/$1/groups" | perl -MJSON::PP -e 'print join ",", sort map { scalar grep { $_->{owner} } @{$_->{formatted}{value}{member} // $_->{value}{member}} } @{decode_json(join "", <STDIN>)}'; }
# have CC LIST: the groups of CC have this many members each
have() { until_true says "$2" members "$1" && return; members "$1"; return 1; }
registered() { grep -cw "$1" /proc/sys/net/ipv4/tcp_available_congestion_control; }
fails() { # STATUS REGEX CMD...
	local want=$1 regex=$2 got=0
	shift 2
	"$@" >"$work/out" 2>"$work/said" || got=$?
	[ $got = "$want" ] && grep -Eq "$regex" "$work/said" || { echo "exit $got, stderr:"; cat "$work/said"; return 1; }
}

for cc in lia olia balia wvegas; do
	ok "$cc: load" $bin -n $lab-client load $cc
	is "$($bin -n $lab-client rule list)" "  1: prio 65535 cc $cc" "$cc: a default rule"
	transfer 12000000
	ok "$cc: in force on both subflows" on $cc 2
	ok "$cc: they are one group" have $cc 2
	intact $cc
	ok "$cc: no group is left" have $cc ""
	ok "$cc: unload" $bin -n $lab-client unload $cc
	is "$(registered $cc)" 0 "$cc: out of the kernel"
done

# Alone, and on TCP.
$bin -n $lab-client load lia
client ip mptcp limits set subflows 0
transfer 20000000 -C lia
ok "one subflow: lia" on lia 1
ok "one subflow: a group of one" have lia 1
intact "one subflow"
transfer 4000000 -t -C lia
ok "plain TCP: lia" on lia 1
ok "plain TCP: no group" have lia ""
intact "plain TCP"
client ip mptcp limits set subflows 8

# A rule for one port; with a scheduler that sets rates.
$bin -n $lab-client load olia
ok "a rule by port" $bin -n $lab-client rule add peer-port $((port + 1)) cc olia
transfer 12000000
ok "has its way" on olia 2
intact "by rule"
ok "the default is for the others" $bin -n $lab-client rule del 1
$bin -n $lab-client load split
$bin -n $lab-client path add dev path1 weight 3
transfer $((80000000 * slow))
ok "split and lia at once" on lia 2
is "$($bin -n $lab-client -j stat | perl -MJSON::PP -e 'print map { $_->{sched} } @{decode_json(join "", <STDIN>)->{connections}}')" split "split schedules"
paced=0
while [ ! -s "$work/sum" ]; do
	client ss -tniH "dport = :$port" | grep -q 'pacing_rate [0-9.]*[a-zA-Z]*/' && paced=$((paced + 1))
done
share=$($bin -n $lab-client -j --all stat | perl -MJSON::PP -e 'my $s = decode_json(<STDIN>); my %n;
	for (grep { $_->{remote} =~ /:$ARGV[0]$/ } map { @{$_->{subflows}}, @{$_->{closed} || []} } @{$s->{connections}}, @{$s->{ended}}) { $n{$_->{local} =~ /^10\.77\.1\./ ? 1 : 2} += $_->{bytes_acked} }
	printf "%d", 100 * $n{1} / ($n{1} + $n{2} || 1)' "$port")
ok "split asked for rates, below which lia ran" test $paced -gt 0
within "$share" 75 20 "split got its 3:1"
intact "split and lia"
$bin -n $lab-client unload split
$bin -n $lab-client path del dev path1
$bin -n $lab-client unload olia

# Unload under traffic.
default=$(client sysctl -n net.ipv4.tcp_congestion_control)
transfer 100000000
ok "before the unload: lia" on lia 2
ok "unload under traffic" $bin -n $lab-client unload lia
is "$(sockets lia) $(sockets "$default")" "0 2" "both subflows have the system's default, $default"
is "$(registered lia)" 0 "lia is out of the kernel"
is "$($bin -n $lab-client rule list)" "" "its rule went with it"
intact "unload"

# Swaps, the kernel's own among them. The application sends less than the paths carry, so nothing but a swap would make a window collapse,
# and wvegas, to which a busy machine looks like a full queue. (On one, the application also pauses, after which the kernel would shrink windows.)
all=(lia olia balia wvegas cubic)
swaps=${SWAPS:-100}
client sysctl -qw net.ipv4.tcp_slow_start_after_idle=0
$bin -n $lab-client load lia
transfer 1000000000 -r 10000000
ok "before the swaps: lia" on lia 2
cwnds() { client ss -tniH "dport = :$port" | grep -o ' cwnd:[0-9]*' | cut -d: -f2 | sort -n | tr '\n' ' '; }
failed=0
collapsed=0
seed=${SEED:-$$}
RANDOM=$seed
echo "# seed $seed"
now=lia
at=0
for ((i = 0; i < swaps; i++)); do
	at=$(((at + 1 + RANDOM % 4) % 5))
	to=${all[at]}
	read -r a b <<<"$(cwnds)"
	$bin -n $lab-client swap $now $to 2>>"$work/swaps" || failed=$((failed + 1))
	read -r c d <<<"$(cwnds)"
	[[ $now$to = *wvegas* ]] || { [ $((c * 5)) -ge $((a * 2)) ] && [ $((d * 5)) -ge $((b * 2)) ]; } || { collapsed=$((collapsed + 1)) && echo "# $now to $to: $a $b, then $c $d"; }
	[ "$(sockets $to)" = 2 ] || { failed=$((failed + 1)) && echo "# $now to $to: not on both"; }
	now=$to
done
is $failed 0 "$swaps swaps under traffic, to each other and cubic, each at once on both subflows"
[ ! -s "$work/swaps" ] || sed 's/^/# /' "$work/swaps" | head
is $collapsed 0 "no window fell below 2/5 at a swap"
is "$($bin -n $lab-client rule list)" "  1: prio 65535 cc $now" "the rule followed"
got=$(client ss -tniH "dport = :$port" | grep -o 'bytes_acked:[0-9]*' | awk -F: '{ n += $2 } END { print n }')
ok "data flowed throughout: $got bytes" test "$got" -gt $((swaps * 1000))
kill -TERM $sender
until_true test -s "$work/sum"
bytes=$(cat "$work/bytes")
intact "all of them" 2>/dev/null
[ $now = cubic ] || $bin -n $lab-client unload $now
$bin -n $lab-client unload --all
transfer 20000000
$bin -n $lab-client load lia
for to in olia balia wvegas lia cubic lia; do
	from=$($bin -n $lab-client rule list | sed 's/.*cc //')
	$bin -n $lab-client swap "$from" $to || echo "# $from to $to failed"
done
intact "six swaps"

# Who has what: two namespaces, errors, names.
ok "another namespace loads it too" $bin -n $other load lia
$bin -n $other load wvegas
ok "settings are the same for all" fails 1 'wvegas: another namespace has loaded it' $bin -n $lab-client load wvegas total_alpha=20
ok "and tuned for all" $bin -n $other tune wvegas total_alpha=20
$bin -n $lab-client unload --all
is "$(registered lia)" 1 "it stays as long as one of them has it"
ok "not loaded here" fails 1 'lia: not loaded' $bin -n $lab-client unload lia
ok "loaded already" fails 1 'lia: loaded already' $bin -n $other load lia
ok "no devices" fails 2 'not attached to devices' $bin -n $lab-client load lia dev path1
ok "swap with another kind" fails 1 'is of kind sched, lia is of kind cc' $bin -n $other swap lia rr
ok "swap to nothing" fails 1 'no such policy' $bin -n $other swap lia nothing
$bin -n $other unload --all
is "$(registered lia)" 0 "and goes with the last"
ok "a name that is taken" fails 1 'cubic: somebody else registered' $bin -n $other load build/tests/policies/cubic.bpf.o
ok "a namespace that is gone does not keep it" $bin -n $other load balia
ip netns del $other
ip netns add $other
$bin -n $lab-client load lia
is "$(registered balia)" 0 "the next call takes it away"
$bin -n $lab-client unload --all

# The default of the namespace, when asked.
default=$(client sysctl -n net.ipv4.tcp_congestion_control)
is_default() { is "$(client sysctl -n net.ipv4.tcp_congestion_control)" "$@"; }
ok "load --default" $bin -n $lab-client load lia --default
is_default lia "it is the namespace's default"
transfer 4000000 -t
ok "plain TCP has it" on lia 1
intact "by default"
ok "one at a time" fails 1 'lia: was made the default' $bin -n $lab-client load olia --default
is "$(registered olia)" 0 "and the other is not loaded"
ok "swap" $bin -n $lab-client swap lia olia
is_default olia "the default follows"
ok "unload" $bin -n $lab-client unload olia
is_default "$default" "the default is what it was"
$bin -n $lab-client load lia --default
client sysctl -qw net.ipv4.tcp_congestion_control=reno
ok "unload, after the operator chose another" $bin -n $lab-client unload lia
is_default reno "his choice stays"
ok "not for schedulers" fails 2 'default: is for congestion controls; rr is of kind sched' $bin -n $lab-client load rr --default

# Killed at any moment, nothing stays.
kills=${KILLS:-40}
bad=0
for ((i = 0; i < kills; i++)); do
	case $((RANDOM % 3)) in
	0) words=(load lia) ;;
	1) words=(swap lia olia) && $bin -n $other load lia ;;
	2) words=(unload --all) && $bin -n $other load olia ;;
	esac
	$bin -n $other "${words[@]}" 2>/dev/null &
	pid=$!
	perl -e "select undef, undef, undef, rand 0.15"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	$bin -n $other unload --all || bad=$((bad + 1))
	[ "$(registered lia)$(registered olia)" = 00 ] || { bad=$((bad + 1)) && echo "# after a killed ${words[*]}: $(cat /proc/sys/net/ipv4/tcp_available_congestion_control)"; }
done 2>/dev/null
is $bad 0 "$kills calls killed: nothing stays in the kernel"
is "$(ls /sys/fs/bpf/mptcp-bpf/global/cc 2>/dev/null)" "" "no pin is left"

# Without links; and with them, what is registered ends with its pins: those of a bpf file system of its own, which goes with the call.
ok "load without links" env MPTCP_BPF_HIDE=struct_ops_link $bin -n $other load lia
is "$(registered lia)" 1 "registered"
ok "and unload" $bin -n $other unload lia
is "$(registered lia)" 0 "out of the kernel"
gone() { until_true says 0 registered "$1"; }
apart() { exec nsenter --net=/run/netns/$other tests/tools/apart "$@"; }
if $bin features | grep '^struct_ops_link' | grep -qw yes; then
	(apart $bin load lia) && gone lia
	ok "a bpf file system that goes takes it along" test $? = 0
	bad=0
	for ((i = 0; i < kills / 4; i++)); do
		apart $bin load lia 2>/dev/null &
		pid=$!
		perl -e "select undef, undef, undef, rand 0.3"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		gone lia || bad=$((bad + 1))
	done 2>/dev/null
	is $bad 0 "$((kills / 4)) calls killed with all their pins: nothing stays in the kernel"
else
	skip "struct_ops_link" "what a bpf file system leaves that goes"
fi
done_testing
