/* SPDX-License-Identifier: GPL-2.0-only */
/* lia - Linked Increases: all subflows together grow as fast as one TCP would on the best of the paths.
 * For each acknowledged byte a subflow gains mss * min(alpha / sum(cwnd), 1 / cwnd) bytes, with
 *     alpha = sum(cwnd) * max(cwnd / rtt^2) / (sum(cwnd / rtt))^2,   so that   alpha / sum(cwnd) = max(cwnd / rtt^2) / (sum(cwnd / rtt))^2.
 * A loss halves the window of the subflow that saw it.
 * Good: the safe choice; fair to TCP at shared bottlenecks. Bad: leaves some traffic on congested paths; probes free ones slowly.
 * Source: RFC 6356 sections 3 and 4 (alpha anew sixteen times a round trip or more often; section 4.1 asks for once). */
#include <mptcp_bpf/cc.bpf.h>

static void lia_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	mpb_num best = 0, linked;

	mpb_each_sf(s, v)
		best = mpb_max(best, mpb_cc_urge(s));
	linked = mpb_div(mpb_mul(best, mpb_number(v->own.mss)), mpb_cc_rates_squared(v));
	c->up = mpb_min(linked, mpb_div(mpb_number(1), mpb_number(v->own.cwnd)));
}

MPB_CC(lia, "linked increases: as one TCP on the best path (RFC 6356)", .increase = lia_increase);
