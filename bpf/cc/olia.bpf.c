/* SPDX-License-Identifier: GPL-2.0-only */
/* olia - Opportunistic Linked Increases: linked increases that move windows from the largest ones to the best paths.
 * For each acknowledged byte subflow r gains mss * ((cwnd_r / rtt_r^2) / (sum(cwnd / rtt))^2 + alpha_r / cwnd_r) bytes. l: bytes since the last loss or between
 * the last two, whichever is more; best paths: those with the largest l / rtt^2; N: subflows. With B the best paths whose window is not the largest and M those
 * with the largest window, where B is not empty:
 *     alpha_r = 1 / (N |B|) in B, -1 / (N |M|) in M, 0 elsewhere;   with B empty all are 0.
 * A loss halves the window, down to 1 packet.
 * Good: less on congested paths than lia, and quick to use what became free. Bad: windows of equal paths flap a little.
 * Source: Khalili et al., CoNEXT 2012; draft-khalili-mptcp-congestion-control-05. */
#include <mptcp_bpf/cc.bpf.h>

MPB_GLOBAL mpb_num olia_quality(const struct mpb_cc_sf *s)
{
	mpb_num rtt;

	if (!s)
		return 0;
	rtt = mpb_number(s->srtt_us);
	return mpb_div(mpb_number(s->interval), mpb_mul(rtt, rtt));
}

static inline __u64 olia_window(const struct mpb_cc_sf *s)
{
	return (__u64)s->cwnd * s->mss;
}

/* The largest window, bytes, and how many have it. */
MPB_GLOBAL __u64 olia_largest(const struct mpb_cc_view *v)
{
	__u64 largest = 0;

	if (!v)
		return 0;
	mpb_each_sf(s, v)
		if (olia_window(s) > largest)
			largest = olia_window(s);
	return largest;
}

MPB_GLOBAL __u32 olia_n_largest(const struct mpb_cc_view *v, __u64 largest)
{
	__u32 n = 0;

	if (!v)
		return 0;
	mpb_each_sf(s, v)
		if (olia_window(s) == largest)
			n++;
	return n;
}

/* The best quality, and how many have it without having the largest window. */
MPB_GLOBAL mpb_num olia_best(const struct mpb_cc_view *v)
{
	mpb_num best = 0;

	if (!v)
		return 0;
	mpb_each_sf(s, v)
		best = mpb_max(best, olia_quality(s));
	return best;
}

MPB_GLOBAL __u32 olia_n_best(const struct mpb_cc_view *v, mpb_num best, __u64 largest)
{
	__u32 n = 0;

	if (!v)
		return 0;
	mpb_each_sf(s, v)
		if (olia_window(s) != largest && !mpb_less(olia_quality(s), best))
			n++;
	return n;
}

static void olia_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	__u64 largest = olia_largest(v);
	mpb_num best = olia_best(v);
	__u32 n = olia_n_best(v, best, largest);

	c->up = mpb_div(mpb_mul(mpb_cc_urge(&v->own), mpb_number(v->own.mss)), mpb_cc_rates_squared(v));
	if (!n)
		return;
	if (olia_window(&v->own) == largest)
		c->down = mpb_div(mpb_number(1), mpb_number((__u64)v->n * olia_n_largest(v, largest) * v->own.cwnd));
	else if (!mpb_less(olia_quality(&v->own), best))
		c->up = mpb_add(c->up, mpb_div(mpb_number(1), mpb_number((__u64)v->n * n * v->own.cwnd)));
}

MPB_CC(olia, "opportunistic linked increases: moves windows to the best paths", .increase = olia_increase, .least = 1);
