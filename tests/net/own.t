#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policies of one's own, outside the tree, with nothing but what `make install` put in place: the examples that are installed and the one of the README,
# built by the installed `mptcp-bpf build`, loaded by path, seen at work on real connections, tuned, swapped and unloaded.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
tree=$PWD
lab=own$$
ns=$lab-client
work=$(mktemp -d)
root=$work/root/usr/local
bin=$root/bin/mptcp-bpf
pids=()
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; $tree/scripts/lab down $lab"
at_exit 'kill "${pids[@]}"'
scripts/lab up $lab --path none --path none || bail "no lab"
ok "make install" make -s install DESTDIR="$work/root"
for f in bin/mptcp-bpf include/mptcp_bpf/opt.bpf.h include/mptcp_bpf/policy.h share/man/man8/mptcp-bpf.8 share/bash-completion/completions/mptcp-bpf \
	share/doc/mptcp-bpf/examples/no_join.bpf.c share/doc/mptcp-bpf/examples/cheapest.bpf.c; do
	ok "installed: $f" test -s "$root/$f"
done
for f in include/mptcp_bpf/*.h bpf/lib/mptcp_bpf/*.h; do cmp -s "$f" "$root/include/mptcp_bpf/${f##*/}" || missing+=" $f"; done
is "${missing-}" "" "every header is installed as it is"

cp "$root/share/doc/mptcp-bpf/examples/"*.bpf.c "$work"
sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```' >"$work/no_fclose.bpf.c"
cd "$work" || bail "no work directory"
ok "the installed command builds the example" "$bin" build no_join.bpf.c
ok "with the installed headers" grep -aq "./root/usr/local/include/mptcp_bpf/opt.bpf.h" no_join.bpf.o
ok "and the README's policy" "$bin" build no_fclose.bpf.c
ok "which is ten to twenty lines" test "$(grep -c . no_fclose.bpf.c)" -le 20

# subflows COUNT: one connection; it has COUNT subflows, for a moment long enough to gain another
subflows() {
	local seen=0 listener holder
	rm -f held err
	nsenter --net=/run/netns/$lab-server "$tree/build/tests/mpio" recv 10.77.1.2 5001 >/dev/null 2>err &
	listener=$!
	pids+=("$listener")
	until_true grep -q listening err
	nsenter --net=/run/netns/$ns "$tree/build/tests/mpio" hold -c 1 10.77.1.2 5001 >held &
	holder=$!
	pids+=("$holder")
	until_true grep -q held held
	for _ in $(seq 20); do
		seen=$("$bin" -n $ns -j stat | perl -MJSON::PP -e 'my $c = decode_json(<STDIN>)->{connections}; print @$c == 1 ? scalar @{$c->[0]{subflows}} : 0')
		[ "$seen" -gt "$1" ] && break
		sleep 0.05
	done
	kill $holder
	wait $holder $listener
	echo "$seen subflows"
	[ "$seen" = "$1" ]
} 2>/dev/null
removed() { "$bin" -n $ns -j list opt | perl -MJSON::PP -e 'my ($p) = grep { $_->{name} eq $ARGV[0] } @{decode_json(join "", <STDIN>)}; my $n = 0; $n += $_->{counters}{removed} for @{$p->{attachments}}; print $n' "$1"; }

ok "nothing loaded: two subflows" subflows 2
ok "load by path, relative, into a namespace" "$bin" -n $ns load ./no_join.bpf.o dir out dev path1,path2
ok "both" "$bin" -n $ns load ./no_fclose.bpf.o dir in enabled=0
ok "no subflow joins" subflows 1
ok "and the policy says so" test "$(removed no_join)" -ge 1
rm no_join.bpf.o no_fclose.bpf.o
ok "tune, the file being gone" "$bin" -n $ns tune no_join enabled=0
ok "a subflow joins again" subflows 2
is "$("$bin" -n $ns tune no_join)" "enabled=0  (0..1, default 1) 0 lets MP_JOIN pass" "tuned"
is "$("$bin" -n $ns list opt | grep -A3 "^no_fclose" | tr -s ' \n' ' ')" "no_fclose opt loaded drops MP_FASTCLOSE path1 in tcx path2 in tcx enabled=0 (0..1, default 1) 0 lets MP_FASTCLOSE pass " "list knows it from the kernel alone"
"$bin" -n $ns tune no_join enabled=1
ok "unload" "$bin" -n $ns unload no_join
ok "two subflows, the policy being gone" subflows 2
ok "unload the other" "$bin" -n $ns unload no_fclose

# A scheduler: the path that is cheap carries the data, then, the costs turned round on the live connection, the other one.
carried() { "$bin" -n $ns -j stat | perl -MJSON::PP -e 'my %n; for (@{decode_json(<STDIN>)->{connections}}) { $n{$_->{dev}} += $_->{bytes_sent} for @{$_->{subflows}} } print $n{$ARGV[0]} // 0' "$1"; }
# moves CHEAP DEAR: while CHEAP carries another 500 kB, DEAR carries next to nothing
moves() {
	local cheap dear
	for _ in $(seq 50); do # what was queued before still goes where it was
		cheap=$(carried "$1")
		dear=$(carried "$2")
		for _ in $(seq 100); do [ $(($(carried "$1") - cheap)) -ge 500000 ] && break; sleep 0.02; done
		[ $(($(carried "$1") - cheap)) -ge 500000 ] && [ $(($(carried "$2") - dear)) -le 5000 ] && return 0
	done
	"$bin" -n $ns stat
	return 1
}
ok "the installed command builds a scheduler" "$bin" build cheapest.bpf.c
for cost in "1 cost 10" "2 cost 5"; do ok "path$cost" "$bin" -n $ns path add dev path$cost; done
ok "load it by its path" "$bin" -n $ns load ./cheapest.bpf.o
is "$("$bin" -n $ns -j rule list | perl -MJSON::PP -e 'print map { $_->{sched} } @{decode_json(<STDIN>)}')" cheapest "it is the default"
rm -f err
nsenter --net=/run/netns/$lab-server "$tree/build/tests/mpio" recv 10.77.1.2 5001 >/dev/null 2>err &
pids+=($!)
until_true grep -q listening err
nsenter --net=/run/netns/$ns "$tree/build/tests/mpio" send -d 60 -r 8000000 10.77.1.2 5001 >/dev/null &
pids+=($!)
ok "the cheap path carries the data" moves path2 path1
ok "its own name in stat" test "$("$bin" -n $ns -j stat | perl -MJSON::PP -e 'print map { "$_->{sched}-$_->{backend}" } @{decode_json(<STDIN>)->{connections}}')" = cheapest-steer
ok "the other one is made cheaper" "$bin" -n $ns path add dev path1 cost 1
ok "and carries the data" moves path1 path2
ok "swap for one of the tree" "$bin" -n $ns swap cheapest rr
ok "and back, from the file" "$bin" -n $ns swap rr ./cheapest.bpf.o
ok "unload --all" "$bin" -n $ns unload --all
command -v man >/dev/null || skip_known "no command man" "the man page has no errors"
command -v man >/dev/null && ok "the man page has no errors" test -z "$(MANROFFSEQ='' man --warnings -l "$root/share/man/man8/mptcp-bpf.8" 2>&1 >/dev/null)"
done_testing
