/* SPDX-License-Identifier: GPL-2.0-only */
/* nothing - never picks a subflow. */
#include <mptcp_bpf/sched.bpf.h>

struct nothing {};

static mpb_set nothing_pick(const struct mpb_view *v, struct nothing *priv, struct mpb_ask *ask)
{
	return 0;
}

MPB_SCHED(nothing, "never picks a subflow", nothing);
