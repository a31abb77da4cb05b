#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A transfer over two paths under every scheduler, every congestion control (of both subflows) and every option policy (at tc and at XDP) that the binary
# carries: it is in force, and the payload arrives intact.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=every$$
ns=$lab-client
work=$(mktemp -d)
receiver=
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; $bin -n $lab-server unload --all; scripts/lab down -q $lab"
at_exit 'kill $receiver; echo >&5'
scripts/lab up $lab --path 30mbit,5ms --path 30mbit,10ms || bail "no lab"
$bin -n $lab-server load opt_count || bail "opt_count" # what all namespaces share is loaded once, not for each policy anew
bytes=${BYTES:-5000000}
build/tests/mpio gen -b "$bytes" -s 3 >"$work/payload"
sum=$(sha256sum <"$work/payload")
mkfifo "$work/go" && exec 5<>"$work/go" # the second half of a payload waits for a line here: the connection lasts until it was looked at
client() { nsenter --net=/run/netns/$ns "$@"; }

port=5000
transfer() {
	port=$((port + 1))
	rm -f "$work/log"
	nsenter --net=/run/netns/$lab-server build/tests/mpio recv 10.77.1.2 $port >"$work/received" 2>"$work/log" &
	receiver=$!
	until_true grep -q listening "$work/log"
	{ head -c $((bytes / 2)) "$work/payload" && read -r -t 120 -u 5 && tail -c +$((bytes / 2 + 1)) "$work/payload"; } |
		client timeout $((60 * ${SLOW:-1})) build/tests/mpio send 10.77.1.2 $port >"$work/sent" &
	sender=$!
}
# in_force KIND NAME: of the connection there is, and its two subflows
in_force() {
	local of='$c'
	[ "$1" = cc ] && of='@s'
	for _ in $(seq 100); do
		$bin -n $ns -j stat | perl -MJSON::PP -e 'exit !grep { my $c = $_; my @s = @{$c->{subflows}}; 2 == @s && !grep { ($_->{$ARGV[0]} // "") ne $ARGV[1] } '"$of"' }
			@{decode_json(join "", <STDIN>)->{connections}}' "$1" "$2" && return 0
		kill -0 $sender 2>/dev/null || break
	done
	$bin -n $ns stat
	return 1
}
arrived() {
	echo >&5
	wait "$sender" && wait "$receiver"
	status=$?
	sum_got=$(sha256sum <"$work/received")
}
counted() { $bin -n $ns -j list opt | perl -MJSON::PP -e 'my ($p) = grep { $_->{loaded} } @{decode_json(join "", <STDIN>)}; exit !@{$p->{attachments}}'; }

# try KIND NAME WORDS...
try() {
	local kind=$1 name=$2 status=0
	shift 2
	$bin -n $ns load "$name" "$@" 2>"$work/said" || status=$?
	if [ $status = 4 ]; then
		skip_known "$(head -n 1 "$work/said")" "$kind $name${*:+ $*}"
		return
	fi
	ok "$kind $name${*:+ $*}: load" eval "cat '$work/said'; [ $status = 0 ]"
	[ $status = 0 ] || return
	transfer
	if [ "$kind" = opt ]; then
		ok "$name: attached" counted
	else
		ok "$name: in force" in_force "$kind" "$name"
	fi
	arrived
	is "$status $sum_got" "0 $sum" "$name: the payload is intact"
	ok "$name: unload" $bin -n $ns unload "$name"
}

$bin -j list | perl -MJSON::PP -e 'print map { "$_->{kind} $_->{name}\n" } grep { $_->{kind} =~ /^(sched|cc|opt)$/ } @{decode_json(join "", <STDIN>)}' >"$work/policies"
ok "there are some of each kind" test "$(cut -d ' ' -f 1 "$work/policies" | sort -u | wc -l)" = 3
while read -r kind name <&3; do
	try "$kind" "$name"
	[ "$kind" = opt ] && try opt "$name" hook xdp
done 3<"$work/policies"
is "$(client nstat -asz MPTcpExtMPCapableFallbackSYNACK | awk '/Fallback/ { print $2 }')" 0 "no fallback"
is "$(client nstat -asz TcpInCsumErrors | awk '/CsumErrors/ { print $2 }')" 0 "no wrong checksum"
done_testing
