/* SPDX-License-Identifier: GPL-2.0-only */
/* lia against RFC 6356 section 3, in bytes as it stands there. */
#include "../../bpf/cc/lia.bpf.c"
#include "cc.h"

static bool rfc6356(const struct mpb_cc_view *v, double *up, double *down)
{
	double total = 0, best = 0, sum = 0, mss = v->own.mss, alpha;

	for (unsigned int i = 0; i < MPB_GROUP_MAX; i++) {
		const struct mpb_cc_sf *s = &v->sf[i];

		if (!s->cwnd)
			continue;
		total += window(s);
		best = fmax(best, window(s) / pow(s->srtt_us, 2));
		sum += rate(s);
	}
	alpha = total * best / (sum * sum);
	*up = fmin(alpha * mss * mss / total, mss * mss / window(&v->own)) / mss;
	*down = 0;
	return true;
}

static void increase(void **unused)
{
	(void)unused;
	compare_increases(rfc6356);
}

/* Goal 2: two subflows alike take together what one TCP with their window would: each a quarter of Reno's increase. */
static void two_alike(void **unused)
{
	struct mpb_cc_view v = { .n = 2, .own = { .cwnd = 100, .mss = 1448, .srtt_us = 20000 } };
	struct mpb_cc_change c = {};

	(void)unused;
	v.sf[0] = v.sf[1] = v.own;
	lia_increase(&v, &c);
	assert_true(off_by(value(c.up), 1. / 400) < 1e-7);
}

static void kept(void **unused)
{
	(void)unused;
	compare_kept(rfc6356, 0.05);
}

UNIT_MAIN(cmocka_unit_test(increase), cmocka_unit_test(kept), cmocka_unit_test(alone_is_reno), cmocka_unit_test(two_alike))
