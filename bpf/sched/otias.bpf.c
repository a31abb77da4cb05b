/* SPDX-License-Identifier: GPL-2.0-only */
/* otias - out-of-order transmission for in-order arrival: data goes where it arrives first, even if that subflow's window is full just now.
 * On subflow i the next byte arrives after T_i = (rounds until its queue is gone + 1/2) rtt. The set is the ones that the waiting bytes would be laid on if
 * each went where it arrives first: in the order of T, as long as those before cannot take all of it by the time T of the next.
 * Good: streams whose peer wants order. Bad: trusts the round-trip times; a path that just became slow gets too much. Cost: O(subflows^2) an ACK.
 * Source: Yang, Wang, Amer, ICCCN workshops 2014, which decides packet by packet. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, hysteresis_us, 1000, 0, 1000000, "stay on the current subflow unless another arrives earlier by this much (us)");

#define ARRIVAL_MAX ((1ULL << 24) - 1) /* us */
#define RATE_MAX ((1ULL << 35) - 1)    /* bytes per second */

struct otias {
	__u32 current; /* 1 + index of the subflow where data arrives first */
};

static __u64 otias_arrival(const struct mpb_sf *sf)
{
	__u64 rtt = mpb_rtt(sf);

	return mpb_min(mpb_beyond(sf, sf->unsent) * rtt / mpb_window(sf) + rtt / 2, ARRIVAL_MAX);
}

static __u64 otias_rate(const struct mpb_sf *sf)
{
	return mpb_min(mpb_window(sf) * 1000000 / (mpb_rtt(sf) + 1), RATE_MAX);
}

static mpb_set otias_pick(const struct mpb_view *v, struct otias *priv, struct mpb_ask *ask)
{
	mpb_set left = mpb_usable(v), set;
	__u64 arrival[MPB_SUBFLOWS], queued = mpb_waiting(v->queued) * 1000000, rates = 0, done = 0;
	__u32 best;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		arrival[i] = otias_arrival(&v->sf[i]) + (i + 1 == priv->current ? 0 : hysteresis_us);
	best = mpb_least(left, arrival);
	priv->current = best + 1;
	set = mpb_bit(best);
	for (__u32 n = 1; n < MPB_SUBFLOWS; n++) {
		left &= ~mpb_bit(best);
		rates += otias_rate(&v->sf[best]);
		done += otias_rate(&v->sf[best]) * arrival[best];
		if (!left)
			break;
		best = mpb_least(left, arrival);
		if (queued <= rates * arrival[best] - done)
			break;
		set |= mpb_bit(best);
	}
	ask->why = set & (set - 1) ? MPB_WHY_FULL : MPB_WHY_FASTER;
	return set;
}

MPB_SCHED(otias, "where data arrives first, queues included", otias);
