#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Many callers: 20 calls of mixed verbs at once in one namespace, ROUNDS rounds (default 8), with traffic; then SPACES namespaces (default 50), each with policies of its
# own, all at the same time, one ending while the others work. Every call is done or refused for a reason that its neighbours explain.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=${MPTCP_BPF:-build/mptcp-bpf}
lab=crowd$$
rounds=${ROUNDS:-8}
spaces=${SPACES:-50}
work=$(mktemp -d)
pids=()
at_exit "rm -rf $work"
at_exit "for i in \$(seq $spaces); do ip netns del $lab-\$i; done"
at_exit "for ns in $lab-client \$(seq -f $lab-%g $spaces); do $bin -n \$ns unload --all; done; scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'
scripts/lab up $lab --path none --path none || bail "no lab"

# pins NS: its directory. SO_NETNS_COOKIE wants a buffer of 8 bytes, Perl's own call has a larger one.
pins() {
	echo "/sys/fs/bpf/mptcp-bpf/$(nsenter --net="/run/netns/$1" perl -MSocket -MPOSIX=uname -e 'my ($v, $n) = (pack("Q", 0), pack("i", 8)); socket(my $s, AF_INET, SOCK_DGRAM, 0);
		syscall((uname)[4] eq "x86_64" ? 55 : 209, fileno $s, SOL_SOCKET, 71, $v, $n); print unpack "Q", $v')"
}
# call NUMBER WORD...: the exit status and what was said go to files; a call that hangs, while nineteen others may hold it up, is ended after three minutes
call() {
	local n=$1 status=0
	shift
	timeout -k 5 $((180 * slow)) $bin "$@" >"$work/$n.out" 2>"$work/$n.err" </dev/null || status=$?
	echo "$status $*" >"$work/$n.status"
}

ns=$lab-client
before=$(nsenter --net=/run/netns/$ns tc qdisc show)
nsenter --net=/run/netns/$lab-server build/tests/mpio echo 10.77.1.2 5001 2>"$work/echo" &
pids+=($!)
until_true grep -q listening "$work/echo"
nsenter --net=/run/netns/$ns build/tests/mpio ping -c 1000000 -i 5 10.77.1.2 5001 >/dev/null 2>"$work/ping" &
ping=$!
pids+=("$ping")

calls=("load opt_count" "load prio_pin dev path1" "load prio_pin dev path2" "unload opt_count" "unload prio_pin" "tune prio_pin action=2" "tune opt_count"
	"-j list" "list" "-j stat" "stat" "load minrtt" "load rr" "unload minrtt" "unload rr" "swap minrtt rr" "swap rr minrtt" "swap rr standby" "unload standby"
	"rule add peer 10.0.0.0/8 sched rr" "rule del peer 10.0.0.0/8 sched rr" "rule add local-port 5 sched minrtt prio 7" "-j rule list" "path add dev path1 cost 3"
	"path del dev path1" "-j path list" "unload --all" "load addr_hide hook xdp dev path1" "unload addr_hide" "tune minrtt hysteresis_us=5")
# What a call may be told because of another one.
refused='loaded already|not loaded in this network namespace|no scheduler of this name is loaded|there is no such (rule|path)|attached to path[12] already|in its own place already|there already'
RANDOM=${SEED:-$$}
echo "# seed $RANDOM"
bad=""
done=0
for _ in $(seq "$rounds"); do
	rm -f "$work"/*.status
	jobs=()
	for n in $(seq 20); do
		# shellcheck disable=SC2086 # words
		call $n -n $ns ${calls[RANDOM % ${#calls[@]}]} &
		jobs+=($!)
	done
	wait "${jobs[@]}"
	for n in $(seq 20); do
		read -r status words <"$work/$n.status"
		case $status in
		0)
			done=$((done + 1))
			[ -s "$work/$n.err" ] && bad+="$words: done, but says: $(cat "$work/$n.err")"$'\n'
			[[ $words == *' -j '* ]] && { perl -MJSON::PP -e 'decode_json(join "", <>)' "$work/$n.out" || bad+="$words: not JSON"$'\n'; }
			;;
		1) head -n 1 "$work/$n.err" | grep -Eq "^mptcp-bpf: .*($refused)" || bad+="$words: exit 1: $(cat "$work/$n.err")"$'\n' ;;
		*) bad+="$words: exit $status: $(cat "$work/$n.err")"$'\n' ;;
		esac
	done
done
is "$bad" "" "$rounds rounds of 20 calls at once: done, or refused for what another one did"
ok "more than a third was done: $done of $((rounds * 20))" test $((3 * done)) -gt $((rounds * 20))
ok "no uncommitted pin" test -z "$(find "$(pins $ns)" -name '+*' 2>/dev/null)"
ok "the connection lives" kill -0 "$ping"
$bin -n $ns load opt_count 2>/dev/null
is "$(nsenter --net=/run/netns/$ns bpftool net show | grep -cE ' tcx/.* (opt_count|prio_pin)_')" \
	"$($bin -n $ns -j list opt | perl -MJSON::PP -e 'print scalar grep { $_->{hook} eq "tcx" } map { @{$_->{attachments}} } @{decode_json(<STDIN>)}')" "what is attached is what list says"
ok "unload --all" $bin -n $ns unload --all
ok "no pin is left" test ! -e "$(pins $ns)"
is "$(nsenter --net=/run/netns/$ns bpftool net show | grep -cE '(opt_count|prio_pin|addr_hide|steer)_')" 0 "nothing is attached"
is "$(nsenter --net=/run/netns/$ns tc qdisc show)" "$before" "the qdiscs are as they were"

# Namespace i has a policy of its own choice, tuned to i.
choice=(opt_count prio_pin addr_hide minrtt prio_strip)
one() {
	local name=${choice[$1 % 5]} space=$lab-$1 value want
	$bin -n "$space" load "$name" || return 1
	case $name in
	prio_pin) $bin -n "$space" tune prio_pin action=$(($1 % 3 + 1)) || return 1 ;;
	addr_hide) $bin -n "$space" tune addr_hide echo=1 || return 1 ;;
	minrtt) $bin -n "$space" tune minrtt hysteresis_us="$1" || return 1 ;;
	esac
	value=$($bin -n "$space" -j list | perl -MJSON::PP -e 'print join ",", map { $_->{name} . ":" . join "", map { $_->{value} } @{$_->{tunables}} } grep { $_->{loaded} } @{decode_json(<STDIN>)}')
	case $name in
	prio_pin) want=prio_pin:$(($1 % 3 + 1)) ;;
	addr_hide) want='addr_hide:[01]*1' ;;
	minrtt) want=minrtt:$1 ;;
	*) want=$name: ;;
	esac
	[[ $value =~ ^$want ]] && [[ $value != *,* ]] || { echo "$space: list says $value, not $want"; return 1; }
	$bin -n "$space" -j stat | perl -MJSON::PP -e 'exit !!@{decode_json(<STDIN>)->{connections}}' || { echo "$space: another namespace's connections"; return 1; }
	[ $(($1 % 10)) = 9 ] || $bin -n "$space" unload "$name"
}
for i in $(seq $spaces); do
	ip netns add $lab-"$i" && ip link add v0 netns $lab-"$i" type veth peer name v1 netns $lab-"$i" && ip -n $lab-"$i" link set v0 up && ip -n $lab-"$i" link set v1 up
done
mapfile -t dirs < <(for i in $(seq $spaces); do pins $lab-"$i"; done)
start=$EPOCHREALTIME
jobs=()
for i in $(seq $spaces); do
	one "$i" >"$work/space.$i" 2>&1 &
	jobs+=($!)
done
bad=""
for i in $(seq $spaces); do
	wait "${jobs[i - 1]}" || bad+="$i: $(cat "$work/space.$i") "
	[ $((i % 10)) = 9 ] && ip netns del $lab-"$i"
done
is "$bad" "" "$spaces namespaces at once: load, tune, list, stat, unload; each sees its own, and one in ten ends with them loaded"
echo "# $(((${EPOCHREALTIME/./} - ${start/./}) / 1000)) ms"
left() { for dir in "${dirs[@]}"; do [ ! -e "$dir" ] || echo "$dir"; done; }
for _ in $(seq 100); do
	$bin -n $lab-1 load opt_count && $bin -n $lab-1 unload opt_count
	[ -z "$(left)" ] && break
	sleep 0.1
done
is "$(left)" "" "nothing of any of them is left"
done_testing
