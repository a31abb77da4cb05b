/* SPDX-License-Identifier: GPL-2.0-only */
/* priority: the next subflow in the order of cost opens when those before have no window and too much waits, and closes when nothing waits any more. */
#include "../../bpf/sched/priority.bpf.c"
#include "sched.h"

static mpb_set reference(const struct mpb_view *v, unsigned int open, bool *unsure)
{
	mpb_set left = ref_usable(v), set = 0;
	double waiting = v->queued, rate = 0, cost[MPB_SUBFLOWS];
	unsigned int n = 0;

	for (int i = 0; i < MPB_SUBFLOWS; i++)
		cost[i] = v->sf[i].cost;
	while (left) {
		int i = ref_least(left, cost);

		set |= 1 << i;
		left &= ~(1U << i);
		n++;
		waiting += v->sf[i].unsent;
		rate += ref_rate(&v->sf[i]);
		if (ref_room(&v->sf[i]) > 0)
			break;
		if (n < open ? waiting == 0 : ref_time(waiting, rate) <= full_us)
			break;
		if (n >= open && close_to(ref_time(waiting, rate), full_us))
			*unsure = true;
	}
	return set;
}

static void definition(void **unused)
{
	unsigned int more = 0;
	uint64_t state = 1;

	(void)unused;
	for (int n = 0; n < VIEWS; n++) {
		struct mpb_view v = view_random(&state);
		unsigned int open = rnd(&state) % 4;
		bool unsure = false;
		mpb_set want, got;

		forget();
		((struct priority *)decided.priv)->open = open;
		want = reference(&v, open, &unsure);
		got = decide(&v);
		if (!unsure)
			assert_int_equal(got, want);
		more += !!(got & (got - 1));
	}
	assert_true(more > VIEWS / 100);
}

static void overflow(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.sf[0].cost = 1;
	v.sf[1].delivery = 1000000;
	assert_int_equal(decide(&v), 2);
	v.sf[1].inflight = v.sf[1].cwnd;
	v.sf[1].unsent = 20000;
	assert_int_equal(decide(&v), 2);
	v.queued = 1;
	v.sf[1].unsent = 20001;
	assert_int_equal(decide(&v), 3);
	v.queued = 0;
	v.sf[1].unsent = 1;
	assert_int_equal(decide(&v), 3);
	v.sf[1].unsent = 0;
	assert_int_equal(decide(&v), 2);
}

UNIT_MAIN(cmocka_unit_test(definition), cmocka_unit_test(overflow))
