#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# top on a terminal that tmux makes: what it shows, its keys, another size, and a clean terminal after it, also after a signal.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=top$$
. tests/lib/transfer.sh
if ! command -v tmux >/dev/null; then
	skip "tmux is not installed" "top"
	done_testing
fi
export LC_ALL=C.UTF-8
tm() { tmux -f /dev/null -S "$work/tmux" "$@"; }
at_exit "tmux -S $work/tmux kill-server"
until_seen() { # REGEX: within 20 s on the screen
	local end=$((SECONDS + 20 * slow))
	while [ $SECONDS -lt $end ]; do tm capture-pane -p -t t | grep -Eq "$1" && return; sleep 0.2; done
	tm capture-pane -p -t t
	return 1
}
# first: the connection at the top of the list, its token and peer
first() { tm capture-pane -p -t t | grep -m 1 -oE '^0x[0-9a-f]{8} [^ ]+'; }
up --path 20mbit,5ms --path 20mbit,20ms
spawn echo server build/tests/mpio echo 10.77.1.2 5001
listens echo
spawn hold client build/tests/mpio hold -c 3 10.77.1.2 5001
is "$($bin top </dev/null 2>&1 | head -n 1)" "mptcp-bpf: top: needs a terminal" "without a terminal"

tm new-session -d -s t -x 80 -y 24 "bash --norc"
tm send-keys -t t "PS1='ready> '; stty -a | tr -d '\n' | md5sum; $bin -n $lab-client top -i 0.5; echo left; stty -a | tr -d '\n' | md5sum" Enter
ok "80x24: connections, subflows" until_seen '3 connections, 6 subflows'
ok "paths" until_seen '^path2 +3 '
ok "what limits a subflow" until_seen 'path1 +ESTAB.* application'
mapfile -t conns < <(mb -j stat | perl -MJSON::PP -e 'print map { "$_\n" } sort map { "$_->{token} $_->{peer}" } @{decode_json(<STDIN>)->{connections}}')
soon "${conns[0]}" "by token" first
tm send-keys -t t Down
soon "${conns[1]}" "down: scrolled by one" first
tm send-keys -t t Down Down Down Down
soon "${conns[2]}" "not beyond the last" first
tm send-keys -t t Up
soon "${conns[1]}" "and up" first
tm send-keys -t t Up Up
soon "${conns[0]}" "not beyond the first" first
tm send-keys -t t h
ok "h: the help" until_seen 'sort by token, age, bytes'
tm send-keys -t t h
tm send-keys -t t r
ok "r: by rate" until_seen 'by rate'
tm send-keys -t t / path2 Enter
ok "/: on one device" until_seen 'on path2'
tm send-keys -t t ' '
ok "space: held" until_seen ', held'
tm send-keys -t t ' '
tm resize-window -t t -x 120 -y 40
ok "resized" until_seen '3 connections, 6 subflows'
tm resize-window -t t -x 40 -y 8
ok "too small" until_seen 'needs 80x10'
tm resize-window -t t -x 80 -y 24
ok "and back" until_seen '3 connections, 6 subflows'
tm send-keys -t t q
ok "q leaves" until_seen '^left'
is "$(tm capture-pane -p -S - -t t | grep -oE '^[0-9a-f]{32}' | sort -u | wc -l)" 1 "the terminal is as it was"
tm send-keys -t t "clear; $bin -n $lab-client top; echo left" Enter
ok "again" until_seen '3 connections'
kill -TERM "$(pgrep -f "^$bin -n $lab-client top")"
ok "a signal ends it" until_seen '^left'
tm send-keys -t t "stty -a | tr -d '\n' | md5sum; echo works" Enter
until_seen '^works'
is "$(tm capture-pane -p -S - -t t | grep -oE '^[0-9a-f]{32}' | sort -u | wc -l)" 1 "the terminal works"
done_testing
