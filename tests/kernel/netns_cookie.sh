#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The cookie of a network namespace (SO_NETNS_COOKIE) is never used again; its inode is.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
hosts
for _ in $(seq 10); do
	at $client flow cookie
	ip netns del $client
	ip netns add $client
done >"$work/cookies"
ok "ten namespaces, ten cookies" test "$(sort -u "$work/cookies" | wc -l)" = 10
ok "the same twice in one" test "$(at $client flow cookie)" = "$(at $client flow cookie)"
finish
