#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# When nothing arrives any more, a scheduler still decides: the retransmission of a subflow that has timed out is its clock, and the segments that this
# injects make the kernel send what waits. Over devices with and without a link header, since such a segment goes from one kind to the other.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=sil$$
. tests/lib/transfer.sh

# fields FIELD: of the segments that were injected, each value once
fields() { tshark -r "$work/injected.pcap" -o tcp.check_checksum:TRUE -T fields -e "$1" 2>/dev/null | tr ',' '\n' | sort -u | tr '\n' ' '; }
marked='ip[38:2] == 0x6d70 or ip6[58:2] == 0x6d70' # the urgent pointer
timed_out() { [ "$(steer timeouts)" -gt "$timeouts" ] && [ "$(look client '$c->{subflows}[1]{flips}')" -gt "$flips" ]; }

for kind in "IPv4 10.77.1.2 , ," "IPv6 fd77:1::2 , ," "no link header 10.77.1.2 ,tun ,tun" "a link header on the second 10.77.1.2 ,tun ," "a link header on the first 10.77.1.2 , ,tun"; do
	read -r tun2 tun1 addr title < <(awk '{ print $NF, $(NF - 1), $(NF - 2); NF -= 3; print }' <<<"$kind" | tr '\n' ' ')
	up --path "20mbit,5ms${tun1%,}" --path "20mbit,20ms${tun2%,}"
	mb load standby
	begin "$addr" 5001 -d 600 -r 300000
	ok "$title: a transfer of two subflows" until_true joined
	soon 1 "the second stands by" look client '$c->{subflows}[1]{backup} ? 1 : 0'
	timeouts=$(steer timeouts) flips=$(look client '$c->{subflows}[1]{flips}')
	capture injected client path1 -f "$marked" -i path2 -f "$marked"
	scripts/lab path $lab 1 down
	scripts/lab path $lab 2 down
	ok "both paths die: it is enabled, though nothing arrives" until_true timed_out
	captured injected
	is "$(fields tcp.options.mptcp.subtype)" "2 5 " "by an MP_PRIO and, to have it obeyed at once, a data acknowledgement"
	is "$(fields tcp.checksum.status)" "1 " "in a segment with a right checksum"
	for path in 1 2; do scripts/lab path $lab $path up; done
	ok "the paths are back: it goes on" going 5001
	is "$(troubles)" 0 "no reset, no fallback, no MP_FAIL"
	stop 5001
	ok "the payload is whole" finish 5001
	is "$(steer failed) $(steer dropped)" "0 0" "each was delivered, and no segment lost by us"
	down
done
done_testing
