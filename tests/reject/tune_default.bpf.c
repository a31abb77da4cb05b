/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: default 9, range 0\.\.3 and 1 bytes do not go together$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, level, 9, 0, 3, "");
MPB_OPT_COUNTERS(seen);

static void rj_default_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_default, "has a default beyond its range", .option = rj_default_option);
