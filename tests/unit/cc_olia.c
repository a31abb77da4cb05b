/* SPDX-License-Identifier: GPL-2.0-only */
/* olia against draft-khalili-mptcp-congestion-control-05 section 2. */
#include "../../bpf/cc/olia.bpf.c"
#include "cc.h"

static double quality(const struct mpb_cc_sf *s)
{
	return s->interval / pow(s->srtt_us, 2);
}

static bool draft(const struct mpb_cc_view *v, double *up, double *down)
{
	double best = 0, largest = 0, sum = 0, mss = v->own.mss, alpha = 0;
	unsigned int n = 0, in_b = 0, in_m = 0;

	for (unsigned int i = 0; i < MPB_GROUP_MAX; i++) {
		const struct mpb_cc_sf *s = &v->sf[i];

		if (!s->cwnd)
			continue;
		n++;
		best = fmax(best, quality(s));
		largest = fmax(largest, window(s));
		sum += rate(s);
	}
	for (unsigned int i = 0; i < MPB_GROUP_MAX; i++) {
		const struct mpb_cc_sf *s = &v->sf[i];

		if (!s->cwnd)
			continue;
		if (best && quality(s) != best && quality(s) / best > 1 - 1e-6)
			return false;
		in_m += window(s) == largest;
		in_b += quality(s) == best && window(s) != largest;
	}
	if (in_b && window(&v->own) == largest)
		alpha = -1. / (n * in_m);
	else if (in_b && quality(&v->own) == best)
		alpha = 1. / (n * in_b);
	*up = mss * (window(&v->own) / pow(v->own.srtt_us, 2) / (sum * sum) + fmax(alpha, 0) / window(&v->own));
	*down = mss * fmax(-alpha, 0) / window(&v->own);
	return true;
}

static void increase(void **unused)
{
	(void)unused;
	compare_increases(draft);
}

/* A path that has just become the best, or the largest, is told late by a part of a round trip. */
static void kept(void **unused)
{
	(void)unused;
	compare_kept(draft, 0.3);
}

UNIT_MAIN(cmocka_unit_test(increase), cmocka_unit_test(kept), cmocka_unit_test(alone_is_reno))
