/* SPDX-License-Identifier: GPL-2.0-only */
/* otias: lays the waiting bytes on the subflows grain by grain, each where it arrives first, and compares who got any. */
#include "../../bpf/sched/otias.bpf.c"
#include "sched.h"

#define GRAINS 4000

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set usable = ref_usable(v), set;
	double arrival[MPB_SUBFLOWS], begin[MPB_SUBFLOWS], grain = v->queued / (double)GRAINS, level;
	int i;

	for (i = 0; i < MPB_SUBFLOWS; i++) {
		double room = ((double)v->sf[i].cwnd - v->sf[i].inflight) * v->sf[i].mss, beyond = v->sf[i].unsent - (room > 0 ? room : 0);

		arrival[i] = (beyond > 0 ? beyond : 0) / ref_window(&v->sf[i]) * ref_rtt(&v->sf[i]) + ref_rtt(&v->sf[i]) / 2;
		begin[i] = arrival[i] += hysteresis_us;
	}
	i = ref_least(usable, arrival);
	set = 1 << i;
	for (int n = 0; n < GRAINS; n++) {
		i = ref_least(usable, arrival);
		set |= 1 << i;
		arrival[i] += grain / ref_window(&v->sf[i]) * ref_rtt(&v->sf[i]);
	}
	level = arrival[ref_least(usable, arrival)];
	for (i = 0; i < MPB_SUBFLOWS; i++)
		*unsure |= usable >> i & 1 && begin[i] > level * 0.99 - 3 && begin[i] < level * 1.01 + 3;
	return set;
}

static void definition(void **unused)
{
	uint64_t state = 1;
	unsigned int more = 0, compared = 0;

	(void)unused;
	for (int n = 0; n < 4000; n++) {
		struct mpb_view v = view_random(&state);
		bool unsure = false;
		mpb_set want, got;

		v.alive |= 1;
		forget();
		want = reference(&v, &unsure);
		got = decide(&v);
		if (unsure && got != want)
			continue;
		assert_int_equal(got, want);
		more += !!(got & (got - 1));
		compared++;
	}
	print_message("# %u compared, %u with more than one\n", compared, more);
	assert_true(compared > 3900 && more > 500);
}

static void full_may_still_be_first(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.sf[1].srtt_us = 160000;
	v.sf[0].inflight = 10;
	v.sf[0].unsent = 28000; /* two rounds and a half: 50 ms; the other: 80 */
	assert_int_equal(decide(&v), 1);
	v.sf[0].unsent = 56000;
	assert_int_equal(decide(&v), 2);
}

UNIT_MAIN(cmocka_unit_test(definition), cmocka_unit_test(full_may_still_be_first))
