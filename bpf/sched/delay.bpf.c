/* SPDX-License-Identifier: GPL-2.0-only */
/* delay - one subflow at a time: the one with the smallest round-trip time, left only for one that is clearly faster.
 * Good: voice, control, anything that fits into one path. Bad: bulk, which gets one path's rate. Cost: O(subflows) an ACK.
 * A subflow that carries nothing keeps its last sample: one that has become faster since is not noticed.
 * Source: smallest-delay steering mode of 3GPP ATSSS (TS 23.501 section 5.32.8). */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, margin_us, 5000, 0, 1000000, "another subflow must be faster by this much (us)");
MPB_TUNE(__u32, hold_ms, 200, 0, 60000, "and the last switch be this long ago (ms)");

struct delay {
	__u64 since_ns; /* of the last switch */
	__u32 current;  /* 1 + index */
	__u32 pad;
};

static mpb_set delay_pick(const struct mpb_view *v, struct delay *priv, struct mpb_ask *ask)
{
	mpb_set usable = mpb_usable(v);
	__u32 best, current = (priv->current - 1) & (MPB_SUBFLOWS - 1);
	__u64 key[MPB_SUBFLOWS];

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		key[i] = mpb_rtt(&v->sf[i]);
	best = mpb_least(usable, key);
	ask->why = MPB_WHY_FASTER;
	if (priv->current && usable & mpb_bit(current)) {
		if (v->now_ns - priv->since_ns < hold_ms * 1000000ULL || key[best] + margin_us >= key[current])
			return mpb_bit(current);
	} else if (priv->current) {
		ask->why = MPB_WHY_FAILED;
	}
	priv->current = best + 1;
	priv->since_ns = v->now_ns;
	return mpb_bit(best);
}

MPB_SCHED(delay, "only the subflow with the smallest delay", delay);
