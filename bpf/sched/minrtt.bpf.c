/* SPDX-License-Identifier: GPL-2.0-only */
/* minrtt - the subflow with the lowest round-trip time; the next one while it is full and the queue before it takes longer than the detour.
 * Good: paths of unlike delay, interactive traffic. Bad: bulk over paths of very unlike delay, where the slow one's data arrives late and the receiver
 * waits (blest, ecf). Cost: O(subflows^2) an ACK.
 * Source: lowest-RTT-first (Paasch et al., CSWS 2014). There a full window is enough to go on to the next; here a set stays in force until the next
 * ACK and a choice takes all that waits, so what the next one adds in delay must be less than what it saves: something must have waited for as long
 * already, since a transfer that has lasted goes on, and a short response that is nearly out does not. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, hysteresis_us, 1000, 0, 1000000, "stay on the current subflow unless another is faster by this much (us)");
MPB_TUNE(__u32, patience, 200, 0, 10000, "how long data must have waited before a slower subflow helps (percent of its round trip)");

struct minrtt {
	__u64 since_ns;  /* something has been waiting since, with no pause of two round trips */
	__u64 waited_ns; /* something waited at that time */
	__u32 current;   /* 1 + index of the subflow that leads */
	__u32 pad;
};

static mpb_set minrtt_pick(const struct mpb_view *v, struct minrtt *priv, struct mpb_ask *ask)
{
	mpb_set left = mpb_usable(v), set;
	__u64 key[MPB_SUBFLOWS], waiting, rate, fastest, waited;
	__u32 best;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		key[i] = mpb_rtt(&v->sf[i]) + (i + 1 == priv->current ? 0 : hysteresis_us);
	best = mpb_least(left, key);
	priv->current = best + 1;
	set = mpb_bit(best);
	fastest = mpb_rtt(&v->sf[best]);
	waiting = v->queued + v->sf[best].unsent;
	rate = mpb_rate(&v->sf[best]);
	if (v->now_ns - priv->waited_ns > 2000 * fastest)
		priv->since_ns = v->now_ns;
	if (waiting)
		priv->waited_ns = v->now_ns;
	waited = (v->now_ns - priv->since_ns) / 1000;
	for (__u32 n = 1; n < MPB_SUBFLOWS; n++) {
		left &= ~mpb_bit(best);
		if (!left || !mpb_full(&v->sf[best]))
			break;
		best = mpb_least(left, key);
		if (fastest + mpb_time_us(waiting, rate) <= mpb_rtt(&v->sf[best]) || waited * 100 < mpb_rtt(&v->sf[best]) * patience)
			break;
		set |= mpb_bit(best);
		waiting += v->sf[best].unsent;
		rate += mpb_rate(&v->sf[best]);
	}
	ask->why = set & (set - 1) ? MPB_WHY_FULL : left ? MPB_WHY_FASTER : MPB_WHY_ONLY;
	return set;
}

MPB_SCHED(minrtt, "lowest round-trip time first, the next when it is full", minrtt);
