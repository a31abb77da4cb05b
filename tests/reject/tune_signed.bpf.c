/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: must be an unsigned integer of 1, 2, 4 or 8 bytes$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__s32, level, 1, 0, 3, "");
MPB_OPT_COUNTERS(seen);

static void rj_signed_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_signed, "has a signed tunable", .option = rj_signed_option);
