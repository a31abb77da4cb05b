#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Figures of stat next to captures and this test's own clock: latencies of a join and of the echo of ADD_ADDR, shares, data sequence numbers, times active and
# backup, MP_FAIL; and what a filter by peer leaves of monitor.
cd "$(dirname "$0")/../.." || exit 1
lab=fig$$
. tests/lib/tap.sh
. tests/lib/transfer.sh
sees() { [ "$(look "$1" "($2) ? 1 : 0")" = 1 ]; }
ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
burst() { build/tests/mpio gen -b 300000 >&9; }
arrived() { sees client "\$c->{dsn_acked} eq \$c->{dsn_sent} && \$c->{inflight} + \$c->{queued} == 0 && hex(\$c->{dsn_sent}) - hex('$1') == 300000"; } # since DSN
told() { perl -MJSON::PP -e 'my $n = 0; while (<STDIN>) { my $e = decode_json($_); $n++ if eval $ARGV[0] } exit !$n' "$1" <"$work/$2.out"; } # EXPRESSION MONITOR
# segments SIDE PATH: what was captured, as words: time, ports, SYN, length, MPTCP subtypes, echo bit, sequence number, DSN, subflow sequence number
segments() {
	tshark -r "$work/$1$2.pcap" -n -o tcp.desegment_tcp_streams:FALSE -Y tcp -T fields -E separator=' ' -E occurrence=a -E aggregator=, -e frame.time_epoch \
		-e tcp.srcport -e tcp.dstport -e tcp.flags.syn -e tcp.len -e tcp.options.mptcp.subtype -e tcp.options.mptcp.echo -e tcp.seq \
		-e tcp.options.mptcp.rawdataseqno -e tcp.options.mptcp.subflowseqno 2>/dev/null |
		sed -E 's/True/1/g; s/False/0/g; :a s/  / - /; ta; s/ $/ -/' >"$work/$1$2"
}
# between CAPTURE CONDITION CONDITION: us from the first segment for which one condition of awk holds to the first one after it for which the other does
between() { awk "from == \"\" && ($2) { from = \$1; next } from != \"\" && ($3) { printf \"%.0f\\n\", (\$1 - from) * 1e6; exit }" "$work/$1"; }
# furthest: the DSN after the last byte that came to the server, modulo 2^32
furthest() {
	cat "$work/server1" "$work/server2" | perl -ane 'next unless $F[2] == 5001 && $F[4] > 0 && $F[8] ne "-"; my $end = $F[8] + $F[7] - $F[9] + $F[4];
		$last //= $end; $last = $end if (($end - $last) & 0xffffffff) < 1 << 31; END { print $last & 0xffffffff }'
}
bound() { server awk 'NR > 1 && $5 && $6 { bound = 1 } END { exit !bound }' /proc/net/packet; }

export LAB_BACKEND=relay # a capture at a device with netem sees what leaves it after the delay
up --path 20mbit,50ms --path 20mbit,50ms
client ip mptcp endpoint flush
client ip mptcp limits set subflows 8 add_addr_accepted 0
for side in client server; do
	ok "sight, on the $side" $bin -n $lab-$side load sight
	for i in 1 2; do ok "a capture of path$i, at the $side" capture $side$i $side path$i -s 128 -f "tcp port 5001"; done
done
watch client event fail
mkfifo "$work/pipe"
spawn recv server build/tests/mpio recv 10.77.1.2 5001
listens recv
spawn filtered server $bin -j monitor peer 10.77.1.1/32
until_true watched server
begun=$(ms)
nsenter --net=/run/netns/$lab-client build/tests/mpio send 10.77.1.2 5001 <"$work/pipe" >/dev/null &
echo $! >"$work/send.pid"
exec 9>"$work/pipe"
burst
ok "a subflow" until_true sees client '$c->{subflows}[0]{join_us}'
born=$(ms)
server ip mptcp endpoint add 10.77.2.2 dev path2 signal
ok "an address is announced, and echoed" until_true sees server '$c->{subflows}[0]{add_addr_echo_us}'
echoed=$(look server '$c->{subflows}[0]{add_addr_echo_us}')
added=$(ms)
client ip mptcp endpoint add 10.77.2.1 dev path2 id 2 subflow
ok "a second subflow" until_true sees client '@{$c->{subflows}} == 2 && $c->{subflows}[1]{join_us}'
joined=$(ms)
ok "all has arrived" until_true sees client '$c->{inflight} + $c->{queued} == 0'
before=$(look client '$c->{dsn_sent}')
burst
ok "300000 bytes are as many DSNs, sent and acknowledged" until_true arrived "$before"
dsn=$(look client '$c->{dsn_sent}')
is "$(look server '$c->{dsn_received}')" "$dsn" "and received, at the other end"
ok "in words" grep -q "^  DSN sent $dsn, acknowledged $dsn, received 0x[0-9a-f]*; in flight 0B, queued 0B, window " <(mb stat)

# Times active and backup: at least as long, and at most, as this clock says.
start=$(ms)
client ip mptcp endpoint change id 2 backup
ok "the second subflow is backup" until_true sees client '$c->{subflows}[1]{backup}'
least=$(ms)
sleep 2
least=$(($(ms) - least))
client ip mptcp endpoint change id 2 nobackup
ok "and is not" until_true sees client '!$c->{subflows}[1]{backup}'
now=$(ms)
read -r active backup active2 backup2 < <(look client 'join " ", map { ($_->{active_ms}, $_->{backup_ms}) } @{$c->{subflows}}')
most=$(($(ms) - start))
ok "backup for $backup2 ms: $least..$most" test "$backup2" -ge $((least - 20)) -a "$backup2" -le $((most + 20))
is "$backup" 0 "the first one never was"
for times in "$active $((now - born)) $begun" "$((active2 + backup2)) $((now - joined)) $added"; do
	read -r got least most <<<"$times"
	most=$(($(ms) - most))
	ok "with the time active $got ms: $least..$most" test "$got" -ge $((least - 20)) -a "$got" -le $((most + 20))
done

coproc CRAFT { exec nsenter --net=/run/netns/$lab-server build/tests/kernel/craft path1 5001 2>"$work/craft" 9>&-; }
at_exit "kill $CRAFT_PID"
ok "a peer that sends what no peer does" until_true bound
before=$(look client '$c->{dsn_sent}')
burst
ok "a burst, which it acknowledges" until_true arrived "$before"
echo 1e0c60000000000000000001 >&"${CRAFT[1]}" # MP_FAIL: RFC 8684, section 3.7
read -r <&"${CRAFT[0]}"
ok "MP_FAIL: monitor tells it, and by whom" until_true told '$e->{event} eq "fail" && $e->{by} eq "peer"' monitor
captured client1 client2 server1 server2
for side in client server; do for i in 1 2; do segments $side $i; done; done
is "$(look client '$c->{subflows}[0]{signals}{in}{MP_FAIL} // 0')" "$(awk '$6 ~ /(^|,)6(,|$)/' "$work/client1" | wc -l)" "it is counted as in the capture"
is "$(look server 'hex($c->{dsn_received}) & 0xffffffff')" "$(furthest)" "the DSN received is the capture's"
for i in 1 2; do
	us=$(look client "\$c->{subflows}[$((i - 1))]{join_us}")
	within "$us" "$(between client$i '$4 == 1 && $3 == 5001' '$4 == 1 && $2 == 5001')" 20 "path$i: joined in $us us as in the capture, to 20 %"
	bytes[i]=$(awk '$3 == 5001 { n += $5 } END { print n + 0 }' "$work/client$i")
done
for i in 1 2; do
	want=$(awk "BEGIN { print ${bytes[i]} / (${bytes[1]} + ${bytes[2]}) }")
	within "$(look client "\$c->{subflows}[$((i - 1))]{share}")" "$want" 1 "path$i: its share of the bytes, $want, to 1 %"
done
within "$echoed" "$(between server1 '$7 == 0 && $7 != "-"' '$7 == 1')" 20 "ADD_ADDR echoed in $echoed us as in the capture, to 20 %"
exec 9>&-
ok "the connection ends" until_true sees client '!$c'
ok "monitor told a peer that was asked for" until_true told '$e->{event} eq "closed" && $e->{remote} =~ /^10.77.1.1:/' filtered
ok "and no other" eval '! told "\$e->{remote} !~ /^10.77.1.1:/" filtered'
done_testing
