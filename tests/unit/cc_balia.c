/* SPDX-License-Identifier: GPL-2.0-only */
/* balia against draft-walid-mptcp-congestion-control-04 section 3. */
#include "../../bpf/cc/balia.bpf.c"
#include "cc.h"

static double highest(const struct mpb_cc_view *v, double *sum)
{
	double most = 0;

	*sum = 0;
	for (unsigned int i = 0; i < MPB_GROUP_MAX; i++) {
		if (!v->sf[i].cwnd)
			continue;
		most = fmax(most, rate(&v->sf[i]));
		*sum += rate(&v->sf[i]);
	}
	return most;
}

static bool draft(const struct mpb_cc_view *v, double *up, double *down)
{
	double sum, alpha = highest(v, &sum) / rate(&v->own);

	*up = v->own.mss * rate(&v->own) / v->own.srtt_us / (sum * sum) * (1 + alpha) / 2 * (4 + alpha) / 5;
	*down = 0;
	return true;
}

static void increase(void **unused)
{
	(void)unused;
	compare_increases(draft);
}

static void loss(void **unused)
{
	uint64_t state = 4;

	(void)unused;
	for (int n = 0; n < STATES; n++) {
		struct mpb_cc_view v = view_random(&state);
		double sum, alpha = highest(&v, &sum) / rate(&v.own), want = v.own.cwnd - v.own.cwnd / 2. * fmin(alpha, 1.5);
		double got = balia_remain(&v);

		assert_true(got >= want - 0.001 && got <= want + 1.001);
	}
}

static void kept(void **unused)
{
	(void)unused;
	compare_kept(draft, 0.05);
}

UNIT_MAIN(cmocka_unit_test(increase), cmocka_unit_test(kept), cmocka_unit_test(alone_is_reno), cmocka_unit_test(loss))
