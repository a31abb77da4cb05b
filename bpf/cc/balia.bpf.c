/* SPDX-License-Identifier: GPL-2.0-only */
/* balia - Balanced Linked Adaptation: between the friendliness of olia and the responsiveness of lia.
 * With x = cwnd / rtt and a = max(x) / x_r, for each acknowledged byte subflow r gains
 *     mss * (x_r / rtt_r) / (sum(x))^2 * (1 + a) / 2 * (4 + a) / 5   bytes;
 * a loss takes min(a, 1.5) / 2 of its window, so that slower paths give way further; 1 packet remains.
 * Good: paths that change. Bad: a slow path recovers slowly from a loss.
 * Source: Peng, Walid, Hwang and Low, ToN 2016; draft-walid-mptcp-congestion-control-04. */
#include <mptcp_bpf/cc.bpf.h>

static inline mpb_num balia_a(const struct mpb_cc_view *v)
{
	mpb_num most = 0;

	mpb_each_sf(s, v)
		most = mpb_max(most, mpb_cc_rate(s));
	return mpb_div(most, mpb_cc_rate(&v->own));
}

static void balia_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	mpb_num a = balia_a(v), factor = mpb_mul(mpb_add(mpb_number(1), a), mpb_add(mpb_number(4), a));
	mpb_num linked = mpb_div(mpb_mul(mpb_cc_urge(&v->own), mpb_number(v->own.mss)), mpb_cc_rates_squared(v));

	c->up = mpb_div(mpb_mul(linked, factor), mpb_number(10));
}

static __u32 balia_remain(const struct mpb_cc_view *v)
{
	mpb_num part = mpb_min(balia_a(v), mpb_div(mpb_number(3), mpb_number(2)));

	return v->own.cwnd - (__u32)mpb_fixed(mpb_mul(mpb_number(v->own.cwnd), part), -1, v->own.cwnd);
}

MPB_CC(balia, "balanced linked adaptation: friendly and responsive", .increase = balia_increase, .remain = balia_remain, .least = 1);
