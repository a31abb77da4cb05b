# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# KTAP, and two hosts joined by two paths: path i is 10.0.i.1 <-> 10.0.i.2 and fd00:i::1 <-> fd00:i::2. Source it, and end with finish.
set -u
KSFT_PASS=0 KSFT_FAIL=1 KSFT_SKIP=4
here=$(cd "$(dirname "$0")" && pwd)
PATH=${OUTPUT:-$here}:$here:$PATH
client=ksft$$c server=ksft$$s
work=$(mktemp -d)
ksft_n=0 ksft_failed=0
pids=()

clean_up() {
	kill "${pids[@]}" 2>/dev/null
	wait 2>/dev/null
	ip netns del $client 2>/dev/null
	ip netns del $server 2>/dev/null
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

echo "KTAP version 1"

skip_all() {
	echo "1..0 # SKIP $*"
	exit $KSFT_SKIP
}

# ok DESC CMD...: the command succeeds.
ok() {
	local desc=$1
	shift
	ksft_n=$((ksft_n + 1))
	if "$@" >"$work/said" 2>&1; then echo "ok $ksft_n $desc"; else
		ksft_failed=$((ksft_failed + 1))
		sed 's/^/# /' "$work/said"
		echo "not ok $ksft_n $desc"
	fi
}
skip() {
	ksft_n=$((ksft_n + 1))
	echo "ok $ksft_n $2 # SKIP $1"
}
finish() {
	echo "1..$ksft_n"
	[ $ksft_failed = 0 ] || exit $KSFT_FAIL
	exit $KSFT_PASS
}

at() { nsenter --net="/run/netns/$1" "${@:2}"; }

# within SECONDS CMD...: it succeeds before that.
within() {
	local end=$((SECONDS + $1))
	until "${@:2}"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# bound NS: somebody captures there.
bound() { at "$1" awk 'NR > 1 && $5 && $6 { bound = 1 } END { exit !bound }' /proc/net/packet; }

hosts() {
	local i
	[ "$(id -u)" = 0 ] || skip_all "not root"
	[ -e /proc/sys/net/mptcp/enabled ] || skip_all "no MPTCP in this kernel"
	command -v flow >/dev/null || skip_all "flow: not built"
	ip netns add $client && ip netns add $server || skip_all "no network namespaces"
	for i in 1 2; do
		ip link add path$i netns $client type veth peer name path$i netns $server
		ip -n $client addr add 10.0.$i.1/24 dev path$i
		ip -n $server addr add 10.0.$i.2/24 dev path$i
		ip -n $client addr add fd00:$i::1/64 dev path$i nodad
		ip -n $server addr add fd00:$i::2/64 dev path$i nodad
		ip -n $client link set path$i up
		ip -n $server link set path$i up
	done
	at $client ip mptcp limits set subflows 2 add_addr_accepted 2
	at $server ip mptcp limits set subflows 2 add_addr_accepted 2
}

# second ADDR [FLAGS...]: the client joins from that address to the server's address of the first path, routed by its own device.
second() {
	at $client ip mptcp endpoint add "$1" dev path2 subflow "${@:2}"
	case $1 in
	*:*) ip -n $server -6 route add fd00:2::1 dev path2 2>/dev/null; ip -n $client -6 rule add from "$1" table 2
		ip -n $client -6 route add fd00:1::2 via fd00:2::2 dev path2 table 2 ;;
	*) ip -n $client rule add from "$1" table 2; ip -n $client route add 10.0.1.2 via 10.0.2.2 dev path2 table 2 ;;
	esac
	at $server sysctl -qw net.ipv4.conf.all.rp_filter=0
	at $client sysctl -qw net.ipv4.conf.all.rp_filter=0
}

# In the background; a function there would be a shell of its own, and its child outlive it.
beside() { # NS CMD...
	nsenter --net="/run/netns/$1" "${@:2}" &
	pids+=($!)
}
# start OUT NS CMD...: until it says that it listens.
start() {
	beside "${@:2}" >"$1" 2>"$1.err"
	within 20 grep -q listening "$1.err"
}

# Flags of the client's subflow of path N (ss -ti: B: the peer asked for backup; b: the own endpoint did; e: fully established).
flags() { at $client ss -tinH "src 10.0.$1.1 or src [fd00:$1::1]" | grep -o 'tcp-ulp-mptcp flags:[A-Za-z]*' | head -n 1 | cut -d: -f2; }
has() { [[ $(flags "$1") == *$2* ]]; }
lacks() { [[ -n $(flags "$1") && $(flags "$1") != *$2* ]]; }

# What leaves path N: at least 20 kB in half a second; and, of what is more than bare acknowledgements, nothing in a second.
sent() { at $client awk -v d="path$1:" '$1 == d { print $10 }' /proc/net/dev; }
moved() {
	local before
	before=$(sent "$1")
	sleep "$2"
	[ $(($(sent "$1") - before)) -gt 20000 ]
}
flows() { moved "$1" 0.5; }
idle() { ! moved "$1" 1; }

# counter NS NAME
counter() { at "$1" nstat -asz "$2" | awk -v n="$2" '$1 == n { print $2 }'; }
