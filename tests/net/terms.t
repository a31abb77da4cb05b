#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Terms of subflows: a receiver asks for a rate limit and an inactivity time on one path; the sender keeps to them if it was told to, there and nowhere else,
# for as long as it is asked, and to nothing that is malformed or below its least. Peers without us, and plain TCP, notice nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=te$$
. tests/lib/transfer.sh
bin=${MPTCP_BPF:-build/mptcp-bpf} work=${work:?}
path() { scripts/lab path $lab "$@"; }
srv() { $bin -n $lab-server "$@"; }
# of NS EXPRESSION: of the subflow on path 2 as $v; terms NS COUNTER
of() { look "$1" "my (\$v) = grep { \$_->{dev} eq 'path2' } @{\$c->{subflows}}; $2"; }
terms() { look "$1" "\$s->{terms}{$2}"; }
obeyed() { of client '$v->{terms}{obeys} ? ($v->{terms}{obeys}{rate_bps} // 0)." ".($v->{terms}{obeys}{idle_s} // 0) : "nothing"'; }
above() { [ "$(terms "$1" "$2")" -gt "$3" ]; } # NS COUNTER N
# speed PATH: bit/s that the client sends there, over two seconds. slower PATH N; faster PATH N: or would be, if it had the processor
sent() { look client "my (\$v) = grep { \$_->{dev} eq 'path$1' } @{\$c->{subflows}}; \$v->{bytes_sent}"; }
speed() {
	local at=$EPOCHREALTIME was
	was=$(sent "$1")
	sleep 2
	awk "BEGIN { printf \"%d\", ($(sent "$1") - $was) * 8 / ($EPOCHREALTIME - $at) }"
}
slower() { [ "$(speed "$1")" -lt "$2" ]; }
faster() { [ "$(speed "$1")" -gt "$2" ] || [ "$(look client "my (\$v) = grep { \$_->{dev} eq 'path$1' } @{\$c->{subflows}}; \$v->{pacing_bps}")" -gt "$2" ]; }
# kbit N, bits N: N kbit/s, as the rates of the operator and as a number of bit/s; a fraction of it in an emulation, which could not fill the paths
kbit() { echo $(($1 / slow / slow))kbit; }
bits() { echo $(($1 * 1000 / slow / slow)); }
# lengths CAPTURE: of the data in segments with an option that asks for 3 Mbit/s, each once
lengths() {
	local rate=$((3000 / slow / slow))
	tshark -r "$work/$1.pcap" -Y "$(printf 'tcp.options contains fe:08:6d:62:%02x:%02x:00:00' $((rate >> 8)) $((rate & 255)))" -T fields -e tcp.len 2>/dev/null | sort -u
}
alone() { [ "$(look "$1" 'scalar @c')" = 0 ]; } # NS: no connection is left
# timer: the keep-alive of the client's subflow on path 2, as ss has it
timer() { client ss -tnHo "src $second" | grep -o 'timer:([a-z]*' | cut -d'(' -f2; }
watched() { # DEV PORT: what `inject HEX` then puts on that flow; returns when the server's copy is out
	coproc CRAFT { exec nsenter --net=/run/netns/$lab-server build/tests/kernel/craft "$1" "$2" 2>"$work/craft"; }
	echo "$CRAFT_PID" >"$work/craft.pid"
	until_true bound
}
bound() { server awk 'NR > 1 && $5 && $6 { bound = 1 } END { exit !bound }' /proc/net/packet; }
inject() {
	local answer
	echo "$1" >&"${CRAFT[1]}"
	read -r answer <&"${CRAFT[0]}" && [ "$answer" = sent ] || { cat "$work/craft"; return 1; }
}
# counted COUNTER HEX: with it injected, again where it came too late for PAWS, the client counts it
counted() {
	local was
	was=$(terms client "$1")
	until_true injected "$1" "$was" "$2"
}
injected() { inject "$3" && until_counted "$1" "$2"; }
until_counted() { for _ in 1 2 3 4; do above client "$1" "$2" && return; sleep 0.1; done; return 1; }

up --path "$(kbit 10000),5ms" --path "$(kbit 10000),5ms"
while read -r word value regex; do
	ok "$word $value is refused" fails 2 "'$value' is not $regex" mb path add dev path2 "$word" "$value"
done <<-'END'
	ask-rate 1kbit a rate in 8kbit..1000gbit
	ask-idle 9s a time in 10s..32767s
	ask-idle 10h a time in
	obey yes a rate
END
ok "all words" mb path add dev path2 rate 20mbit ask-rate 5mbit ask-idle 2m obey 64kbit
is "$(mb path list)" "dev path2 weight 1 cost 0 rate 20mbit ask-rate 5mbit ask-idle 120s obey 64kbit" "as text"
is "$(mb -j path list | perl -MJSON::PP -e 'my ($p) = @{decode_json(<STDIN>)}; print "@$p{qw(ask_rate_bps ask_idle_s obey_bps)}"')" "5000000 120 64000" "as JSON"
mb list --config >"$work/config.yaml"
is "$(grep -o 'rate: .*' "$work/config.yaml")" "rate: 20mbit, ask-rate: 5mbit, ask-idle: 120s, obey: 64kbit}" "as a configuration"
is "$(mb -j apply "$work/config.yaml")" "[]" "which is what it is"
mb unload --all
ok "made anew from it" mb apply "$work/config.yaml"
is "$(mb list --config)" "$(cat "$work/config.yaml")" "to the letter"
mb unload --all

# Plain TCP.
ok "plain TCP: both ends" mb path add dev path1 obey 1mbit ask-rate 5mbit
srv path add dev path1 ask-rate 5mbit obey 1mbit
begin 10.77.1.2 5004 -t -C cubic -b 3000000
ok "a transfer" finish 5004
is "$(terms client said) $(terms server said)" "0 0" "nothing is said"
mb unload --all
srv unload --all

for v in 4 6; do
	addr=10.77.1.2 port=50${v}1
	[ $v = 6 ] && addr=fd77:1::2
	ok "IPv$v: the server asks for 3 Mbit/s on path 2" srv path add dev path2 ask-rate "$(kbit 3000)"
	ok "IPv$v: the client obeys from 1 Mbit/s on" mb path add dev path2 obey "$(kbit 1000)"
	ok "IPv$v: a capture" capture wire$v server path2 -c 5000 -s 128 -f "tcp port 50${v}0"
	begin $addr 50${v}0 -C cubic -d 600
	soon "$(bits 3000) 0" "IPv$v: a new subflow hears it" obeyed
	ok "IPv$v: no faster than that" until_true slower 2 "$(bits 4000)"
	ok "IPv$v: the other path is" until_true faster 1 "$(bits 5000)"
	stop 50${v}0
	ok "IPv$v: the payload is whole" finish 50${v}0
	captured wire$v
	is "$(lengths wire$v)" 0 "IPv$v: the option is as documented, on acknowledgements without data"
	mb unload --all
	until_true alone client
	until_true alone server
	$bin features | grep -q '^live_callbacks *yes' || { skip_known live_callbacks "IPv$v: changes on subflows that live"; srv unload --all; continue; }

	srv path add dev path2 ask-rate "$(kbit 4000)"
	said=$(terms server said) trouble=$(troubles)
	begin $addr $port -C cubic -d 600
	ok "IPv$v: two subflows" until_true joined
	ok "IPv$v: asked on and on" until_true above server said $((said + 5))
	ok "IPv$v: a client without us sends as fast as it can" until_true faster 2 "$(bits 5000)"
	ok "IPv$v: the client obeys on path 2" mb path add dev path2 obey "$(kbit 1000)"
	srv path add dev path2 ask-rate "$(kbit 2000)"
	soon "$(bits 2000) 0" "IPv$v: and hears what is asked from then on, on a subflow that lives" obeyed
	ok "IPv$v: no faster than that" until_true slower 2 "$(bits 3000)"
	ok "IPv$v: the other path is" until_true faster 1 "$(bits 5000)"
	is "$(look client 'scalar grep { $_->{terms} && $_->{dev} ne "path2" } @{$c->{subflows}}')" 0 "IPv$v: and nothing is asked on it"
	srv path add dev path2 ask-rate "$(kbit 5000)" ask-idle 5m
	soon "$(bits 5000) 300" "IPv$v: another rate" obeyed
	ok "IPv$v: faster" until_true faster 2 "$(bits 3500)"
	mb path add dev path2 obey "$(kbit 1000)" rate "$(kbit 1500)"
	ok "IPv$v: no faster than the path's own rate" until_true slower 2 "$(bits 2500)"
	mb path add dev path2 obey "$(kbit 1000)"
	srv path add dev path2 ask-rate "$(kbit 500)"
	ok "IPv$v: what is below the least" until_true above client refused 0
	is "$(obeyed)" "$(bits 5000) 300" "IPv$v: changes nothing"
	srv path add dev path2
	soon nothing "IPv$v: taken back" obeyed
	ok "IPv$v: faster" until_true faster 2 "$(bits 7000)"
	srv path add dev path2 ask-rate "$(kbit 2000)"
	soon "$(bits 2000) 0" "IPv$v: asked again" obeyed

	watched path2 $port
	ok "IPv$v: malformed: of six octets" counted malformed fe066d621388
	ok "IPv$v: of ten" counted malformed fe0a6d62138800000000
	ok "IPv$v: a rate in another form" counted malformed fe086d6220640000
	ok "IPv$v: an idleness of nine seconds" counted refused fe086d6200000009
	malformed=$(terms client malformed)
	ok "IPv$v: another's experiment" inject fe0800ff00010000
	is "$(obeyed)" "$(bits 2000) 0" "IPv$v: all that changes nothing"
	ok "IPv$v: a rate that is well formed is heard" counted heard fe086d620bb80000
	is "$(terms client malformed)" "$malformed" "IPv$v: and the experiment is not ours to judge"
	kill "$(cat "$work/craft.pid")"
	ok "IPv$v: the data arrive" going $port
	ok "IPv$v: unload at the client" mb unload --all
	ok "IPv$v: the rate is its own again" until_true faster 2 "$(bits 7000)"
	ok "IPv$v: unload at the server" srv unload --all
	is "$(troubles)" "$trouble" "IPv$v: the connection had no trouble"
	stop $port
	ok "IPv$v: the payload is whole" finish $port
	until_true alone client
	until_true alone server
done

# An idle subflow: path 2 is joined as a backup, of a connection without traffic, for data in flight would keep TCP's own timeouts.
client ip mptcp endpoint change id "$(client ip mptcp endpoint show | sed -n 's/^10.77.2.1 id \([0-9]*\) .*/\1/p')" backup
second=10.77.2.1
ok "the server asks for 10 s on path 2" srv path add dev path2 ask-idle 10s
ok "which the client obeys" mb path add from 10.77.2.0/24 obey 1mbit
spawn recv.5003 server build/tests/mpio recv 10.77.1.2 5003
listens recv.5003
spawn hold client build/tests/mpio hold -c 1 10.77.1.2 5003
ok "two subflows" until_true says 2 look client 'scalar @{$c->{subflows}}'
soon "0 10" "an idle subflow: what is asked comes with the answer to a keep-alive" obeyed
soon keepalive "it is kept alive" timer
probes=$(client nstat -asz TcpExtTCPKeepAlive | awk '/KeepAlive/ { print $2 }')
more_probes() { [ "$(client nstat -asz TcpExtTCPKeepAlive | awk '/KeepAlive/ { print $2 }')" -gt "$probes" ]; }
ok "by keep-alives" until_true more_probes
srv path add dev path2
soon nothing "taken back" obeyed
soon "" "no more of them" timer
if $bin features | grep -q '^live_callbacks *yes'; then
	srv path add dev path2 ask-idle 10s
	mb unload --all
	mb path add from ::/0 obey 64kbit
	soon "0 10" "a subflow that lives, and is idle, is asked after by who obeys anew" obeyed
	path 2 down
	ok "one that nobody answers on closes before the time is over" until_true says 1 look client 'scalar @{$c->{subflows}}'
	path 2 up
else
	skip_known live_callbacks "an idle subflow that lives"
fi
kill "$(cat "$work/hold.pid")"
until_true alone client

# Both ends ask and obey, and both have acknowledgements without data.
mb unload --all
srv unload --all
ok "the client asks and obeys" mb path add dev path1 obey 1mbit ask-rate 7mbit
ok "so does the server" srv path add dev path1 obey 1mbit ask-rate 8mbit
spawn respond server build/tests/mpio respond 10.77.1.2 5005
listens respond
spawn request client build/tests/mpio request -c 100000 -l 100000 -b 100000 -i 20 10.77.1.2 5005
both() { look "$1" 'my ($v) = grep { $_->{dev} eq "path1" } @{$c->{subflows}}; join " ", $v->{terms}{asks}{taken} ? 1 : 0, $v->{terms}{obeys}{rate_bps} // 0'; }
soon "1 8000000" "each obeys and knows that it is obeyed: the client" both client
soon "1 7000000" "the server" both server
ok "which people are told" grep -q "asks for at most 7mbit (taken); obeys: at most 8mbit" <(mb stat)
kill "$(cat "$work/request.pid")"
mb unload --all
srv unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
