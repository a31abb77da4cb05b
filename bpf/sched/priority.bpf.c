/* SPDX-License-Identifier: GPL-2.0-only */
/* priority - subflows in the order of their path cost (equals: the older first); the next one is used only while all before it are full.
 * Full: the window is used up, and what waits takes longer than full_us. The overflow ends when the queues before it have run empty: ending it sooner
 * leaves the preferred path idle at times.
 * Good: a cheap path first, the expensive one for peaks. Bad: latency while the cheap one is full. Cost: O(subflows^2) an ACK.
 * Source: priority-based steering mode of 3GPP ATSSS (TS 23.501 section 5.32.8). */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, full_us, 20000, 0, 10000000, "a path is full when what waits for it takes longer than this (us)");

struct priority {
	__u32 open; /* how many of the order are in use */
};

static mpb_set priority_pick(const struct mpb_view *v, struct priority *priv, struct mpb_ask *ask)
{
	mpb_set left = mpb_usable(v), set = 0;
	__u64 cost[MPB_SUBFLOWS], waiting = v->queued, rate = 0;
	__u32 open = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		cost[i] = v->sf[i].cost;
	for (__u32 n = 0; n < MPB_SUBFLOWS && left; n++) {
		__u32 best = mpb_least(left, cost);
		const struct mpb_sf *sf = &v->sf[best];

		set |= mpb_bit(best);
		left &= ~mpb_bit(best);
		open++;
		waiting += sf->unsent;
		rate += mpb_rate(sf);
		if (!mpb_full(sf) || (open >= priv->open ? mpb_time_us(waiting, rate) <= full_us : !waiting))
			break;
	}
	ask->why = set & (set - 1) ? MPB_WHY_FULL : open < priv->open ? MPB_WHY_ROOM : MPB_WHY_COST;
	priv->open = open;
	return set;
}

MPB_SCHED(priority, "the cheapest subflow first, the next when it is full", priority);
