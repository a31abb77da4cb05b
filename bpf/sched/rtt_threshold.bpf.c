/* SPDX-License-Identifier: GPL-2.0-only */
/* rtt_threshold - every subflow whose round-trip time is below a bound; if none is, the fastest.
 * Good: aggregation with a limit on delay. Bad: a queue of one's own making may push a path over the bound. Cost: O(subflows) an ACK.
 * Source: RTT threshold, draft-bonaventure-iccrg-schedulers. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, threshold_us, 100000, 0, 4000000, "bound of the round-trip time (us)");
MPB_TUNE(__u32, margin_us, 5000, 0, 1000000, "a subflow in use may exceed it by this much (us)");

struct rtt_threshold {
	mpb_set below; /* at the last decision */
};

static mpb_set rtt_threshold_pick(const struct mpb_view *v, struct rtt_threshold *priv, struct mpb_ask *ask)
{
	mpb_set usable = mpb_usable(v);
	__u64 key[MPB_SUBFLOWS];

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		key[i] = mpb_rtt(&v->sf[i]);
	priv->below = mpb_below(usable & priv->below, key, threshold_us + margin_us) | mpb_below(usable, key, threshold_us);
	ask->why = priv->below == usable ? MPB_WHY_ALL : MPB_WHY_FASTER;
	return priv->below ? priv->below : mpb_bit(mpb_least(usable, key));
}

MPB_SCHED(rtt_threshold, "all subflows below a round-trip time", rtt_threshold);
