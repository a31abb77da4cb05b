# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# For the benchmarks of failover: a lab of two paths, one of which dies silently under an application. A CASE is `stock`, `client` or `server`: who runs the
# agent. ROUNDS says how often each; each run is a connection of its own.
cd "$(dirname "$0")/../.." || exit 1
bin=${MPTCP_BPF:-build/mptcp-bpf}
mpio=build/tests/mpio
rounds=${ROUNDS:-10}
lab=fail$$
work=$(mktemp -d)
pids=()

clean() {
	kill -KILL "${pids[@]}" ${agent:+"$agent"} 2>/dev/null
	for side in client server; do [ ! -e /run/netns/$lab-$side ] || $bin -n $lab-$side unload --all; done
	scripts/lab down -q $lab
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

lab_up() { # PATH...
	local specs=() spec
	for spec; do specs+=(--path "$spec"); done
	scripts/lab up $lab "${specs[@]}" || { echo "# no lab"; exit 77; }
	echo "# paths: $*; load $(cut -d' ' -f1 /proc/loadavg)"
}
in_ns() { nsenter --net=/run/netns/$lab-"$1" "${@:2}"; }

# spawn SIDE CMD...: in the background, with its output in $work/CMD's name; `listen` waits until it listens.
spawn() {
	nsenter --net=/run/netns/$lab-"$1" "${@:2}" >"$work/$3" 2>"$work/$3.err" &
	pids+=($!)
}
listen() {
	: >"$work/$3.err" # that of the last one said that it listens
	spawn "$@"
	for _ in {1..250}; do grep -q listening "$work/$3.err" && return; sleep 0.02; done
	echo "bench: $3 does not listen" >&2
	exit 1
}

# agent_start CASE SETTING..., agent_stop: the log in $work/log
agent=
agent_start() {
	[ "$1" != stock ] || return 0
	$bin -n $lab-"$1" run "${@:2}" >"$work/log" 2>&1 &
	agent=$!
	for _ in {1..250}; do grep -q watching "$work/log" && return; sleep 0.02; done
	cat "$work/log" >&2
	exit 1
}
agent_stop() {
	[ -n "$agent" ] || return 0
	kill $agent
	wait $agent || { cat "$work/log" >&2; exit 1; }
	agent=
}

field() { sed -n "s/.*\"$1\":\\([0-9.]*\\).*/\\1/p" "$2"; }
sample() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"; }
calc() { awk "BEGIN { printf \"%.4f\", ($1) }"; }
