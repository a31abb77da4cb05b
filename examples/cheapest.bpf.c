/* SPDX-License-Identifier: GPL-2.0-only */
/* cheapest - only the path of least cost (equals: the older); a dearer one carries data when those before it are down.
 * Good: a metered link as a spare. Bad: peaks, which wait for the cheap path however full it is (`priority` goes on to the next one then).
 *
 *   mptcp-bpf build cheapest.bpf.c
 *   mptcp-bpf path add dev wwan0 cost 10
 *   mptcp-bpf load ./cheapest.bpf.o */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

struct cheapest { /* private memory of a connection: none is needed */
};

static mpb_set cheapest_pick(const struct mpb_view *v, struct cheapest *priv, struct mpb_ask *ask)
{
	__u64 cost[MPB_SUBFLOWS];

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		cost[i] = v->sf[i].cost;
	ask->why = MPB_WHY_COST;
	return mpb_bit(mpb_least(mpb_usable(v), cost));
}

MPB_SCHED(cheapest, "only the path of least cost", cheapest);
