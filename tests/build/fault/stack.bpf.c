/* SPDX-License-Identifier: GPL-2.0-only
 * expect: outside of the stack */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void stack_option(struct mpb_seg *s)
{
	volatile __u8 ids[16] = {};

	ids[mpb_opt_u8(s, 3)] = 1; /* fault */
}

MPB_OPT(stack, "writes beyond the end of an array on the stack", .option = stack_option);
