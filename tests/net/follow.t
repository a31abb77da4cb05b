#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The agent with a configuration file: applied at the start, on SIGHUP, and when it changes, by name or as a ConfigMap does; one with an error changes nothing.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=co$$
. tests/lib/transfer.sh
. tests/lib/agent.sh
mkdir "$work/etc" "$work/etc/1" "$work/etc/2" "$work/other"
file=$work/etc/agent.yaml
write() { printf "$1\n" >"$work/new" && mv "$work/new" "${2:-$file}"; } # FORMAT [FILE]
loaded() { [ "$(mb -j list | perl -MJSON::PP -e 'print join ",", sort map { $_->{name} } grep { $_->{loaded} } @{decode_json(join "", <STDIN>)}')" = "$1" ]; }

up --path 20mbit,10ms --path 20mbit,20ms
ok "no file" fails 1 'agent.yaml: cannot open' mb run -c "$file"
write 'policies: [opt_count]\nagent: {margin_ms: 0}'
ok "a setting out of range: line and column" fails 1 'agent.yaml:2:.*1..10000' mb run -c "$file"
write 'policies: [opt_count]\nagent: {margin_ms: 300}'
ok "settings stand in the file" fails 2 "under 'agent'" mb run -c "$file" margin_ms=3
ok "apply takes the same file" mb check "$file"
ok "nothing is left of all that" test ! -e /sys/fs/bpf/mptcp-bpf
agent client -c "$file"
ok "it is applied" loaded opt_count
ok "which is told" grep -q '"event": *"applied"' "$work/agent.out"
write 'policies: [opt_count, prio_pin]\nagent: {margin_ms: 300}'
ok "the file changes: it is applied" until_true loaded opt_count,prio_pin
write 'policies: [opt_count]\nrules: nonsense'
ok "one with an error: that is told" until_true grep -q 'agent.yaml:2:' "$work/agent.out"
ok "and nothing changes" loaded opt_count,prio_pin
write 'policies: [prio_pin]\npaths: [{dev: path2, cost: 10}]\nagent: {demand: 1}'
ok "another setting holds at once: a costly path is parked" until_true lacks 10.77.2.1
write 'policies: [prio_pin]\npaths: [{dev: path2, cost: 10}]'
ok "and its default again" until_true has 10.77.2.1 2

write 'policies: [prio_pin]' "$work/other/agent.yaml"
ln -sf "$work/other/agent.yaml" "$work/new" && mv "$work/new" "$file"
write 'policies: [opt_count]' "$work/other/agent.yaml"
kill -HUP "$(cat "$work/agent.pid")"
ok "SIGHUP: a change elsewhere is applied" until_true loaded opt_count
write 'policies: [prio_pin]' "$work/etc/1/agent.yaml"
write 'policies: [prio_pin, opt_count]' "$work/etc/2/agent.yaml"
ln -s 1 "$work/etc/..data"
ln -s ..data/agent.yaml "$work/new" && mv "$work/new" "$file"
ok "a ConfigMap" until_true loaded prio_pin
ln -s 2 "$work/etc/new" && mv -T "$work/etc/new" "$work/etc/..data"
ok "changes" until_true loaded opt_count,prio_pin
agent_end TERM
is "$(cat "$work/agent.status")" 0 "the agent ends"
ok "what is loaded stays" loaded opt_count,prio_pin
mb unload --all
ok "nothing is left" test ! -e /sys/fs/bpf/mptcp-bpf
done_testing
