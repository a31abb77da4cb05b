# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What tests of the transport converter share: hosts, servers in the background, and a converter's counters. Source it after tap.sh.
bin=${MPTCP_BPF:-build/mptcp-bpf}
stub=tests/tools/convert.py
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
command -v python3 >/dev/null || { skip "python3 is not installed" "connections through a converter"; done_testing; }

# Where MPTCP sockets send and take nothing in SYNs, converters speak TCP, and what needs MPTCP to them is skipped: $mptcp is "mptcp" or "", $tcp is "" or "tcp"
mptcp=mptcp
$bin features | grep -q '^mptcp_fastopen *yes' || mptcp=''
tcp=${mptcp:-tcp} tcp=${tcp#mptcp}
# if_mptcp DESC CMD...: a test of MPTCP between client and converter
if_mptcp() { if [ "$mptcp" ]; then ok "$@"; else skip "mptcp_fastopen" "$1"; fi; }

in_ns() { local ns=$1; shift; nsenter --net=/run/netns/$ns "$@"; }

# link NS NAME NS NAME N [SUB]: two hosts with the addresses .1 and .2 in 10.N.SUB.0/24 and fdN:SUB::/64
link() {
	local end i=0 ends=("$1 $2" "$3 $4")
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
	for end in "${ends[@]}"; do
		i=$((i + 1))
		ip -n "${end% *}" addr add "10.$5.${6:-0}.$i/24" dev "${end#* }" && ip -n "${end% *}" addr add "fd$5:${6:-0}::$i/64" dev "${end#* }" nodad &&
			ip -n "${end% *}" link set "${end#* }" up || bail "no address for ${end#* }"
	done
}

# hosts TAG N: $c, the client; $v, the converter's host, on two paths, 10.N.1.0/24 and 10.N.2.0/24; $d, the destination, behind it in 10.(N+1).0.0/24; and
# the same in IPv6
hosts() {
	local ns
	c=${1}c$$ v=${1}v$$ d=${1}d$$
	at_exit "for ns in $c $v $d; do $bin -n \$ns unload --all; ip netns del \$ns; done"
	for ns in $c $v $d; do ip netns add $ns && ip -n $ns link set lo up || bail "no network namespaces"; done
	link $c p1 $v p1 "$2" 1
	link $c p2 $v p2 "$2" 2
	link $v net $d net $(($2 + 1))
	at_exit 'kill "${pids[@]}"; wait'
}

# start NS CMD...: in the background, until it says that it listens
start() {
	local ns=$1 log=$work/log.${#pids[@]} i
	shift
	: >"$log"
	nsenter --net=/run/netns/$ns "$@" 2>"$log" &
	pids+=($!)
	for ((i = 0; i < 400; i++)); do grep -qE 'listening|threads' "$log" && return; sleep 0.05; done
	sed 's/^/# /' "$log"
	bail "does not start: $*"
}

# counted NAME [PORT]: by the converter that listens there, 5000; errors by the name of their code
counted() {
	in_ns $v "$bin" -j converter stat port "${2:-5000}" | perl -MJSON::PP -e 'my $o = decode_json(<STDIN>); print $o->{$ARGV[0]} // $o->{errors}{$ARGV[0]}' "$1"
}

# ended [PORT]: within 30 s no session is left
ended() {
	local i
	for ((i = 0; i < 150; i++)); do [ "$(counted sessions "${1:-5000}")" = 0 ] && return; sleep 0.2; done
	return 1
}

# destinations NS: an echo on port 7, and bulk, both ways, on port 10
destinations() {
	start "$1" python3 $stub echo :: 7
	start "$1" python3 $stub supply :: 10
}
