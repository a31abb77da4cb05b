/* SPDX-License-Identifier: GPL-2.0-only */
/* Seed: the smallest policy that opens. */
#include <mptcp_bpf/policy.bpf.h>

MPB_TUNE(__u8, one, 1, 0, 1, "a byte");
MPB_TUNE_DEV(__u64, eight, 5, 0, 10, "eight of them");
MPB_COUNTERS(seen);
MPB_DESCRIBE(MPB_PROBE, tiny, "nothing but a description");
