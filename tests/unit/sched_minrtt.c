/* SPDX-License-Identifier: GPL-2.0-only */
/* minrtt: the set is the one that the definition gives in double precision; the current subflow stays within the hysteresis. */
#include "../../bpf/sched/minrtt.bpf.c"
#include "sched.h"

static mpb_set reference(const struct mpb_view *v, int current, bool *unsure)
{
	mpb_set left = ref_usable(v), set = 0;
	double waiting = v->queued, rate = 0, first = 0, value[MPB_SUBFLOWS];

	for (int i = 0; i < MPB_SUBFLOWS; i++)
		value[i] = ref_rtt(&v->sf[i]) + (i == current ? 0 : hysteresis_us);
	while (left) {
		int i = ref_least(left, value);

		if (set && close_to(first + ref_time(waiting, rate), ref_rtt(&v->sf[i])))
			*unsure = true;
		if (set && first + ref_time(waiting, rate) <= ref_rtt(&v->sf[i]))
			break;
		if (!set)
			first = ref_rtt(&v->sf[i]);
		set |= 1 << i;
		left &= ~(1U << i);
		waiting += v->sf[i].unsent;
		rate += ref_rate(&v->sf[i]);
		if (ref_room(&v->sf[i]) > 0)
			break;
	}
	return set;
}

static void definition(void **unused)
{
	unsigned int more = 0, compared = 0;
	uint64_t state = 1;

	(void)unused;
	for (int n = 0; n < VIEWS; n++) {
		struct mpb_view v = view_random(&state);
		int current = rnd(&state) % MPB_SUBFLOWS;
		bool unsure = false;
		mpb_set want, got;

		if (!v.alive)
			continue;
		forget();
		((struct minrtt *)decided.priv)->current = current + 1;
		want = reference(&v, current, &unsure);
		got = decide(&v);
		if (unsure)
			continue;
		assert_int_equal(got, want);
		more += !!(got & (got - 1));
		compared++;
	}
	print_message("# %u compared, %u with more than one\n", compared, more);
	assert_true(compared > VIEWS / 2 && more > VIEWS / 100);
}

static void stays(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.sf[1].srtt_us = 10000;
	assert_int_equal(decide(&v), 2);
	v.sf[0].srtt_us = 9500;
	assert_int_equal(decide(&v), 2);
	v.sf[0].srtt_us = 8900;
	assert_int_equal(decide(&v), 1);
}

UNIT_MAIN(cmocka_unit_test(definition), cmocka_unit_test(stays))
