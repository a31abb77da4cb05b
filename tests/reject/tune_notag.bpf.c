/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: declare it with MPB_TUNE\( */
#include <mptcp_bpf/opt.bpf.h>

volatile __u8 level SEC(MPB_TUNE_SEC) = 1;
MPB_OPT_COUNTERS(seen);

static void rj_notag_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_notag, "has a tunable that says nothing of itself", .option = rj_notag_option);
