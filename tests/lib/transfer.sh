# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Transfers between the two hosts of a lab, for tests of what happens to them meanwhile. Source it after tap.sh, with $lab set: the lab's name. The policies
# in it, what runs in it, and the lab itself go at the exit.
lab=${lab:?} slow=${slow:?}
bin=${MPTCP_BPF:-build/mptcp-bpf}
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "for ns in $lab-client $lab-server; do $bin -n \$ns unload --all; done; scripts/lab down $lab"
client() { nsenter --net=/run/netns/$lab-client "$@"; }
server() { nsenter --net=/run/netns/$lab-server "$@"; }
mb() { $bin -n $lab-client "$@"; }
fails() { # STATUS REGEX CMD...
	local want=$1 regex=$2 got=0
	shift 2
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ $got = "$want" ] && grep -Eq "$regex" "$work/err" || { echo "exit $got, stderr:"; cat "$work/err"; return 1; }
}

# look NS EXPRESSION: Perl on $s, what `stat -j` says; $c its first connection with two subflows, or its first
look() {
	$bin -n "$lab-$1" -j stat | perl -MJSON::PP -e 'my $s = decode_json(<STDIN>); my @c = @{$s->{connections}};
		my ($c) = ((grep { @{$_->{subflows}} > 1 } @c), @c); print eval $ARGV[0]' "$2"
}
joined() { [ "$(look client 'scalar @{$c->{subflows}}')" = 2 ] && [ "$(look client '$c->{subflows}[1]{bytes_acked} || $c->{subflows}[1]{srtt_us} ? 1 : 0')" = 1 ]; }
steer() { look "${2:-client}" "\$s->{steer}{$1}"; }
pins() { echo "/sys/fs/bpf/mptcp-bpf/$(look "$1" '$s->{netns}')"; } # NS: its directory

# spawn NAME NS CMD...: in the background; its exit status will be in NAME.status
spawn() {
	local name=$1 ns=$2
	shift 2
	rm -f "$work/$name".{status,pid,out,err}
	{
		nsenter --net=/run/netns/$lab-$ns "$@" >"$work/$name.out" 2>"$work/$name.err" &
		echo $! >"$work/$name.pid"
		wait $!
		echo $? >"$work/$name.status"
	} >/dev/null 2>&1 &
	until_true test -s "$work/$name.pid"
}
ended() { # NAME: with which status, within 30 s, SLOW times
	local i
	for ((i = 0; i < 600 * slow; i++)); do [ -s "$work/$1.status" ] && break; sleep 0.05; done
	cat "$work/$1.err" >&2
	return "$(cat "$work/$1.status" 2>/dev/null || echo 99)"
}
at_exit 'kill $(cat "$work"/*.pid)'
listens() { until_true grep -q listening "$work/$1.err"; } # NAME of what was spawned

# capture NAME NS DEV ARGS...: dumpcap, once it captures. captured NAME...: they end, once nothing is added to NAME.pcap for a second.
capture() {
	spawn "$1" "$2" dumpcap -q -B 64 -i "$3" -w "$work/$1.pcap" "${@:4}"
	until_true grep -q File: "$work/$1.err"
}
captured() {
	local name files=("${@/#/$work/}")
	until_true steady stat -c %s "${files[@]/%/.pcap}"
	for name; do kill -INT "$(cat "$work/$name.pid")"; ended "$name" 2>/dev/null; done
}

# watch NS ARGS...: `monitor` in the background, once the kernel tells it; it ends as `ended monitor` after a SIGINT
watch() {
	spawn monitor "$1" $bin -j monitor "${@:2}"
	until_true watched "$1"
}
watched() { bpftool -j map lookup pinned "$(pins "$1")/mpb_watch" key 0 0 0 0 | grep -q '0x[0-9a-f]*[1-9a-f]'; } # MPB_WATCH_EVENTS

# begin ADDR PORT ARGS...: a transfer from the client in the background, with what `mpio send` takes; in an emulation, which a thousand segments a second keep
# busy, a rate goes out in larger pieces. finish PORT: its end; the payload must be whole.
begin() {
	local addr=$1 port=$2 tcp=
	shift 2
	[ "$1" = -t ] && tcp=-t
	spawn recv.$port server build/tests/mpio recv $tcp "$addr" "$port"
	listens recv.$port
	spawn send.$port client build/tests/mpio send -g $((slow > 1 ? 20 : 1)) "$@" -s "$port" "$addr" "$port"
}
finish() {
	local port=$1 bytes
	ended send.$port && ended recv.$port || return 1
	bytes=$(perl -MJSON::PP -e 'print decode_json(<>)->{bytes}' "$work/send.$port.out")
	[ "$bytes" -gt 0 ] && build/tests/mpio gen -b "$bytes" -s "$port" | cmp - "$work/recv.$port.out"
}

# got PORT: bytes that the receiver has. going PORT...: each of them gets more, within 60 s, SLOW times: timers that several faults have backed off take so long.
got() { stat -c %s "$work/recv.$1.out"; }
going() {
	local port i
	local -A had
	for port; do had[$port]=$(got "$port"); done
	for port; do
		for ((i = 0; i < 1200 * slow; i++)); do [ "$(got "$port")" -gt "${had[$port]}" ] && continue 2; sleep 0.05; done
		echo "port $port: no more than ${had[$port]} bytes"
		return 1
	done
}
stop() { for port; do kill -INT "$(cat "$work/send.$port.pid")"; done; } # PORT...: the transfers end, orderly

# What must not happen to a connection while it is open, as both ends count it: resets, fallbacks to TCP, MP_FAIL, data that does not fit its mapping. (When
# it ends, what was reinjected may still come to a subflow that is closed, and is reset.)
troubles() { { client nstat -asz; server nstat -asz; } | awk '/MPTcpExt(MPFail|MPRst|MPFastclose|InfiniteMap|DataCsumErr|DSS|.*Fallback)/ { n += $2 } END { print n + 0 }'; }

up() { scripts/lab up $lab "$@" 2>"$work/lab.log" || { sed 's/^/# /' "$work/lab.log"; bail "no lab"; }; }
down() {
	# shellcheck disable=SC2046 # one pid a word
	kill $(cat "$work"/*.pid) 2>/dev/null
	for ns in client server; do $bin -n "$lab-$ns" unload --all; done
	scripts/lab down -q $lab
}
loaded() { mb -j list | perl -MJSON::PP -e 'print join ",", map { $_->{name} } grep { $_->{loaded} } @{decode_json(<STDIN>)}'; }
