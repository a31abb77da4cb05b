/* SPDX-License-Identifier: GPL-2.0-only */
/* ecf - earliest completion first: while the fastest subflow is busy (full, or behind a queue of its own), a slower one is used only if waiting for the
 * fastest would end later. k bytes wait, w is a congestion window, o the time one way, d the larger variation of the two times: waiting is better if
 *     o_fast + k / w_fast rtt_fast < (1 + beta) (o_slow + d)   and   o_slow + k / w_slow rtt_slow >= 2 o_fast + d;
 * beta counts once it waits, so that it does not swing. The paper has round-trip times for both: a queue before the fastest then counts half, and under a
 * stream that needs both paths it grows to twice the detour.
 * Good: web and streaming over paths of unlike delay. Bad: needs to see what waits; an application that writes little at a time shows little.
 * Cost: O(subflows^2) an ACK. Source: Lim et al., CoNEXT 2017. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, beta, 25, 0, 1000, "how much longer waiting goes on once it has begun (percent)");

struct ecf {
	mpb_set waiting; /* the slower subflows that were not used */
};

static bool ecf_waits(const struct mpb_sf *fast, const struct mpb_sf *slow, __u64 k, __u32 hysteresis)
{
	__u64 fastest = mpb_oneway(fast), slower = mpb_oneway(slow), var_fast = fast->rttvar_us, var_slow = slow->rttvar_us;
	__u64 d = mpb_min(var_fast + var_slow - mpb_min(var_fast, var_slow), MPB_RTT_MAX) / 2;

	return (fastest + k * mpb_rtt(fast) / mpb_window(fast)) * 100 < (100 + hysteresis) * (slower + d) &&
	       slower + k * mpb_rtt(slow) / mpb_window(slow) >= 2 * fastest + d;
}

static mpb_set ecf_pick(const struct mpb_view *v, struct ecf *priv, struct mpb_ask *ask)
{
	mpb_set left = mpb_usable(v), set, waiting = 0;
	__u64 key[MPB_SUBFLOWS], k;
	__u32 best, fastest;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		key[i] = mpb_rtt(&v->sf[i]);
	fastest = best = mpb_least(left, key);
	set = mpb_bit(fastest);
	k = mpb_waiting(v->queued + v->sf[fastest].unsent);
	for (__u32 n = 1; n < MPB_SUBFLOWS; n++) {
		left &= ~mpb_bit(best);
		if (!left || !mpb_busy(&v->sf[best]))
			break;
		best = mpb_least(left, key);
		if (ecf_waits(&v->sf[fastest], &v->sf[best], k, priv->waiting & mpb_bit(best) ? beta : 0)) {
			waiting = mpb_bit(best);
			break;
		}
		set |= mpb_bit(best);
	}
	priv->waiting = waiting;
	ask->why = waiting ? MPB_WHY_WAIT : set & (set - 1) ? MPB_WHY_FULL : MPB_WHY_FASTER;
	return set;
}

MPB_SCHED(ecf, "waits for the fastest subflow where that completes earlier", ecf);
