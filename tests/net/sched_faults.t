#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Schedulers while things go wrong. Transfers of two subflows, each under a scheduler of its own and one under the stock one beside them: whatever happens to
# paths, devices, tables, maps or the controller, each goes on, and every payload is whole.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=schf$$
. tests/lib/transfer.sh
scheds=(minrtt rr split standby)
stock=5100
pace=(-d 3000 -r $((2000000 / slow ** 4)) -g $((slow > 1 ? 100 : 1))) # five transfers: an emulation is to do more than carry them
ports=("$stock" 5101 5102 5103 5104)

# Port 510i belongs to the i-th scheduler, and nothing else to any.
rules() {
	for ((i = 0; i < ${#scheds[@]}; i++)); do mb rule add peer-port $((stock + 1 + i)) sched "${scheds[i]}" || return; done
	mb rule del prio 65535 sched minrtt
}
load_all() {
	for sched in "${scheds[@]}"; do mb load "$sched" || return; done
	rules
}
begin_all() { # OPTION...
	for port in "${ports[@]}"; do begin 10.77.1.2 "$port" "$@"; done
	until_true both
}
# Ours are the connections with two established subflows: those of a transfer that has ended may linger, and subflows on a device that has gone.
ours='grep { 2 == grep { $_->{state} eq "ESTAB" } @{$_->{subflows}} } @c'
both() { [ "$(look client "scalar $ours")" = ${#ports[@]} ]; }
steered() { [ "$(look client "join ' ', sort map { \$_->{sched} } $ours")" = "default minrtt rr split standby" ]; }
whole() {
	stop "${ports[@]}"
	for port in "${ports[@]}"; do ok "$1, port $port: the payload is whole" finish "$port"; done
}
# What closes already is not changed any more.
flagged() { look client 'scalar grep { $_->{backup} && $_->{state} eq "ESTAB" } map { @{$_->{subflows}} } @c'; }
loss() { scripts/lab path $lab "$@"; }
pins() { # the client's directory; SO_NETNS_COOKIE wants a buffer of 8 bytes, Perl's own call has a larger one
	echo "/sys/fs/bpf/mptcp-bpf/$(client perl -MSocket -MPOSIX=uname -e 'my ($v, $n) = (pack("Q", 0), pack("i", 8)); socket(my $s, AF_INET, SOCK_DGRAM, 0);
		syscall((uname)[4] eq "x86_64" ? 55 : 209, fileno $s, SOL_SOCKET, 71, $v, $n); print unpack "Q", $v')"
}
nothing_left() {
	local attached
	attached=$(client bpftool net show | grep -E ' tcx/| clsact/') && { echo "$attached"; return 1; }
	[ ! -e "$(pins)" ] || { find "$(pins)"; return 1; }
}

# Small segments from two paths overrun the kernel's default receive buffer of 128 KB, which then has no room for the one that is missing: the stock
# scheduler's connections stall for ever as well.
roomy() { up "$@" && for side in client server; do $side sh -c "echo 4096 6291456 33554432 >/proc/sys/net/ipv4/tcp_rmem"; done; }

# Paths.
roomy --path 20mbit,5ms --path 20mbit,20ms
ok "schedulers, by port" load_all
ok "a transfer of two subflows under each" begin_all "${pace[@]}"
ok "and one under the stock scheduler" steered
for percent in 1 5 20; do
	loss 1 loss=$percent%
	sleep 1
	ok "path 1 loses $percent %: they go on" going "${ports[@]}"
done
loss 1 loss=0%
for path in 1 2; do
	loss $path down
	sleep 1
	ok "path $path is dead: they go on" going "${ports[@]}"
	loss $path up
	ok "it is back: they go on" going "${ports[@]}"
done
loss 1 down
loss 2 down
sleep 0.7
loss 1 up
loss 2 up
ok "both were dead: they go on" going "${ports[@]}"
is "$(steer dropped)" 0 "no segment was dropped by us"
whole "paths"

# The controller.
ok "new transfers" begin_all "${pace[@]}"
ok "unload of one" mb unload rr
ok "they go on" going "${ports[@]}"
ok "unload of all" mb unload --all
is "$(flagged)" 0 "no flag of ours stays"
ok "they go on" going "${ports[@]}"
ok "load" load_all
ok "live transfers are taken over" steered
spawn monitor client "$bin" -j monitor
until_true test -s "$work/monitor.out"
kill -KILL "$(cat "$work/monitor.pid")"
calls=("swap minrtt ecf" "load delay" "rule add peer 10.0.0.0/8 prio 9 sched split" "unload standby" "path add dev path1 cost 5" "swap ecf minrtt" "unload --all" "load priority")
killed=0
begun=${EPOCHREALTIME/./}
mb swap rr ecf && mb swap ecf rr
took=$(((${EPOCHREALTIME/./} - begun) / 2)) # us: what a call takes here, over which they are spread
for ((n = 0; n < 24; n++)); do
	# shellcheck disable=SC2086 # words
	$bin -n $lab-client ${calls[n % ${#calls[@]}]} >/dev/null 2>&1 & # the call itself, no subshell around it
	perl -e "select undef, undef, undef, $took * ($n + 1) / 24e6"
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
	[ $? = 137 ] && killed=$((killed + 1)) # not done before
done
echo "# $killed of $n calls were killed"
ok "monitor and ${#calls[@]} kinds of calls killed half way: they go on" going "${ports[@]}"
ok "some were" test $killed -gt 0
ok "what the killed ones left goes with the next" mb unload --all
is "$(flagged)" 0 "no flag of ours stays"
ok "nothing else either" nothing_left

# Maps: entries that vanish under the runtime, then pins, then all of them.
ok "load" load_all
ok "live transfers are taken over" steered
empty() { # MAP
	bpftool -j map dump pinned "$(pins)/$1" | perl -MJSON::PP -e 'print "map delete pinned $ARGV[0] key @{$_->{key}}\n" for @{decode_json(join "", <STDIN>)}' "$(pins)/$1" |
		bpftool batch file -
}
for map in steer/mpb_scheds mpb_steered mpb_subflows; do
	ok "$map is emptied" empty $map
	ok "they go on" going "${ports[@]}"
done
mb unload --all
load_all
rm "$(pins)/steer/mpb_scheds" "$(pins)/sched/minrtt/prog"
ok "pins of a policy and of the slots are removed: they go on" going "${ports[@]}"
ok "a call copes" mb unload --all
ok "nothing is left" nothing_left
load_all
rm -r "$(pins)"
ok "all of them are removed: they go on" going "${ports[@]}"
ok "a call copes" mb -j list
$bin features | grep -q '^tcx *yes' || mb unload --all # filters live without pins
ok "nothing is left" until_true nothing_left # the kernel lets go of a link that has no pin any more in its own time
whole "controller and maps"
down

# Devices: one that goes down and up, one that is removed and made anew, and the removal of the one that carries everything.
roomy --path none --path none
ip -n $lab-server addr add 10.77.1.2/32 dev lo # which path 1's device would take with it
ok "schedulers, by port" load_all
ok "transfers" begin_all "${pace[@]}"
for side in client server; do
	ip -n $lab-$side link set path2 down
	ok "path 2 is down at the $side: they go on" going "${ports[@]}"
	ip -n $lab-$side link set path2 up
done
ok "up again: they go on" going "${ports[@]}"
remake() { # PATH: a new device with the old addresses, at both ends
	local i=$1 side
	ip -n $lab-client link del "path$i" || return
	ok "path $i's device is gone: they go on" going "${ports[@]}"
	ip link add "path$i" netns $lab-client type veth peer name "path$i" netns $lab-server
	ip -n $lab-client addr add "10.77.$i.1/24" dev "path$i"
	ip -n $lab-server addr add "10.77.$i.2/24" dev "path$i"
	for side in client server; do ip -n $lab-$side link set "path$i" up; done
	ip -n $lab-client route add default via "10.77.$i.2" dev "path$i" table $((100 + i))
	id=$(client ip mptcp endpoint | awk -v a="10.77.$i.1" '$1 == a { for (i = 1; i < NF; i++) if ($i == "id") print $(i + 1) }')
	client ip mptcp endpoint del id "$id"
	client ip mptcp endpoint add "10.77.$i.1" dev "path$i" subflow
}
remake 2
ok "a new one: they have a subflow on it" until_true both
ok "which a scheduler takes up" mb load standby dev path2
ok "they go on" going "${ports[@]}"
remake 1
ok "the same with path 1: they go on" going "${ports[@]}"
ok "unload of all" mb unload --all
ok "nothing is left" nothing_left
whole "devices"
down

# Tables that are full: who finds no room is counted and left to the stock scheduler, and has it when there is.
roomy --path 20mbit,5ms --path 20mbit,20ms
ok "tables of four subflows" mb load minrtt --max-subflows 4
ok "transfers" begin_all "${pace[@]}"
is "$(look client '($s->{observer}{subflows_full} > 0) . " " . (0 < grep { $_->{sched} eq "minrtt" } @c)')" "1 1" "who finds no room is counted, who finds some is steered"
ok "they go on" going "${ports[@]}"
ok "unload of all" mb unload --all
is "$(flagged)" 0 "no flag of ours stays"
ok "nothing is left" nothing_left
is "$(troubles)" 0 "no reset, no fallback, no MP_FAIL"
whole "tables"
down
done_testing
