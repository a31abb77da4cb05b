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

struct paths {
	mpb_num quality; /* of the best */
	__u64 window;           /* the largest, bytes */
	__u32 best, largest;    /* how many; `best` does not count the largest */
};

static inline mpb_num olia_quality(const struct mpb_cc_sf *s)
{
	mpb_num rtt = mpb_number(s->srtt_us);

	return mpb_div(mpb_number(s->interval), mpb_mul(rtt, rtt));
}

static inline int olia_is_best(const struct paths *p, const struct mpb_cc_sf *s)
{
	return !mpb_less(olia_quality(s), p->quality);
}

static inline __u64 olia_window(const struct mpb_cc_sf *s)
{
	return (__u64)s->cwnd * s->mss;
}

static inline void olia_paths(const struct mpb_cc_view *v, struct paths *p)
{

	mpb_each_sf(s, v) {
		p->quality = mpb_max(p->quality, olia_quality(s));
		if (olia_window(s) > p->window)
			p->window = olia_window(s);
	}
	mpb_each_sf(s, v) {
		if (olia_window(s) == p->window)
			p->largest++;
		else if (olia_is_best(p, s))
			p->best++;
	}
}

static void olia_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	struct paths p = {};

	olia_paths(v, &p);
	c->up = mpb_div(mpb_mul(mpb_cc_urge(&v->own), mpb_number(v->own.mss)), mpb_cc_rates_squared(v));
	if (!p.best)
		return;
	if (olia_window(&v->own) == p.window)
		c->down = mpb_div(mpb_number(1), mpb_number((__u64)v->n * p.largest * v->own.cwnd));
	else if (olia_is_best(&p, &v->own))
		c->up = mpb_add(c->up, mpb_div(mpb_number(1), mpb_number((__u64)v->n * p.best * v->own.cwnd)));
}

MPB_CC(olia, "opportunistic linked increases: moves windows to the best paths", .increase = olia_increase, .least = 1);
