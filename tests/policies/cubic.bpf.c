/* SPDX-License-Identifier: GPL-2.0-only */
/* cubic - a congestion control under a name that the kernel's own has. */
#include <mptcp_bpf/cc.bpf.h>

static void cubic_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	c->up = mpb_div(mpb_number(1), mpb_number(v->own.cwnd));
}

MPB_CC(cubic, "not the kernel's", .increase = cubic_increase);
