#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Real two-subflow transfers with all four option policies loaded, IPv4 and IPv6, on shaped and unshaped paths and on devices without an Ethernet header:
# the payload arrives intact, and what the policies counted is what tshark finds in a capture of the same packets.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=opt$$
bytes=${BYTES:-20000000}
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "for ns in $lab-client $lab-server; do $bin -n \$ns unload --all; done; scripts/lab down $lab"
pids=()
at_exit 'kill "${pids[@]}"'
client() { nsenter --net=/run/netns/$lab-client "$@"; }
server() { nsenter --net=/run/netns/$lab-server "$@"; }

# counter POLICY DEV DIR NAME, on the client
counter() {
	$bin -n $lab-client -j list opt | perl -MJSON::PP -e 'my ($n, $dev, $dir, $c) = @ARGV; my ($p) = grep { $_->{name} eq $n } @{decode_json(<STDIN>)};
		my ($a) = grep { $_->{dev} eq $dev && $_->{dir} eq $dir } @{$p->{attachments}}; print $a->{counters}{$c}' "$@"
}

# transfer FROM TO ADDR BYTES: the payload goes from one host to the other through one MPTCP connection that the client opens.
transfer() {
	local addr=$1 bytes=$2 i receiver
	rm -f "$work/recv.log"
	nsenter --net=/run/netns/$lab-server build/tests/mpio recv "$addr" 5001 >"$work/received" 2>"$work/recv.log" &
	receiver=$!
	until_true grep -q listening "$work/recv.log"
	build/tests/mpio gen -b "$bytes" -s 7 | tee "$work/sent" | client build/tests/mpio send "$addr" 5001 >"$work/send.json" || { kill $receiver; return 1; }
	wait $receiver
	[ "$(sha256sum <"$work/sent")" = "$(sha256sum <"$work/received")" ] && [ -s "$work/received" ]
}

# The MPTCP subtypes that tshark finds in the frames of a capture that a filter chooses: lines "count subtype".
subtypes() {
	tshark -r "$1" -n -Y "$2" -T fields -e tcp.options.mptcp.subtype 2>/dev/null | tr ',' '\n' | grep . | sort | uniq -c
}
names=([0]=mp_capable [1]=mp_join [2]=dss [3]=add_addr [4]=remove_addr [5]=mp_prio)

round() { # TITLE ADDR FILTER_IN FILTER_OUT PATHS...
	local title=$1 addr=$2 in=$3 out=$4 dev dir n sub filter
	shift 4
	if ! scripts/lab up $lab "$@" 2>"$work/lab.log"; then
		sed 's/^/# /' "$work/lab.log"
		bail "no lab"
	fi
	# The server announces an address, which addr_hide is to keep from the client; and asks for backup, which prio_pin is to drop.
	server ip mptcp endpoint add 10.77.2.2 dev path2 signal
	server ip mptcp endpoint add fd77:2::2 dev path2 signal
	for dev in path1 path2; do
		nsenter --net=/run/netns/$lab-client dumpcap -q -s 160 -B 64 -i $dev -w "$work/$dev.pcap" -f "tcp port 5001" 2>"$work/$dev.dumpcap" &
		pids+=($!)
		until_true grep -q File: "$work/$dev.dumpcap"
	done
	for p in opt_count prio_strip prio_pin addr_hide; do
		ok "$title: load $p" $bin -n $lab-client load $p dev path1,path2
	done
	$bin -n $lab-client tune addr_hide echo=1
	ok "$title: $bytes bytes arrive intact" transfer "$addr" "$bytes"
	until_true steady stat -c %s "$work"/path[12].pcap
	kill "${pids[@]}"
	wait "${pids[@]}" 2>/dev/null
	pids=()
	for dev in path1 path2; do
		for dir in in out; do
			[ $dir = in ] && filter=$in || filter=$out
			subtypes "$work/$dev.pcap" "$filter" >"$work/subtypes"
			for sub in 0 1 2 3; do
				# What leaves with payload is one GSO frame for the policies and many for a device that cannot take it whole; veth can.
				[[ "$*" != *veth* && $dir = out && $sub =~ [02] ]] && continue
				n=$(awk -v s=$sub '$2 == s { print $1 }' "$work/subtypes")
				is "$(counter opt_count $dev $dir ${names[sub]})" "${n:-0}" "$title: $dev $dir: ${names[sub]} as in the capture"
			done
			is "$(counter opt_count $dev $dir malformed)" 0 "$title: $dev $dir: nothing malformed"
		done
		is "$(counter prio_strip $dev in dropped)$(counter addr_hide $dev in dropped)" 00 "$title: $dev: nothing dropped"
	done
	n=$(($(counter addr_hide path1 in hidden) + $(counter addr_hide path2 in hidden)))
	is $n "$(for dev in path1 path2; do subtypes "$work/$dev.pcap" "$in"; done | awk '$2 == 3 { n += $1 } END { print n + 0 }')" "$title: every ADD_ADDR was hidden"
	ok "$title: there were some" test $n -gt 0
	is "$(client nstat -asz MPTcpExtAddAddr | awk '/AddAddr/ { print $2 }')" 0 "$title: the client's kernel saw none"
	is "$(client nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "$title: no wrong checksum at the client"
	is "$(server nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "$title: none at the server"
	is "$(client nstat -asz MPTcpExtMPCapableFallbackSYNACK | awk '/Fallback/ { print $2 }')" 0 "$title: no fallback"
	ok "$title: unload" $bin -n $lab-client unload --all
	scripts/lab down $lab
}

round "IPv4" 10.77.1.2 "tcp.srcport==5001" "tcp.dstport==5001" --path 50mbit,10ms --path 20mbit,20ms
round "IPv6" fd77:1::2 "tcp.srcport==5001" "tcp.dstport==5001" --path 50mbit,10ms --path 20mbit,20ms
round "tun" 10.77.1.2 "tcp.srcport==5001" "tcp.dstport==5001" --path 50mbit,5ms,tun --path 20mbit,5ms,tun
round "veth" 10.77.1.2 "tcp.srcport==5001" "tcp.dstport==5001" --path veth --path veth

# XDP on veth: what the peer's kernel sends has no checksum yet (CHECKSUM_PARTIAL), and GRO is on.
scripts/lab up $lab --path veth --path veth || bail "no lab"
server ip mptcp endpoint add 10.77.2.2 dev path2 signal
for dev in path1 path2; do client ethtool -K $dev gro on; done
ok "xdp: load addr_hide" $bin -n $lab-client load addr_hide hook xdp
ok "xdp: $bytes bytes arrive intact" transfer 10.77.1.2 "$bytes"
n=$(($(counter addr_hide path1 in hidden) + $(counter addr_hide path2 in hidden)))
ok "xdp: ADD_ADDR was hidden" test $n -gt 0
is "$(client nstat -asz MPTcpExtAddAddr | awk '/AddAddr/ { print $2 }')" 0 "xdp: the client's kernel saw none"
is "$(client nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "xdp: no wrong checksum at the client"
is "$(client nstat -asz MPTcpExtMPCapableFallbackSYNACK | awk '/Fallback/ { print $2 }')" 0 "xdp: no fallback"
done_testing
