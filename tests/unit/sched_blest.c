/* SPDX-License-Identifier: GPL-2.0-only */
/* blest: the inequality of the paper in double precision for each slower subflow in the order of round-trip times. */
#include "../../bpf/sched/blest.bpf.c"
#include "sched.h"

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set left = ref_usable(v), set;
	double rtt[MPB_SUBFLOWS];
	const struct mpb_sf *fast;
	int i, first;

	ref_rtts(v, rtt);
	first = i = ref_least(left, rtt);
	fast = &v->sf[first];
	set = 1 << i;
	while (left &= ~(1U << i), left && ref_busy(&v->sf[i])) {
		double r, x, free;

		i = ref_least(left, rtt);
		r = rtt[i] / rtt[first];
		x = fast->mss * (fast->cwnd + (r - 1) / 2) * r;
		free = (double)v->inflight + v->window - (v->sf[i].inflight + 1.0) * v->sf[i].mss - v->sf[i].unsent;
		if (free < 0)
			free = 0;
		*unsure |= x * lambda / 100 > free * 0.9 - 2000 && x * lambda / 100 < free * 1.1 + 2000; /* r is in sixteenths */
		if (x * lambda / 100 > free)
			break;
		set |= 1 << i;
	}
	return set;
}

static void definition(void **unused)
{
	(void)unused;
	compare_sets(reference, NULL);
}

static void waits_for_a_small_window(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.sf[1].srtt_us = 160000;
	v.sf[0].inflight = 10; /* X = 1400 (10 + 7 / 2) 8 = 151,200; times 0.8 */
	v.window = 125000;
	assert_int_equal(decide(&v), 3);
	v.window = 115000;
	assert_int_equal(decide(&v), 1);
	assert_int_equal(decided.ask.why, MPB_WHY_WAIT);
	v.inflight = 10000;
	assert_int_equal(decide(&v), 3);
}

UNIT_MAIN(cmocka_unit_test(definition), cmocka_unit_test(waits_for_a_small_window))
