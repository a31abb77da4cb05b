/* SPDX-License-Identifier: GPL-2.0-only
 * expect: program 'rj_more' in section 'socket' has no place in an option policy$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void rj_section_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

SEC("socket") int rj_more(struct __sk_buff *skb)
{
	return 0;
}

MPB_OPT(rj_section, "has a program of another kind", .option = rj_section_option);
