/* SPDX-License-Identifier: GPL-2.0-only
 * expect: unknown kind 77$ */
#include <mptcp_bpf/opt.bpf.h>

#define MPB_OPT_POLICY 77

MPB_OPT_COUNTERS(seen);

static void rj_kind_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_kind, "of no kind that there is", .option = rj_kind_option);
