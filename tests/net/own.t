#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A policy of one's own, outside the tree: the example of the README, compiled against what `make install` put in place, loaded by its path.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
ns=own$$
work=$(mktemp -d)
bin=$work/root/usr/local/bin/mptcp-bpf
at_exit "rm -rf $work"
at_exit "$bin -n $ns unload --all; ip netns del $ns"
ip netns add $ns || bail "no network namespaces"
ip link add v0 netns $ns type veth peer name v1 netns $ns
ip -n $ns link set v0 up
ok "make install" make -s install DESTDIR="$work/root"
for f in bin/mptcp-bpf include/mptcp_bpf/opt.bpf.h include/mptcp_bpf/policy.h share/man/man8/mptcp-bpf.8 share/bash-completion/completions/mptcp-bpf; do
	ok "installed: $f" test -s "$work/root/usr/local/$f"
done
sed -n '/^```c$/,/^```$/p' README.md | grep -v '^```' >"$work/no_fclose.bpf.c"
cd "$work" || bail "no work directory"
ok "the README's policy compiles" clang -g -O2 -target bpf -mcpu=v3 -I"$work/root/usr/local/include" -idirafter "/usr/include/$(uname -m)-linux-gnu" -c no_fclose.bpf.c -o no_fclose.bpf.o
ok "it is ten to twenty lines" test "$(grep -c . no_fclose.bpf.c)" -le 20
ok "load by path, relative, into a namespace" "$bin" -n $ns load ./no_fclose.bpf.o dir in enabled=0
is "$("$bin" -n $ns list opt | grep -A2 no_fclose | tr -s ' \n' ' ')" "no_fclose opt loaded drops MP_FASTCLOSE v0 in tcx enabled=0 (0..1, default 1) 0 lets MP_FASTCLOSE pass " "list knows it from the kernel alone"
rm no_fclose.bpf.o
ok "tune, the file being gone" "$bin" -n $ns tune no_fclose enabled=1
is "$("$bin" -n $ns tune no_fclose)" "enabled=1  (0..1, default 1) 0 lets MP_FASTCLOSE pass" "tuned"
ok "unload" "$bin" -n $ns unload no_fclose
command -v man >/dev/null || skip_known "no command man" "the man page has no errors"
command -v man >/dev/null && ok "the man page has no errors" test -z "$(MANROFFSEQ='' man --warnings -l "$work/root/usr/local/share/man/man8/mptcp-bpf.8" 2>&1 >/dev/null)"
done_testing
