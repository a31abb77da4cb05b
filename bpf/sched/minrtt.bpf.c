/* SPDX-License-Identifier: GPL-2.0-only */
/* minrtt - the subflow with the lowest round-trip time, and the next one only while it is full.
 * Good: paths of unlike delay, interactive traffic. Bad: bulk over paths of very unlike delay, where the slow one's data arrives late and the receiver
 * waits (blest, ecf). Cost: O(subflows^2) an ACK.
 * Source: lowest-RTT-first as in the MPTCP schedulers' literature (Paasch et al., CSWS 2014). */
#include <mptcp_bpf/sched.bpf.h>

MPB_TUNE(__u32, hysteresis_us, 1000, 0, 1000000, "stay on the current subflow unless another is faster by this much (us)");

struct minrtt {
	__u32 current; /* 1 + index of the subflow that leads */
};

static mpb_set minrtt_pick(const struct mpb_view *v, struct minrtt *priv, struct mpb_ask *ask)
{
	mpb_set left = mpb_preferred(v), set = 0;
	struct mpb_keys delay;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		delay.key[i] = v->sf[i].srtt_us ? v->sf[i].srtt_us : 1000000; /* never measured: behind those that were */
		if (i + 1 != priv->current)
			delay.key[i] += hysteresis_us;
	}
	for (__u32 n = 0; n < MPB_SUBFLOWS && left; n++) {
		__u32 best = mpb_least(&delay, left) & (MPB_SUBFLOWS - 1);

		if (!set)
			priv->current = best + 1;
		set |= mpb_bit(best);
		left &= ~mpb_bit(best);
		if (!v->sf[best].unsent && mpb_room(&v->sf[best]))
			break;
	}
	ask->why = set & (set - 1) ? MPB_WHY_FULL : MPB_WHY_FASTER;
	return set;
}

MPB_SCHED(minrtt, "lowest round-trip time first, the next when it is full", minrtt);
