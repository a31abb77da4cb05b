/* SPDX-License-Identifier: GPL-2.0-only */
/* wvegas - weighted Vegas: keeps total_alpha packets of the connection queued in all paths together, each path's part as its part of the rate.
 * Once a round trip, with q = cwnd * (rtt - base) / rtt whole packets queued (rtt: least of the round, base: least ever) and x = cwnd / rtt:
 *     alpha = max(2, total_alpha * x_r / sum(x));   q > alpha: cwnd - 1;   q < alpha: cwnd + 1.
 * Slow start ends when q exceeds ss_gamma. Where the queueing delay reaches twice the least since the last time, the window drains to cwnd * base / (2 rtt), from
 * where slow start brings it back.
 * Good: low delay; moves away from a queue before it overflows. Bad: gives way to TCPs that fill queues; a base taken from a full queue misleads it.
 * Source: Cao, Xu and Fu, ICNP 2012; draft-xu-mptcp-congestion-control-05. Deviations: without siblings it is Reno, not Vegas; a round's rtt is its least, as
 * in net/ipv4/tcp_vegas.c, not its mean, which one late ACK may raise by more than alpha packets take; a queueing delay of less than alpha packets does not
 * count for draining: it is jitter, or a queue that is yet to build, of which the least soon doubles; and what the sender puts out in one go, 64 KB on a path
 * of gigabits, waits behind itself: alpha, ss_gamma and the least queueing delay are no less than that. */
#include <mptcp_bpf/cc.bpf.h>

MPB_TUNE(__u32, total_alpha, 10, 2, 1000, "packets that a connection keeps queued");
MPB_TUNE(__u32, ss_gamma, 1, 1, 100, "packets queued at which slow start ends");

#define LEAST 2 /* packets: of a window, and of alpha */

static inline __u32 wvegas_alpha(const struct mpb_cc_view *v, __u32 least)
{
	mpb_num sum = 0;
	__u32 alpha;

	mpb_each_sf(s, v)
		sum = mpb_add(sum, mpb_cc_rate(s));
	alpha = mpb_fixed(mpb_div(mpb_mul(mpb_number(total_alpha), mpb_cc_rate(&v->own)), sum), 0, total_alpha);
	return alpha > least ? alpha : least;
}

static inline void wvegas_drain(struct mpb_cc_round *r, __u32 delay)
{
	__u64 least = (__u64)r->rtt_us * r->burst / r->cwnd; /* that the sender makes itself */

	if (!r->queue_us || r->queue_us > delay)
		r->queue_us = delay;
	if (least < r->queue_us)
		least = r->queue_us;
	if (delay < 2 * least)
		return;
	r->cwnd = (__u64)r->cwnd * r->base_us / (2 * (__u64)r->rtt_us);
	if (r->cwnd < LEAST)
		r->cwnd = LEAST;
	r->queue_us = 0;
}

static inline void wvegas_reduce(struct mpb_cc_round *r, __u32 cwnd)
{
	r->cwnd = cwnd > LEAST ? cwnd : LEAST;
	if (r->ssthresh >= r->cwnd)
		r->ssthresh = r->cwnd - 1;
}

/* What slow start may bring back: three quarters of a window that proved good (net/ipv4/tcp_vegas.c: tcp_current_ssthresh()). */
static inline void wvegas_remember(struct mpb_cc_round *r)
{
	__u32 good = (r->cwnd >> 1) + (r->cwnd >> 2);

	if (r->ssthresh < good)
		r->ssthresh = good;
}

static int wvegas_round(const struct mpb_cc_view *v, struct mpb_cc_round *r)
{
	__u32 delay = r->rtt_us > r->base_us ? r->rtt_us - r->base_us : 0;
	__u32 queued = (__u64)r->cwnd * delay / r->rtt_us, alpha = wvegas_alpha(v, r->burst > LEAST ? r->burst : LEAST);

	if (r->cwnd < r->ssthresh) {
		if (queued <= ss_gamma || queued < r->burst)
			return 1;
		wvegas_reduce(r, r->cwnd - queued + 1);
		return 0;
	}
	if (queued > alpha)
		wvegas_reduce(r, r->cwnd - 1);
	else if (queued < alpha)
		r->cwnd++;
	wvegas_remember(r);
	if (queued >= alpha)
		wvegas_drain(r, delay);
	return 0;
}

MPB_CC_DELAY(wvegas, "weighted Vegas: low delay, shares a small queue over all paths", .round = wvegas_round);
