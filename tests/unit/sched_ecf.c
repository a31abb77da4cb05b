/* SPDX-License-Identifier: GPL-2.0-only */
/* ecf: the two inequalities of the paper, in double precision, for each slower subflow in the order of round-trip times. */
#include "../../bpf/sched/ecf.bpf.c"
#include "sched.h"

static mpb_set was_waiting;

static void some_waiting(uint64_t *state)
{
	((struct ecf *)decided.priv)->waiting = was_waiting = rnd(state) & 255;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set left = ref_usable(v), set;
	double rtt[MPB_SUBFLOWS], k;
	const struct mpb_sf *fast;
	int i, first;

	ref_rtts(v, rtt);
	first = i = ref_least(left, rtt);
	fast = &v->sf[first];
	k = (double)v->queued + fast->unsent;
	set = 1 << i;
	while (left &= ~(1U << i), left && ref_busy(&v->sf[i])) {
		double d, now, later, slow, twice;

		i = ref_least(left, rtt);
		d = larger(fast->rttvar_us, v->sf[i].rttvar_us) / 2;
		now = ref_oneway(fast) + k * rtt[first] / ref_window(fast);
		later = (1 + (was_waiting >> i & 1 ? beta / 100.0 : 0)) * (ref_oneway(&v->sf[i]) + d);
		slow = ref_oneway(&v->sf[i]) + k * rtt[i] / ref_window(&v->sf[i]);
		twice = 2 * ref_oneway(fast) + d;
		*unsure |= close_to(now, later) || close_to(slow, twice);
		if (now < later && slow >= twice)
			break;
		set |= 1 << i;
	}
	return set;
}

static void definition(void **unused)
{
	(void)unused;
	compare_sets(reference, some_waiting);
}

static void begins_and_ends_to_wait(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.sf[1].srtt_us = 160000;
	v.sf[0].inflight = 10;
	v.sf[0].unsent = 14000;
	assert_int_equal(decide(&v), 1); /* 40 ms against 160 */
	assert_int_equal(decided.ask.why, MPB_WHY_WAIT);
	v.queued = 84000; /* 160 ms, and it has waited: until 200 */
	assert_int_equal(decide(&v), 1);
	v.queued = 126000;
	assert_int_equal(decide(&v), 3);
	v.queued = 84000; /* not waiting any more: from 160 on */
	assert_int_equal(decide(&v), 3);
	v.sf[0].inflight = 0;
	v.sf[0].unsent = 0;
	assert_int_equal(decide(&v), 1);
}

UNIT_MAIN(cmocka_unit_test(definition), cmocka_unit_test(begins_and_ends_to_wait))
