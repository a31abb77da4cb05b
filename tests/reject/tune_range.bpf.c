/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: default 2, range 3\.\.1 and 1 bytes do not go together$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, level, 2, 3, 1, "");
MPB_OPT_COUNTERS(seen);

static void rj_range_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_range, "has a range that ends before it begins", .option = rj_range_option);
