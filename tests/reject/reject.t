#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Policies with one thing wrong, and files that are no policies: each is refused with exit status 1 and the message that its source expects, in words and
# as JSON, and leaves neither pin nor program behind.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
bin=build/mptcp-bpf
objects=build/tests/reject
ns=rej$$
base=/sys/fs/bpf/mptcp-bpf
work=$(mktemp -d)
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
ip netns add $ns || bail "no network namespace"
ip -n $ns link add v0 type veth peer name v1
for dev in lo v0 v1; do ip -n $ns link set $dev up; done

# All of this directory's policies have names that begin with rj_. What all namespaces share (observe) must be gone with the last of them; somebody else may
# be using the product meanwhile.
programs() { bpftool prog show | grep -E " name (rj_$([ -e $base ] || echo '|observe|snapshot'))"; }
pins() {
	find "$base/$cookie" 2>/dev/null
	compgen -G "$base/[0-9]*" >/dev/null || find $base 2>/dev/null
}

# soon_empty CMD: it prints nothing, or ceases to within 5 s
soon_empty() {
	local i left
	for ((i = 0; i < 50; i++)); do
		left=$($1)
		[ -z "$left" ] && return 0
		sleep 0.1
	done
	echo "$left"
	return 1
}

# refused FILE REGEX: what the words say
refused() {
	local status=0
	timeout 60 $bin -n $ns load "$1" >"$work/out" 2>"$work/err" </dev/null || status=$?
	echo "exit $status:"
	cat "$work/out" "$work/err"
	[ $status = 1 ] && [ ! -s "$work/out" ] && head -1 "$work/err" | grep -E '^mptcp-bpf: .+: .+' | grep -Eq -- "$2" &&
		! tail -n +2 "$work/err" | grep -qv '^hint: '
}

# refused_json FILE REGEX: the same as JSON, which goes to standard output
refused_json() {
	local status=0
	timeout 60 $bin -j -n $ns load "$1" >"$work/out" 2>"$work/err" </dev/null || status=$?
	echo "exit $status:"
	cat "$work/out" "$work/err"
	[ $status = 1 ] && [ ! -s "$work/err" ] && perl -MJSON::PP -e 'my $e = decode_json(join "", <STDIN>)->{error};
		my $extra = grep { !/^(what|why|hint)$/ } keys %$e; exit !("mptcp-bpf: $e->{what}: $e->{why}" =~ $ARGV[0] && !$extra)' -- "$2" <"$work/out"
}

left() {
	pins
	ip -n $ns -d link show | grep xdp
	tc -n $ns qdisc show | grep clsact
}

# case_of TITLE FILE REGEX
case_of() {
	ok "$1: refused" refused "$2" "$3"
	ok "$1: refused as JSON" refused_json "$2" "$3"
	ok "$1: nothing is left" soon_empty left
}

# The policy that the others are made of is right, so what is wrong with them is what they say.
ok "control: loads" $bin -n $ns load $objects/control.bpf.o
cookie=$(compgen -G "$base/*/opt/rj_control" | cut -d/ -f6)
ok "control: its pins are seen" test -n "$cookie"
ok "control: its programs are seen" test -n "$(programs)"
ok "control: unloads" $bin -n $ns unload rj_control
ok "control: nothing is left" soon_empty left

n=0
for source in tests/reject/*.bpf.c; do
	name=$(basename "$source" .bpf.c)
	regex=$(sed -n '1,3s/.*expect: \(.*[^ ]\) *\*\/$/\1/p' "$source")
	[ "$name" = control ] && continue
	n=$((n + 1))
	ok "$name: says what it expects" test -n "$regex"
	case_of "$name" "$objects/$name.bpf.o" "$regex"
done
ok "there were sources" test $n -gt 15

: >"$work/empty.o"
echo "not an object, just words" >"$work/text.o"
printf '\177ELF' >"$work/magic.o"
good=$objects/control.bpf.o
mkdir "$work/directory.o"
ln -s loop.o "$work/loop.o"
{ head -c 5 $good; printf '\2'; tail -c +7 $good; } >"$work/bigendian.o"
"${LLVM_OBJCOPY:-llvm-objcopy}" --remove-section .BTF $good "$work/nobtf.o" 2>/dev/null
case_of "an empty file" "$work/empty.o" 'not an object file$'
case_of "a text" "$work/text.o" 'not an object file$'
case_of "four bytes of ELF" "$work/magic.o" 'not an object file$'
case_of "an object of this machine" build/user/main.o 'an object file, but not of BPF$'
case_of "a program of this machine" $bin 'an object file, but not of BPF$'
case_of "a file that is not there" "$work/none.o" 'cannot open: No such file or directory$'
case_of "a directory" "$work/directory.o" 'cannot read: Is a directory$'
case_of "a link to itself" "$work/loop.o" 'cannot open: Too many levels of symbolic links$'
case_of "a file without end" /dev/zero 'larger than 16 MiB: not a policy$'
case_of "the other byte order" "$work/bigendian.o" 'not a usable BPF object: .'
[ -s "$work/nobtf.o" ] && case_of "an object without BTF" "$work/nobtf.o" 'it has no BTF$'

size=$(stat -c %s $good)
short() {
	local i
	for i in $(seq 1 "$2"); do
		head -c $((size * i / ($2 + 1))) $good >"$work/short.o"
		$1 "$work/short.o" 'damaged' || { echo "cut to $((size * i / ($2 + 1))) of $size bytes"; return 1; }
	done
}
ok "an object cut short: refused" short refused 40
ok "an object cut short: refused as JSON" short refused_json 10
head -c $((size - 1)) $good >"$work/short.o"
case_of "an object without its last byte" "$work/short.o" damaged

sleep 1
ok "a second later no program is left" soon_empty programs
ok "and no pin" soon_empty pins
done_testing
