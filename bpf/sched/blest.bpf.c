/* SPDX-License-Identifier: GPL-2.0-only */
/* blest - blocking estimation: while the fastest subflow is busy (full, or behind a queue of its own), a slower one is used only if what it takes would
 * not block the fastest: the window of the connection must have room for all that the fastest can send in one round trip of the slow one, besides what the
 * slow one holds.
 * With w the congestion window in packets and r = rtt_slow / rtt_fast the fastest sends X = mss_fast (w + (r - 1) / 2) r; it waits if lambda X > M - held.
 * Good: small receive buffers, paths of very unlike delay. Bad: where the window is large it hardly ever waits. Cost: O(subflows^2) an ACK.
 * Source: Ferlin et al., IFIP Networking 2016; there lambda follows the losses, here it is a tunable, and below 100 because receivers grow their window
 * ahead of need. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, lambda, 80, 10, 1000, "the estimate of what the fastest subflow can send is taken times this (percent)");

struct blest {
};

static bool blest_blocks(const struct mpb_view *v, const struct mpb_sf *fast, const struct mpb_sf *slow)
{
	__u64 window = mpb_waiting(v->inflight) + mpb_waiting(v->window), held = (slow->inflight + 1ULL) * slow->mss + slow->unsent;
	__u64 r = mpb_rtt(slow) * 16 / (mpb_rtt(fast) + 1 - mpb_nonzero(mpb_rtt(fast))); /* in sixteenths; at most 2^26 */
	__u64 sends = (mpb_window(fast) + mpb_minus(r, 16) * fast->mss / 32) / 16;

	sends = mpb_min(sends, MPB_KEY_MAX / 1000 / (r + 1)) * r;
	return sends / 100 * lambda > mpb_minus(window, held & MPB_KEY_MAX);
}

static mpb_set blest_pick(const struct mpb_view *v, struct blest *priv, struct mpb_ask *ask)
{
	mpb_set left = mpb_usable(v), set;
	__u64 key[MPB_SUBFLOWS];
	__u32 best, fastest;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		key[i] = mpb_rtt(&v->sf[i]);
	fastest = best = mpb_least(left, key);
	set = mpb_bit(fastest);
	ask->why = MPB_WHY_FASTER;
	for (__u32 n = 1; n < MPB_SUBFLOWS; n++) {
		left &= ~mpb_bit(best);
		if (!left || !mpb_busy(&v->sf[best]))
			break;
		best = mpb_least(left, key);
		ask->why = MPB_WHY_WAIT;
		if (blest_blocks(v, &v->sf[fastest], &v->sf[best]))
			break;
		set |= mpb_bit(best);
		ask->why = MPB_WHY_FULL;
	}
	return set;
}

MPB_SCHED(blest, "waits for the fastest subflow where the slower would block it", blest);
