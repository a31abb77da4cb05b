/* SPDX-License-Identifier: GPL-2.0-only
 * expect: no pointer that a program may read through */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void number_option(struct mpb_seg *s)
{
	__u32 *at = (__u32 *)(unsigned long)s->port;

	if (*(volatile __u32 *)at) /* fault */
		mpb_count(s, seen);
}

MPB_OPT(number, "takes a number for a pointer", .option = number_option);
