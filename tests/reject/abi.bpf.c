/* SPDX-License-Identifier: GPL-2.0-only
 * expect: built for policy ABI 99, this is ABI [0-9]+$ */
#include <mptcp_bpf/opt.bpf.h>

#undef MPB_ABI
#define MPB_ABI 99

MPB_OPT_COUNTERS(seen);

static void rj_abi_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_abi, "of another ABI", .option = rj_abi_option);
