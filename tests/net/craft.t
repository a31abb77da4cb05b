#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A peer that sends what no stock kernel sends: MP_PRIO with an address ID, put on the wire of a live connection. What the receiving kernel then does
# with the subflow is what counts. On a host at tcx and at XDP, and on a forwarder that knows the IDs from the handshake only.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=craft$$
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
at_exit "for ns in $lab-client $lab-server $lab-f; do $bin -n \$ns unload --all; ip netns del \$ns; done; scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'

# of NS PERL [ARG...]: what the expression makes of $s, each subflow of the established connections. One that ended with data for a receiver that is gone
# lives on for a minute, and says nothing.
of() {
	$bin -n "$1" -j stat | perl -MJSON::PP -e 'my $e = shift; for my $c (@{decode_json(<STDIN>)->{connections}}) { next unless $c->{state} eq "ESTAB";
		for my $s (@{$c->{subflows}}) { eval $e } }' "${@:2}"
}
# subflow NS FIELD FILTER: a field of the subflow for which the Perl expression holds
subflow() { of "$1" 'return unless eval $ARGV[1]; my $v = $s->{$ARGV[0]}; print JSON::PP::is_bool($v) ? ($v ? 1 : 0) : $v; exit' "$2" "$3"; }
counters() { $bin -n "$1" -j list opt | perl -MJSON::PP -e 'my ($n, $c) = @ARGV; my $t = 0; for my $p (@{decode_json(<STDIN>)}) { next unless $p->{name} eq $n;
	$t += $_->{counters}{$c} for @{$p->{attachments}} } print $t' "$2" "$3"; }
# watch NS DEV PORT: from now on `inject HEX` sends these option bytes on that flow, and returns when they were received
watch() {
	coproc CRAFT { exec nsenter --net="/run/netns/$1" build/tests/kernel/craft "$2" "$3" 2>"$work/craft"; }
	pids+=("$CRAFT_PID")
	until_true bound "$1"
}
bound() { nsenter --net="/run/netns/$1" awk 'NR > 1 && $5 && $6 { bound = 1 } END { exit !bound }' /proc/net/packet; }
inject() {
	local answer
	echo "$1" >&"${CRAFT[1]}"
	read -r answer <&"${CRAFT[0]}" && [ "$answer" = sent ] || { cat "$work/craft"; return 1; }
	sleep 0.1
}
# obeyed WANT DESC HEX CMD...: with these bytes injected, CMD says WANT; once more where the kernel has found the segments too old
obeyed() {
	local want=$1 desc=$2 hex=$3
	shift 3
	until_true obeys "$want" "$hex" "$@"
	is "$("$@")" "$want" "$desc"
}
obeys() { inject "$2" && says "$1" "${@:3}"; }
# grew NS POLICY COUNTER: the counter is above what it was
grew() {
	local now
	now=$(counters "$1" "$2" "$3")
	[ "$now" -gt 0 ] && echo yes
}
subflows() { of "$1" 'print "$s->{id}\n"' | wc -l; }
# joined NS: the second subflow has been acknowledged
joined() { [ "$(of "$1" 'print 1 if $s->{bytes_acked} || $s->{srtt_us}')" = 11 ]; }
# flag NS FILTER [NS POLICY COUNTER]: that subflow's backup flag; "yes" where the counter has grown
flag() { echo "$(subflow "$1" backup "$2")$([ $# = 2 ] || grew "${@:3}")"; }
# connection SERVER CLIENT ADDR: a stream of `rate` bit/s that lives through the test
rate=8000000
connection() {
	rm -f "$work/recv"
	nsenter --net="/run/netns/$1" build/tests/mpio recv "$3" 5001 >/dev/null 2>"$work/recv" &
	pids+=($!)
	until_true grep -q listening "$work/recv"
	nsenter --net="/run/netns/$2" build/tests/mpio send -r $rate -d 600 "$3" 5001 >"$work/send" &
	pids+=($!)
	until_true says 2 subflows "$2"
	until_true joined "$2"
}
end() {
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	pids=()
	rm -f "$work/recv"
	until_true says 0 subflows "$1"
}

second='$s->{dev} eq "path2"'
for v in 4 6; do
	addr=10.77.1.2
	[ $v = 6 ] && addr=fd77:1::2
	scripts/lab up $lab --path 50mbit,5ms --path 50mbit,5ms || bail "no lab"
	connection $lab-server $lab-client $addr
	soon 0 "IPv$v: two subflows, the second is no backup" flag $lab-client "$second"
	watch $lab-server path2 5001
	id=$(subflow $lab-client remote_id "$second")
	hex=$(printf '%02x' "$id")
	other=$(printf '%02x' $((id + 5)))

	ok "IPv$v: MP_PRIO with the ID, no policy" inject "1e0451$hex"
	soon 0 "IPv$v: stock Linux ignores it" flag $lab-client "$second"
	for hook in tcx xdp; do
		ok "IPv$v $hook: load prio_strip" $bin -n $lab-client load prio_strip hook $hook dir in dev path1,path2
		ok "IPv$v $hook: MP_PRIO with another's ID" inject "1e0451$other"
		soon 0yes "IPv$v $hook: is removed" flag $lab-client "$second" $lab-client prio_strip removed_other_id
		obeyed 1yes "IPv$v $hook: MP_PRIO with the subflow's own ID is obeyed" "1e0451$hex" flag $lab-client "$second" $lab-client prio_strip stripped
		$bin -n $lab-client unload prio_strip
		obeyed 0 "IPv$v $hook: MP_PRIO of today's form needs no help" 1e0350 flag $lab-client "$second"
	done
	ok "IPv$v: load prio_pin" $bin -n $lab-client load prio_pin dir in
	inject 1e0351
	soon 0yes "IPv$v: prio_pin drops MP_PRIO" flag $lab-client "$second" $lab-client prio_pin removed
	ok "IPv$v: tune it to backup, on path2 only" $bin -n $lab-client tune prio_pin action=3 action@path2=2
	obeyed 1 "IPv$v: the bit is forced on" 1e0350 flag $lab-client "$second"
	$bin -n $lab-client tune prio_pin action@path2=3
	obeyed 0 "IPv$v: the bit is forced off" 1e0351 flag $lab-client "$second"
	is "$(nsenter --net=/run/netns/$lab-client nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "IPv$v: no wrong checksum"
	$bin -n $lab-client unload --all
	end $lab-client
	scripts/lab down $lab
done

# client (two addresses) - forwarder - server
for ns in client f server; do ip netns add $lab-$ns && ip -n $lab-$ns link set lo up; done
ip link add c0 netns $lab-client type veth peer name fc netns $lab-f
ip link add s0 netns $lab-server type veth peer name fs netns $lab-f
ip -n $lab-client addr add 10.78.1.1/24 dev c0
ip -n $lab-client addr add 10.78.1.3/24 dev c0
ip -n $lab-f addr add 10.78.1.2/24 dev fc
ip -n $lab-f addr add 10.78.2.2/24 dev fs
ip -n $lab-server addr add 10.78.2.1/24 dev s0
for d in client:c0 f:fc f:fs server:s0; do ip -n $lab-${d%:*} link set ${d#*:} up; done
ip -n $lab-client route add default via 10.78.1.2
ip -n $lab-server route add default via 10.78.2.2
nsenter --net=/run/netns/$lab-f sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
for ns in client server; do nsenter --net=/run/netns/$lab-$ns ip mptcp limits set subflow 4 add_addr_accepted 4; done
nsenter --net=/run/netns/$lab-client ip mptcp endpoint add 10.78.1.3 id 9 subflow
# Much less than the stream asks for: else the first subflow may win every tie, and the second stays silent.
rate=20000000
tc -n $lab-client qdisc add dev c0 root tbf rate 5mbit burst 16k latency 50ms
join='$s->{remote} =~ /^10.78.1.3:/'
for hook in tcx xdp; do
	ok "forwarder $hook: load prio_strip before the handshake" $bin -n $lab-f load prio_strip hook $hook dir in
	connection $lab-server $lab-client 10.78.2.1
	port=$(subflow $lab-client local '$s->{local} =~ /^10.78.1.3:/')
	watch $lab-client c0 "${port##*:}"
	ok "forwarder $hook: MP_PRIO with another's ID" inject 1e045107
	soon 0yes "forwarder $hook: is removed" flag $lab-server "$join" $lab-f prio_strip removed_other_id
	obeyed 1yes "forwarder $hook: the server obeys MP_PRIO with the ID of its MP_JOIN" 1e045109 flag $lab-server "$join" $lab-f prio_strip stripped
	$bin -n $lab-f unload --all
	inject 1e0350
	ok "forwarder $hook: load after the handshake" $bin -n $lab-f load prio_strip hook $hook dir in
	inject 1e045109
	soon 0yes "forwarder $hook: an unknown ID is removed" flag $lab-server "$join" $lab-f prio_strip removed_unknown_id
	end $lab-client
	$bin -n $lab-f unload --all
done
is "$(nsenter --net=/run/netns/$lab-server nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "forwarder: no wrong checksum"
done_testing
