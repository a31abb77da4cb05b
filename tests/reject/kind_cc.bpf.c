/* SPDX-License-Identifier: GPL-2.0-only
 * expect: is of kind cc, which cannot be loaded by itself$ */
#include <mptcp_bpf/opt.bpf.h>

#define MPB_OPT_POLICY MPB_CC

MPB_OPT_COUNTERS(seen);

static void rj_cc_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_cc, "of a kind that load does not take", .option = rj_cc_option);
