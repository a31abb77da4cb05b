/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: default 1, range 0\.\.256 and 1 bytes do not go together$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, level, 1, 0, 256, "");
MPB_OPT_COUNTERS(seen);

static void rj_width_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_width, "has a range beyond its type", .option = rj_width_option);
