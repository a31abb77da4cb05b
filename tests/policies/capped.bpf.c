/* SPDX-License-Identifier: GPL-2.0-only */
/* capped - all subflows, each at one rate. */
#include <mptcp_bpf/sched.bpf.h>

MPB_TUNE(__u64, rate, 1000000, 1000, 10000000000, "of each subflow, bytes per second");

struct capped {};

static mpb_set capped_pick(const struct mpb_view *v, struct capped *priv, struct mpb_ask *ask)
{
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		ask->rate[i] = rate;
	return v->alive;
}

MPB_SCHED(capped, "all subflows, each at one rate", capped, MPB_PACES);
