/* SPDX-License-Identifier: GPL-2.0-only */
/* minrtt: the set is the one that the definition gives in double precision; the current subflow stays within the hysteresis. */
#include "../../bpf/sched/minrtt.bpf.c"
#include "sched.h"

static unsigned int current;
static double since_ms;

static void some_current(uint64_t *state)
{
	current = rnd(state) % MPB_SUBFLOWS;
	since_ms = 3000 - rnd(state) % 1000;
	*(struct minrtt *)decided.priv = (struct minrtt){ .current = current + 1, .since_ns = since_ms * MS, .waited_ns = 3000 * MS };
}

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set left = ref_usable(v), set = 0;
	double waiting = v->queued, rate = 0, first = 0, value[MPB_SUBFLOWS], waited = 0;

	ref_rtts(v, value);
	for (unsigned int i = 0; i < MPB_SUBFLOWS; i++)
		value[i] += i == current ? 0 : hysteresis_us;
	while (left) {
		int i = ref_least(left, value);

		if (!set) {
			first = ref_rtt(&v->sf[i]);
			waited = v->now_ns / 1e3 - since_ms * 1e3;
		} else {
			*unsure |= close_to(first + ref_time(waiting, rate), ref_rtt(&v->sf[i])) || close_to(waited, ref_rtt(&v->sf[i]) * patience / 100);
			if (first + ref_time(waiting, rate) <= ref_rtt(&v->sf[i]) || waited < ref_rtt(&v->sf[i]) * patience / 100)
				break;
		}
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

/* One decision every 10 ms; the last of them. */
static mpb_set after(struct mpb_view *v, unsigned int ms)
{
	for (; ms > 10; ms -= 10) {
		v->now_ns += 10 * MS;
		decide(v);
	}
	v->now_ns += ms * MS;
	return decide(v);
}

/* A slower subflow helps once something has waited for two of its round trips; again after a short pause, not after a long one. */
static void patient(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.sf[1].srtt_us = 100000;
	v.sf[0].inflight = 10;
	v.queued = 10000000;
	assert_int_equal(decide(&v), 1);
	assert_int_equal(after(&v, 199), 1);
	assert_int_equal(after(&v, 1), 3);
	v.queued = 0;
	assert_int_equal(after(&v, 39), 1);
	v.queued = 10000000;
	assert_int_equal(after(&v, 1), 3);
	v.queued = 0;
	assert_int_equal(after(&v, 41), 1);
	v.queued = 10000000;
	assert_int_equal(after(&v, 1), 1);
}

UNIT_MAIN(cmocka_unit_test(definition), cmocka_unit_test(stays), cmocka_unit_test(patient))
