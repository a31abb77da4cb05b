/* SPDX-License-Identifier: GPL-2.0-only */
/* minrtt: the set is the one that the definition gives in double precision; the current subflow stays within the hysteresis. */
#include "../../bpf/sched/minrtt.bpf.c"
#include "sched.h"

static unsigned int current;

static void some_current(uint64_t *state)
{
	current = rnd(state) % MPB_SUBFLOWS;
	((struct minrtt *)decided.priv)->current = current + 1;
}

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set left = ref_usable(v), set = 0;
	double waiting = v->queued, rate = 0, first = 0, value[MPB_SUBFLOWS];

	ref_rtts(v, value);
	for (unsigned int i = 0; i < MPB_SUBFLOWS; i++)
		value[i] += i == current ? 0 : hysteresis_us;
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
	(void)unused;
	compare_sets(reference, some_current);
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
