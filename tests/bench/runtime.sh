# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's run-time statistics of the scheduler runtime in the client's namespace, for benchmarks; source it after sched.sh. They are on until the exit.
stats=/proc/sys/kernel/bpf_stats_enabled
stats_before=$(cat $stats) || { echo "# no run-time statistics"; exit 77; }
echo 1 >$stats
trap 'echo "$stats_before" >$stats; clean' EXIT

# The directory of the client's pins, which `begin` has made; found by what is in it, since the namespace is the only one with a scheduler here.
pins() { set -- /sys/fs/bpf/mptcp-bpf/*/steer && echo "${1%/steer}"; }

# runtime [NS RUNS]: nanoseconds and runs of the runtime, ever or since then.
runtime() {
	bpftool -j prog show pinned "$(pins)/steer/steer_in" |
		perl -MJSON::PP -e 'my $p = decode_json(<STDIN>); printf "%d %d\n", $p->{run_time_ns} - ($ARGV[0] // 0), $p->{run_cnt} - ($ARGV[1] // 0)' "$@"
}

# Packets that the client's paths have sent, ever.
sent() { in_ns client awk '/^ *path[0-9]+:/ { sub(/:/, " "); n += $11 } END { print n }' /proc/net/dev; }
