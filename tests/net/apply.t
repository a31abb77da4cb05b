#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A configuration as a transaction: check changes nothing, apply does all of it or nothing, whatever is wrong with the file and whenever the call is killed;
# twice is once; what `list --config` prints is such a file; and the connections that live meanwhile do not notice.
# ROUNDS: how many random configurations (every 10th invalid, every 10th killed with SIGKILL).
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
rounds=${ROUNDS:-20}
lab=app$$
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "for ns in $lab-client $lab-server; do $bin -n \$ns unload --all; done; scripts/lab down $lab"
at_exit 'kill $(cat "$work"/*.pid)'
mb() { $bin -n $lab-client "$@"; }
fails() { # STATUS REGEX CMD...
	local want=$1 regex=$2 got=0
	shift 2
	"$@" >"$work/out" 2>"$work/err" || got=$?
	[ $got = "$want" ] && grep -Eq "$regex" "$work/err" || { echo "exit $got, stderr:"; cat "$work/err"; return 1; }
}
bad() { # DESC REGEX TEXT: a file that neither check nor apply takes
	printf '%b' "$3" >"$work/bad.yaml"
	ok "$1" fails 1 "$2" mb check "$work/bad.yaml"
	ok "  nor is it applied" fails 1 "$2" mb apply "$work/bad.yaml"
}
state() { mb list --config; }

scripts/lab up $lab --path 20mbit,5ms --path 20mbit,20ms 2>"$work/lab.log" || bail "no lab: $(tail -n 1 "$work/lab.log")"
nothing=$(state)

cat >"$work/a.yaml" <<-'END'
	policies:
	  - load: prio_pin
	    dev: [path1, path2]
	    set: {action: 0, action@path2: 2}
	  - load: opt_count
	    at:
	      - {dev: path1, dir: in}
	      - {dev: path2}
	  - handover
	  - {load: minrtt, set: {hysteresis_us: 4000}}
	rules:
	  - {peer-port: 443, sched: standby}
	  - {sched: minrtt, prio: 200}
	paths:
	  - {dev: path2, cost: 10, weight: 2, rate: 20mbit}
	  - {from: 10.77.1.0/24, cost: 3}
END
ok "check" mb check "$work/a.yaml"
is "$(state)" "$nothing" "changes nothing"
ok "apply" mb apply "$work/a.yaml"
state >"$work/now.yaml"
is "$(mb -j list | perl -MJSON::PP -e 'print join ",", sort map { $_->{name} } grep { $_->{loaded} } @{decode_json(<STDIN>)}')" minrtt,opt_count,prio_pin,standby \
	"loads what the file says"
is "$(mb tune prio_pin | grep -c -e 'action=0 ' -e 'action@path2=2')" 2 "with its settings, for all devices and for one"
is "$(mb tune standby | grep -o 'return_ms=[0-9]*')" return_ms=5000 "a preset is its policy and settings"
is "$(mb rule list | wc -l) $(mb path list | wc -l)" "2 2" "rules and paths"
is "$(mb -j apply "$work/a.yaml")" "[]" "apply twice changes nothing"
is "$(mb -j apply "$work/now.yaml")" "[]" "nor does what list --config prints"
mb unload --all
ok "that makes the same anew" mb apply "$work/now.yaml"
is "$(state)" "$(cat "$work/now.yaml")" "to the letter"
is "$(mb -j list --config | perl -MJSON::PP -e 'print scalar @{decode_json(<STDIN>)->{policies}}')" 4 "as JSON too"

bad "no YAML: line and column" 'bad.yaml:3:1: not YAML' 'policies:\n  - {load: rr\n'
bad "an unknown key" 'bad.yaml:1:.*polices: not a key' 'polices: []\n'
bad "an unknown policy" 'bad.yaml:3:5: .*nosuch' 'policies:\n  - rr\n  - nosuch\n'
bad "a setting out of range" "bad.yaml:1:.*'9' is not a number in 0..3" 'policies: [{load: prio_pin, set: {action: 9}}]\n'
bad "a device that is not there" 'bad.yaml:2:.*no such device' 'policies:\n  - {load: prio_pin, dev: nodev}\n'
bad "a rule for a scheduler that the file has not" 'bad.yaml:2:.*rr: is not a scheduler of this' 'policies: []\nrules: [{sched: rr}]\n'
bad "a key twice" 'bad.yaml:2:.*given twice' 'paths: []\npaths: []\n'
bad "another direction than it hangs in" 'bad.yaml:1:.*another direction' 'policies: [{load: prio_pin, dir: in}]\n'
bad "another order than it hangs in" 'bad.yaml:1:.*comes before it in the file' 'policies: [{load: opt_count, at: [{dev: path1, dir: in}, {dev: path2}]}, prio_pin]\n'
cat /dev/null >"$work/bad.bpf.o"
bad "what is no object" 'bad.yaml:1:' "policies: [$work/bad.bpf.o]\n"
ok "no file" fails 1 'cannot open' mb apply "$work/none.yaml"
is "$(state)" "$(cat "$work/now.yaml")" "and nothing has changed"
ok "an empty file: nothing is so" mb apply /dev/null
is "$(state)" "$nothing" "nothing is left"
ok "not even a pin" test ! -e /sys/fs/bpf/mptcp-bpf

# The order at clsact, which kernels without tcx have.
ordered() { printf 'policies: [%s]\n' "$1" | MPTCP_BPF_HIDE=tcx mb apply - >/dev/null; }
ok "at clsact too, policies hang in the order of the file" ordered "prio_pin, opt_count"
is "$(state | grep -o 'load: [a-z_]*' | paste -sd ' ')" "load: prio_pin load: opt_count" "which list --config says"
ok "twice is once" ordered "prio_pin, opt_count"
ok "another order is refused" fails 1 'in front of opt_count' ordered "opt_count, prio_pin"
mb unload --all

# Random configurations in sequence, under a transfer.
random_config() { # SEED: option policies hang in an order, so each set is on every device or on none
	perl -e '
		srand shift;
		my (@p, @s, @r);
		my $opt = int rand 3;
		push @p, sprintf "{load: prio_pin, dev: [path1, path2], set: {action: %d, action\@path%d: %d}}", rand 4, 1 + rand 2, rand 4 if $opt;
		push @p, "{load: opt_count, dev: [".(rand() < 0.5 ? "path1, path2" : "path".int(1 + rand 2))."]}" if $opt > 1;
		for my $s (qw(minrtt rr standby priority)) {
			next if rand() < 0.5;
			push @s, $s;
			push @p, $s eq "minrtt" ? "{load: minrtt, set: {hysteresis_us: ".int(rand 9000)."}}" : $s;
		}
		push @r, sprintf "{sched: %s, peer-port: %d, prio: %d}", $s[rand @s], 5000 + rand 9, rand 300 for 1 .. (@s ? 1 + rand 3 : 0);
		push @r, "{cc: reno, peer-port: ".int(6000 + rand 9)."}" if rand() < 0.5;
		print "policies: [".join(", ", @p)."]\nrules: [".join(", ", @r)."]\n";
		print "paths: [{dev: path".int(1 + rand 2).", cost: ".int(rand 99)."}]\n" if rand() < 0.5;' "$1"
}
began=$SECONDS
nsenter --net=/run/netns/$lab-server build/tests/mpio recv 10.77.1.2 5001 >"$work/recv.out" 2>"$work/recv.err" &
recv=$!
echo $recv >"$work/recv.pid"
until_true grep -q listening "$work/recv.err"
nsenter --net=/run/netns/$lab-client build/tests/mpio send -r 4000000 -d $((8 * rounds)) -s 7 10.77.1.2 5001 >"$work/send.out" 2>"$work/send.err" &
send=$!
echo $send >"$work/send.pid"
wrong=0 killed=0 refused=0 old=0
for ((i = 1; i <= rounds; i++)); do
	before=$(state)
	random_config $((RANDOM * 32768 + i)) >"$work/r.yaml"
	case $((i % 10)) in
	3)
		grep policies "$work/r.yaml" >"$work/x.yaml"
		echo 'rules: [{sched: nosuch}]' >>"$work/x.yaml"
		mb apply "$work/x.yaml" >/dev/null 2>&1 && wrong=$((wrong + 1))
		[ "$(state)" = "$before" ] || { wrong=$((wrong + 1)); diff <(echo "$before") <(state) | sed 's/^/# invalid: /'; }
		refused=$((refused + 1))
		;;
	6)
		nsenter --net=/run/netns/$lab-client $bin apply "$work/r.yaml" >/dev/null 2>&1 &
		pid=$!
		sleep "0.$(printf %03d $((RANDOM % 350)))"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		killed=$((killed + 1))
		after=$(state)
		if [ "$after" = "$before" ]; then
			old=$((old + 1))
		elif [ "$(mb -j check "$work/r.yaml" 2>&1)" != "[]" ]; then
			wrong=$((wrong + 1))
			diff <(echo "$before") <(echo "$after") | sed 's/^/# killed, neither old nor new: /'
		fi
		;;
	*)
		mb apply "$work/r.yaml" >"$work/out" 2>&1 || { wrong=$((wrong + 1)); sed 's/^/# apply: /' "$work/r.yaml" "$work/out"; }
		[ "$(mb -j check "$work/r.yaml")" = "[]" ] || wrong=$((wrong + 1))
		;;
	esac
	[ $((SECONDS - began)) -lt $((8 * rounds)) ] || break
done
is "$wrong" 0 "$((i > rounds ? rounds : i)) random configurations ($refused invalid, $killed killed: $old to the old state): each time exactly the old or the new state"
kill -INT $send 2>/dev/null
wait $send
wait $recv
bytes=$(wc -c <"$work/recv.out")
ok "a connection has lived through it" test "$bytes" -gt 100000
ok "its payload is whole" cmp -n "$bytes" <(build/tests/mpio gen -b "$bytes" -s 7) "$work/recv.out"
ok "unload --all" mb unload --all
is "$(state)" "$nothing" "nothing is left"
done_testing
