/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: its tag is malformed$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TAG("tune-dev:x:1:0:3:") volatile __u8 level SEC(MPB_TUNE_SEC) = 1;
MPB_OPT_COUNTERS(seen);

static void rj_slot_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_slot, "has a malformed slot", .option = rj_slot_option);
