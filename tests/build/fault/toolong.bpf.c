/* SPDX-License-Identifier: GPL-2.0-only
 * expect: more than a million instructions */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void toolong_option(struct mpb_seg *s)
{
	for (__u32 i = 0; i < 1000000; i++)
		asm volatile("" : "+r"(i));
	mpb_count(s, seen);
}

MPB_OPT(toolong, "takes too long", .option = toolong_option);
