/* SPDX-License-Identifier: GPL-2.0-only
 * expect: program 'rj_more' in section 'tc' has no place in an option policy$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void rj_program_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

SEC("tc") int rj_more(struct __sk_buff *skb)
{
	return MPB_TC_NEXT;
}

MPB_OPT(rj_program, "has a program too many", .option = rj_program_option);
