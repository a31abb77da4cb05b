/* SPDX-License-Identifier: GPL-2.0-only
 * expect: program 'stray' in section 'tc' has no place in a congestion control$ */
#include <mptcp_bpf/cc.bpf.h>

SEC("tc") int stray(struct __sk_buff *skb)
{
	return MPB_TC_NEXT;
}

static void rj_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	c->up = mpb_number(v->n);
}

MPB_CC(rj_cc_prog, "has a program of another kind", .increase = rj_increase);
