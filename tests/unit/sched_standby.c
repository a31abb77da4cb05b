/* SPDX-License-Identifier: GPL-2.0-only */
/* standby: one subflow; the cheapest that works, but not before it has worked for return_ms. */
#include "../../bpf/sched/standby.bpf.c"
#include "sched.h"

static void life(void **unused)
{
	struct mpb_view v = view_of(3);

	(void)unused;
	forget();
	v.sf[0].cost = v.sf[1].cost = v.sf[2].cost = 5;
	assert_int_equal(decide(&v), 1);
	v.sf[0].flags = MPB_SF_LOSS;
	assert_int_equal(decide(&v), 2);
	assert_int_equal(decided.ask.why, MPB_WHY_FAILED);
	v.sf[0].flags = 0;
	assert_int_equal(decide(&v), 2);
	v.now_ns += return_ms * MS - 1;
	assert_int_equal(decide(&v), 2);
	v.sf[0].flags = MPB_SF_LOSS; /* once more: the time begins anew */
	assert_int_equal(decide(&v), 2);
	v.sf[0].flags = 0;
	v.now_ns += MS;
	assert_int_equal(decide(&v), 2);
	v.now_ns += return_ms * MS;
	assert_int_equal(decide(&v), 1);
	assert_int_equal(decided.ask.why, MPB_WHY_RETURNED);
	v.alive = 6;
	v.sf[2].cost = 4;
	assert_int_equal(decide(&v), 4);
	v.alive = 2;
	assert_int_equal(decide(&v), 2);
}

static void always_one_that_works(void **unused)
{
	uint64_t state = 1;

	(void)unused;
	forget();
	for (int n = 0; n < VIEWS; n++) {
		struct mpb_view v = view_random(&state);
		mpb_set got, usable = ref_usable(&v);

		v.now_ns = 1 + n * MS;
		got = decide(&v);
		assert_true(!usable || (got & usable && !(got & (got - 1))));
	}
}

UNIT_MAIN(cmocka_unit_test(life), cmocka_unit_test(always_one_that_works))
