/* SPDX-License-Identifier: GPL-2.0-only
 * expect: nothing
 * The rest of this directory is this policy with one thing wrong. */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, level, 1, 0, 3, "a tunable that is right");
MPB_OPT_COUNTERS(seen);

static void rj_control_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_control, "nothing is wrong with it", .option = rj_control_option);
