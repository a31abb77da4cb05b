# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent on a host of a lab, and what it does there. Source it after transfer.sh.
lab=${lab:?} bin=${bin:?} work=${work:?}
settings=() # KEY=VALUE that every agent of the test has
path() { scripts/lab path $lab "$@"; }
has() { ip -n $lab-client mptcp endpoint | grep -q "^$1 id $2 "; } # ADDR ID: the client has that endpoint
lacks() { ! ip -n $lab-client mptcp endpoint | grep -q "^$1 "; } # ADDR
told() { grep -q "\"event\":\"$1\".*\"address\":\"$2\".*$3" "$work/agent.out"; } # EVENT ADDR REGEX
agent() { # SIDE ARGS...: what `run` takes
	spawn agent "$1" $bin -j run "${settings[@]}" "${@:2}"
	until_true grep -q watching "$work/agent.err" || until_true grep -q watching "$work/agent.err" || bail "the agent does not come to watch"
}
agent_end() { # SIGNAL
	kill -"$1" "$(cat "$work/agent.pid")"
	until_true test -s "$work/agent.status"
}
# over PORT: its transfer ends whole, the agent when it is told to, and nothing of ours is left
over() {
	stop "$1"
	ok "the payload is whole" finish "$1"
	agent_end TERM
	is "$(cat "$work/agent.status")" 0 "the agent ends"
	mb unload --all
	ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
}
