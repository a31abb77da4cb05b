/* SPDX-License-Identifier: GPL-2.0-only */
/* standby - one active subflow, the cheapest (path cost, then the older one); the others wait until it fails.
 * A subflow has failed when it is gone, or its retransmission timer has expired and nothing was acknowledged since. One that is preferred and works
 * again must do so for return_ms before it is returned to.
 * Good: a metered or slow second path. Bad: capacity, it uses one path. Cost: O(subflows) an ACK.
 * Source: active-standby steering mode of 3GPP ATSSS (TS 23.501 section 5.32.8). */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, return_ms, 1000, 0, 600000, "a better subflow must work for this long before it is returned to (ms)");

struct standby {
	__u64 since_ns; /* since when a better one than the active works; 0: there is none */
	__u32 active;   /* 1 + index */
	__u32 pad;
};

static mpb_set standby_pick(const struct mpb_view *v, struct standby *priv, struct mpb_ask *ask)
{
	__u32 best, active = (priv->active - 1) & (MPB_SUBFLOWS - 1);
	mpb_set usable = mpb_usable(v);
	__u64 cost[MPB_SUBFLOWS];

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		cost[i] = v->sf[i].cost;
	best = mpb_least(usable, cost);
	ask->why = MPB_WHY_COST;
	if (priv->active && !(usable & mpb_bit(active))) {
		ask->why = MPB_WHY_FAILED;
	} else if (best == active) {
		priv->since_ns = 0;
	} else if (priv->active) {
		if (!priv->since_ns)
			priv->since_ns = v->now_ns;
		if (v->now_ns - priv->since_ns < return_ms * 1000000ULL)
			return mpb_bit(active);
		ask->why = MPB_WHY_RETURNED;
	}
	priv->since_ns = 0;
	priv->active = best + 1;
	return mpb_bit(best);
}

MPB_SCHED(standby, "one active subflow, the others when it fails", standby);
