/* SPDX-License-Identifier: GPL-2.0-only */
/* wvegas - weighted Vegas: keeps total_alpha packets of the connection queued in all paths together, each path's part as its part of the rate.
 * Once a round trip, with q = cwnd * (rtt - base) / rtt packets queued (base: least rtt) and x = cwnd / rtt:
 *     alpha = max(2, total_alpha * x_r / sum(x));   q > alpha: cwnd - 1;   q < alpha: cwnd + 1.
 * Slow start ends when q exceeds gamma. Where the queueing delay is twice the least that was seen, the window drains to cwnd * base / (2 rtt).
 * Good: low delay; moves away from a queue before it overflows. Bad: gives way to TCPs that fill queues; a base taken from a full queue misleads it.
 * Source: Cao, Xu and Fu, ICNP 2012; draft-xu-mptcp-congestion-control-05. Deviation: without siblings it is Reno, not Vegas. */
#include <mptcp_bpf/cc.bpf.h>

MPB_TUNE(__u32, total_alpha, 10, 2, 1000, "packets that a connection keeps queued");
MPB_TUNE(__u32, gamma, 1, 1, 100, "packets queued at which slow start ends");

#define LEAST 2 /* packets: of a window, and of alpha */

static inline mpb_num wvegas_alpha(const struct mpb_cc_view *v)
{
	mpb_num sum = 0;

	mpb_each_sf(s, v)
		sum = mpb_add(sum, mpb_cc_rate(s));
	return mpb_max(mpb_number(LEAST), mpb_div(mpb_mul(mpb_number(total_alpha), mpb_cc_rate(&v->own)), sum));
}

static void wvegas_drain(struct mpb_cc_round *r, __u32 delay)
{
	if (!r->queue_us || delay < r->queue_us - 1)
		r->queue_us = delay + 1;
	if (delay < 2 * (r->queue_us - 1) || !delay)
		return;
	r->cwnd = (__u64)r->cwnd * r->base_us / (2 * (__u64)r->rtt_us);
	r->queue_us = 0;
}

static void wvegas_round(const struct mpb_cc_view *v, struct mpb_cc_round *r)
{
	__u32 delay = r->rtt_us > r->base_us ? r->rtt_us - r->base_us : 0, part;
	mpb_num queued = mpb_div(mpb_number((__u64)r->cwnd * delay), mpb_number(r->rtt_us)), alpha = wvegas_alpha(v);

	if (r->cwnd < r->ssthresh) {
		if (!mpb_less(mpb_number(gamma), queued))
			return;
		part = (__u64)r->cwnd * r->base_us / r->rtt_us + 1;
		r->cwnd = part < r->cwnd ? part : r->cwnd;
		r->ssthresh = r->cwnd > LEAST ? r->cwnd - 1 : LEAST;
	} else {
		if (mpb_less(alpha, queued))
			r->cwnd--;
		else if (mpb_less(queued, alpha))
			r->cwnd++;
		wvegas_drain(r, delay);
	}
	if (r->cwnd < LEAST)
		r->cwnd = LEAST;
	if (r->ssthresh >= r->cwnd)
		r->ssthresh = r->cwnd > LEAST ? r->cwnd - 1 : LEAST;
}

MPB_CC_DELAY(wvegas, "weighted Vegas: low delay, shares a small queue over all paths", .round = wvegas_round);
