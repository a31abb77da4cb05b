#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The native back end: every scheduler compiles behind struct mptcp_sched_ops, warnings being errors. Nothing is loaded: no kernel here could.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
work=$(mktemp -d)
at_exit "rm -rf $work"
flags=$(make -s --eval 'flags: ; @echo $(BPF_CFLAGS)' flags)
# holds FILE SECTION...
holds() {
	local section sections
	sections=$(readelf -SW "$1" | grep -o ' [.a-z_]* *PROGBITS') || return
	echo "$sections"
	for section in "${@:2}"; do grep -qw -- "${section//./[.]}" <<<"$sections" || return; done
}
for policy in bpf/sched/*.bpf.c; do
	name=${policy##*/} name=${name%.bpf.c}
	# shellcheck disable=SC2086 # the flags are words
	ok "$name compiles" ${CLANG:-clang} $flags -Werror -DMPB_BACKEND_NATIVE -c "$policy" -o "$work/$name.bpf.o"
	ok "$name: programs, operations" holds "$work/$name.bpf.o" struct_ops .struct_ops.link
done
done_testing
