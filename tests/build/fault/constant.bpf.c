/* SPDX-License-Identifier: GPL-2.0-only
 * expect: a constant is written to\|may only read */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static const volatile __u32 limit = 3;

static void constant_option(struct mpb_seg *s)
{
	*(volatile __u32 *)&limit = s->subtype; /* fault */
}

MPB_OPT(constant, "writes to a constant", .option = constant_option);
