#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# `mptcp-bpf build`: what is right compiles and is verified; what is wrong is named by line and rule, and leaves no file behind.
# Policies with one fault stand in fault/: the line is marked, and the rule is what they expect.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
tree=$PWD
bin=$tree/build/mptcp-bpf
work=$(mktemp -d)
at_exit "rm -rf $work"
cp -r tests/build/fault examples bpf/opt bpf/sched "$work"
cd "$work" || bail "no work directory"

# fails STATUS REGEX CMD...: one line of error, perhaps a hint, and no object
fails() {
	local want=$1 regex=$2 status=0
	shift 2
	"$@" >out 2>err </dev/null || status=$?
	echo "exit $status:"
	cat out err
	[ $status = "$want" ] && [ ! -s out ] && head -n 1 err | grep -q "^mptcp-bpf: $regex" && ! tail -n +2 err | grep -qv '^hint: ' && clean
}
# The same under -j: an object on stdout, nothing else.
fails_json() {
	local want=$1 regex=$2 status=0
	shift 2
	"$bin" -j "$@" >out 2>err </dev/null || status=$?
	echo "exit $status:"
	cat out err
	[ $status = "$want" ] && [ ! -s err ] && clean &&
		perl -MJSON::PP -e 'my $e = decode_json(join "", <STDIN>)->{error}; exit !("$e->{what}: $e->{why}" =~ $ARGV[0])' -- "$regex" <out
}
clean() { [ -z "$(find . -name '*.o' -o -name '*.o.??????')" ]; }
programs() { bpftool prog show | grep -cE ' name (no_join|null|packet)_| name (cheapest|minrtt) '; }
before=$(programs)

n=0
for source in fault/*.bpf.c; do
	regex=$(sed -n '2s/.*expect: \(.*[^ ]\) *\*\/$/\1/p' "$source")
	line=$(grep -n '/\* fault \*/$' "$source" | cut -d: -f1)
	at=${source#*/}${line:+:$line}
	n=$((n + 1))
	ok "$source: says what it expects" test -n "$regex"
	ok "$source: refused, with the rule" fails 1 ".*$regex" "$bin" build "$source"
	ok "$source: with the line" grep -q "$at: " err
	ok "$source: as JSON" fails_json 1 ".*${regex//\\|/|}" build "$source"
	ok "$source: without the kernel it is an object" "$bin" build --no-verify "$source" -o given.bpf.o
	rm -f given.bpf.o
done
ok "there were faults" test $n -ge 9

sed 's/s->subtype/s->subtyp/' examples/no_join.bpf.c >typo.bpf.c
line=$(grep -n 's->subtyp ' typo.bpf.c | cut -d: -f1)
ok "an error of the compiler: line and column" fails 1 "typo.bpf.c:$line:[0-9]*: no member named 'subtyp'" "$bin" build typo.bpf.c
ok "as JSON" fails_json 1 "typo.bpf.c:$line:" build typo.bpf.c
is "$("$bin" -v build typo.bpf.c 2>&1 | grep -c 'error: no member')" 1 "-v: the compiler's own words"
sed 's/MPB_OPT(no_join/MPB_OPT(no_join_at_all/' examples/no_join.bpf.c >long.bpf.c
ok "a name that is too long" fails 1 'long.bpf.c:[0-9]*:[0-9]*: .*at most 10 characters' "$bin" build long.bpf.c
ok "a header that is not there" fails 1 "none.bpf.c:1:10: 'mptcp_bpf/none.h' file not found" sh -c "echo '#include <mptcp_bpf/none.h>' >none.bpf.c; $bin build none.bpf.c"
echo 'int x;' >empty.bpf.c
ok "not a policy" fails 1 'empty.bpf.c: its license' "$bin" build empty.bpf.c
ok "no such file" fails 1 'nowhere.bpf.c: cannot open: No such file' "$bin" build nowhere.bpf.c
ok "no file" fails 2 'build: needs one source file' "$bin" build
ok "two files" fails 2 'build: needs one source file' "$bin" build typo.bpf.c long.bpf.c
ok "not a source" fails 2 'examples: is not a source file' "$bin" build examples
ok "onto a source" fails 2 "-o: 'typo.bpf.c' is not a name for an object" "$bin" build examples/no_join.bpf.c -o typo.bpf.c
ok "into no directory" fails 1 'nowhere/x.o: cannot write: No such file' "$bin" build examples/no_join.bpf.c -o nowhere/x.o
ok "onto a directory" fails 1 'fault: cannot write: Is a directory' "$bin" build examples/no_join.bpf.c -o fault
ok "without clang" fails 4 'no-clang: not found' env CLANG=no-clang "$bin" build examples/no_join.bpf.c
ok "without llvm-strip" fails 4 'no-strip: not found' env LLVM_STRIP=no-strip "$bin" build examples/no_join.bpf.c
ok "a compiler that dies" fails 1 'sh: ended by signal 9\|./dies: ended by signal 9' sh -c "printf '#!/bin/sh\nkill -KILL \$\$\n' >dies; chmod +x dies; CLANG=./dies $bin build examples/no_join.bpf.c"

ok "a policy that is right" "$bin" build examples/no_join.bpf.c
ok "the object stands beside it" test -s examples/no_join.bpf.o
is "$(stat -c %A examples/no_join.bpf.o | cut -c2-4)" rw- "readable and writable as other files are"
is "$("$bin" -j build examples/no_join.bpf.c -o other.o | perl -MJSON::PP -e 'my $o = decode_json(<STDIN>);
	print join ",", @$o{qw(file name kind)}, $o->{verified} ? 1 : 0, scalar grep { $_->{insns} > 0 } @{$o->{programs}}')" other.o,no_join,opt,1,6 "-j: what was built, and what it costs"
ok "the same object again" cmp examples/no_join.bpf.o other.o
ok "a scheduler that is right" "$bin" build examples/cheapest.bpf.c
is "$("$bin" -j build examples/cheapest.bpf.c | perl -MJSON::PP -e 'my $o = decode_json(<STDIN>);
	print join ",", @$o{qw(name kind)}, $o->{verified} ? 1 : 0, scalar grep { $_->{insns} > 0 } @{$o->{programs}}')" cheapest,sched,1,1 "-j: one program, verified"
sed 's/v->sf\[i\].cost;/v->sf[i + v->token].cost;/' examples/cheapest.bpf.c >wild.bpf.c
line=$(grep -n 'v->token' wild.bpf.c | cut -d: -f1)
rm -f examples/*.o other.o
ok "a scheduler that reads beyond its view: the line" fails 1 "wild.bpf.c:$line: " "$bin" build wild.bpf.c
"$bin" build examples/no_join.bpf.c >/dev/null
mkdir elsewhere && cp examples/no_join.bpf.c elsewhere/ && (cd elsewhere && "$bin" build no_join.bpf.c) >/dev/null
mkdir -p deeper/down && cp examples/no_join.bpf.c deeper/down/ && (cd deeper/down && "$bin" build no_join.bpf.c) >/dev/null
ok "and in another directory" cmp elsewhere/no_join.bpf.o deeper/down/no_join.bpf.o
for source in opt/*.bpf.c sched/*.bpf.c; do ok "$source: as every policy of the tree" "$bin" build "$source" -o tree.o; done
if command -v setpriv >/dev/null; then
	# What is installed: the tree may stand where only root gets to.
	(umask 022 && make -s -C "$tree" install DESTDIR="$PWD/root" PREFIX=/usr) >/dev/null
	chmod 755 . && install -m 644 examples/no_join.bpf.c . && mkdir -m 777 open
	ok "without root: an object, not verified" setpriv --reuid=65534 --clear-groups root/usr/bin/mptcp-bpf build no_join.bpf.c -o open/x.o
	ok "it is there" test -s open/x.o
else
	skip_known "no setpriv" "without root: an object, not verified"
fi
for _ in $(seq 50); do [ "$(programs)" = "$before" ] && break; sleep 0.1; done
is "$(programs)" "$before" "nothing stays in the kernel"
done_testing
