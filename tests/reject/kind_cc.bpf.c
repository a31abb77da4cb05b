/* SPDX-License-Identifier: GPL-2.0-only
 * expect: it must have one struct tcp_congestion_ops, called 'rj_cc'$ */
#include <mptcp_bpf/opt.bpf.h>

#define MPB_OPT_POLICY MPB_CC

MPB_OPT_COUNTERS(seen);

static void rj_cc_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_cc, "says that it is a congestion control", .option = rj_cc_option);
