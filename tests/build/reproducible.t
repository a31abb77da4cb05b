#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The same sources give the same bytes, wherever they are built: two copies of the tree, in directories whose names differ in length, compared object by
# object, and with what is installed from them.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
work=$(mktemp -d)
one=$work/one
two=$work/two/further/down
at_exit "rm -rf $work"
for copy in $one $two; do
	mkdir -p "$copy"
	tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$copy" || bail "cannot copy the tree"
done
touch -d @0 "$two"/bpf/*/*.c "$two"/user/*.c
ok "the tree builds" make -s -j2 -C "$one" all
ok "it builds elsewhere, one thing at a time, in another locale and time zone" env LC_ALL=C TZ=Pacific/Chatham make -s -j1 -C "$two" all
found=$(cd "$one/build" && find . -type f ! -name '*.d' ! -name .deps | sort)
is "$(cd "$two/build" && find . -type f ! -name '*.d' ! -name .deps | sort)" "$found" "both made the same files"
ok "objects of policies among them, and the binary" test "$(grep -c "\.bpf\.o$\|/mptcp-bpf$" <<<"$found")" -gt 6
for f in $found; do
	ok "the same bytes: ${f#./}" cmp "$one/build/$f" "$two/build/$f"
done
for copy in $one $two; do make -s -C "$copy" install DESTDIR="$copy/root" >/dev/null 2>&1; done
ok "the same installed tree" diff -r "$one/root" "$two/root"
ok "which is not empty" test -x "$one/root/usr/local/bin/mptcp-bpf"
done_testing
