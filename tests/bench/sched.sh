# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# For the benchmarks of packet schedulers: one lab, and runs of mpio in it one after the other. A CASE is a policy, `stock` (the kernel's scheduler alone),
# `alone` (MPTCP with one subflow) or `tcp` (plain TCP on path 1). ROUNDS says how often each; CC the congestion control of whoever sends (the kernel's
# default may be BBR, which paces by itself).
cd "$(dirname "$0")/../.." || exit 1
bin=${MPTCP_BPF:-build/mptcp-bpf}
mpio=build/tests/mpio
cc=${CC:-cubic}
rounds=${ROUNDS:-5}
lab=sched$$
work=$(mktemp -d)
pids=()

in_ns() { nsenter --net=/run/netns/$lab-"$1" "${@:2}"; }
clean() {
	kill -KILL "${pids[@]}" 2>/dev/null
	for side in client server; do [ ! -e /run/netns/$lab-$side ] || $bin -n $lab-$side unload --all; done
	scripts/lab down -q $lab
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

# lab_up PATH...
lab_up() {
	local specs=() spec side
	for spec; do specs+=(--path "$spec"); done
	scripts/lab up $lab "${specs[@]}" || { echo "# no lab"; exit 77; }
	sleep 1
	for side in client server; do in_ns $side sysctl -qw net.ipv4.tcp_no_metrics_save=1; done
	echo "# paths: $*; $cc"
}

# begin CASE SIDE [SETTING...]: SIDE is the one that sends; its device counters from now on, or, after `settled`, from a second later on: a subflow joins late.
begin() {
	tcp=()
	[ "$1" != tcp ] || tcp=(-t)
	[ "$1" != alone ] || in_ns client ip mptcp limits set subflow 0
	case $1 in tcp | alone | stock) ;; *) $bin -n $lab-"$2" load "$1" "${@:3}" || exit 1 ;; esac
	sender=$2
	joined=$(joins)
	counters >"$work/before"
}
# done_with CASE: its run must have had all paths.
done_with() {
	[ "$1" != alone ] || in_ns client ip mptcp limits set subflow 8
	case $1 in tcp | alone) return ;; stock) ;; *) $bin -n $lab-"$sender" unload "$1" || exit 1 ;; esac
	[ "$(joins)" -gt "$joined" ] || { echo "bench: $1: no second subflow joined" >&2 && exit 1; }
}
joins() { in_ns client nstat -asz MPTcpExtMPJoinSynAckRx | awk '/^MPTcpExt/ { print $2 }'; }
counters() { in_ns "$sender" awk '/^ *path[0-9]+:/ { sub(/:/, " "); sub(/path/, ""); sent[$1 + 0] = $10 } END { for (i = 1; i in sent; i++) print sent[i] }' /proc/net/dev; }

settled() { sleep 1 && counters >"$work/before.new" && mv "$work/before.new" "$work/before" & }

# share I: path I's part, in percent, of what the sender sent since then, headers and all.
share() { counters | awk -v i="$1" 'NR == FNR { b[FNR] = $1; next } { d[FNR] = $1 - b[FNR]; all += d[FNR] } END { printf "%.4f", all ? 100 * d[i] / all : 0 }' "$work/before" -; }

# listen SIDE VERB OPTION...: mpio on port 5001, its output in $out; `heard` waits for its end.
out=$work/out
listen() {
	: >"$work/err" # of the run before
	nsenter --net=/run/netns/$lab-"$1" $mpio "${@:2}" 10.77.1.2 5001 >"$out" 2>"$work/err" &
	pids=($!)
	for _ in {1..250}; do grep -q listening "$work/err" && return; sleep 0.02; done
	cat "$work/err" >&2
	exit 1
}
heard() { wait "${pids[@]}" || exit 1; pids=(); }

# stream CASE SIDE BIT/S SECONDS: JSON of the sink in $work/sink.
stream() {
	if [ "$2" = client ]; then
		listen server sink "${tcp[@]}"
		in_ns client $mpio stream "${tcp[@]}" -C "$cc" -r "$3" -d "$4" 10.77.1.2 5001 || exit 1
		heard
		mv "$work/out" "$work/sink"
	else
		listen server stream "${tcp[@]}" -C "$cc" -R -r "$3" -d "$4"
		in_ns client $mpio sink "${tcp[@]}" -R 10.77.1.2 5001 >"$work/sink" || exit 1
		heard
	fi
}

# bulk OPTION...: from the client; prints Mbit/s.
bulk() {
	out=/dev/null listen server recv "${tcp[@]}"
	in_ns client $mpio send "${tcp[@]}" -C "$cc" "$@" 10.77.1.2 5001 >"$work/send" || exit 1
	heard
	field mbps "$work/send"
}

field() { sed -n "s/.*\"$1\":\\([0-9.]*\\).*/\\1/p" "$2"; }
ms() { calc "$(field "$1" "$work/sink") / 1000"; }
calc() { awk "BEGIN { printf \"%.4f\", ($1) }"; }
sample() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"; }
